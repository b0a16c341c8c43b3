use vestibule::{
    Account, Actor, AuditKind, Client, Login, Mail, MailTransport, Password, SendAttempt, SendError, UserRef,
};

use crate::admin_users_page::{ROOT, entry, id_of, root};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

async fn user(world: &World, email: &str) -> Account {
    world.accounts.find_user(Actor::Operator, &UserRef::Email(email.parse().unwrap())).await.unwrap()
}

/// An administrator who looks at Ada's page, and the path of the page.
async fn root_and_ada(world: &World) -> (Browser, String) {
    world.has_account(ADA).await;
    let mut browser = root(world).await;
    let path = format!("/admin/users/{}", id_of(world, ADA).await);
    assert_eq!(browser.get(world, &path).await.status, 200);
    (browser, path)
}

/// The state that the forms of a page apply to.
fn revision(page: &Answer) -> String {
    page.text.split("name=\"revision\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

struct Refusing(&'static str);

impl MailTransport for Refusing {
    async fn send(&self, _: &Mail, _: &SendAttempt) -> Result<(), SendError> {
        Err(SendError::Permanent(self.0.into()))
    }
}

on_both_stores! {
    // R6: found, disabled, enabled; the session ends immediately, and nobody can sign in meanwhile.
    async fn a_user_is_disabled_and_enabled(world: World) {
        let (mut browser, path) = root_and_ada(&world).await;
        let mut ada = Browser::signed_in(&world, ADA).await;
        let form = "reason=%3Cscript%3Elost+the+phone";
        let done = browser.submit(&world, &format!("{path}/disable"), form).await;
        assert_eq!(done.leads_to(), format!("{path}?said=disable"));
        assert_eq!(ada.get(&world, "/account").await.status, 303);
        let refused = ada.fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
        assert!(refused.status == 403 && refused.text.contains("This account is disabled."), "{}", refused.text);
        let page = browser.get(&world, &format!("{path}?said=disable")).await;
        assert!(page.text.contains("The account is disabled and signed out everywhere.") && page.text.contains(">Disabled</span>"));
        assert!(page.text.contains("&lt;script&gt;lost the phone") && !page.text.contains("<script>lost"), "{}", page.text);
        assert!(!page.text.contains(&format!("{path}/reset-link")), "a link would be of no use");
        assert!(!page.text.contains("Passwords are accepted."));
        let told = entry(&world, AuditKind::Disabled).await.unwrap();
        assert_eq!(told.detail.as_deref(), Some("reason: <script>lost the phone"));
        assert_eq!(told.actor.user().unwrap().to_string(), id_of(&world, ROOT).await);
        // Repeating it changes nothing.
        assert_eq!(browser.submit(&world, &format!("{path}/disable"), "reason=").await.status, 303);
        assert_eq!(browser.submit(&world, &format!("{path}/enable"), "").await.leads_to(), format!("{path}?said=enable"));
        assert_eq!(entry(&world, AuditKind::Enabled).await.unwrap().detail, None);
        Browser::signed_in(&world, ADA).await;
    }

    async fn a_reason_is_a_short_line(world: World) {
        let (mut browser, path) = root_and_ada(&world).await;
        for (act, part, reason) in [("disable", "disable", "a%0Ab".to_owned()), ("sign-out", "sign_out", "x".repeat(201)),
            ("reset-link", "reset", "%07".to_owned()), ("clear-limits", "clear", "x".repeat(201))] {
            let page = browser.submit(&world, &format!("{path}/{act}"), &format!("reason={reason}")).await;
            assert!(page.status == 422 && page.text.contains(&format!("href=\"#{part}-reason\"")), "{act} {}", page.text);
        }
        let revision = revision(&browser.get(&world, &path).await);
        for act in ["profile", "roles", "delete"] {
            let form = format!("revision={revision}&email={ADA}&own_password={PASSWORD}&reason=%07");
            let page = browser.submit(&world, &format!("{path}/{act}"), &form).await;
            assert!(page.status == 422 && page.text.contains(&format!("href=\"#{act}-reason\"")), "{act} {}", page.text);
        }
        assert_eq!(user(&world, ADA).await.disabled_at, None);
        assert_eq!(browser.submit(&world, &format!("{path}/enable"), "x=y").await.status, 422);
        let longest = format!("reason={}", "x".repeat(200));
        assert_eq!(browser.submit(&world, &format!("{path}/sign-out"), &longest).await.status, 303);
    }

    // P7, R6, L2
    async fn a_user_is_helped(world: World) {
        let (mut browser, path) = root_and_ada(&world).await;
        let mut ada = Browser::signed_in(&world, ADA).await;
        let page = browser.get(&world, &path).await;
        assert!(page.text.contains("Unknown device") && page.text.contains("Passwords are accepted."), "{}", page.text);
        let done = browser.submit(&world, &format!("{path}/reset-link"), "reason=rang").await;
        assert_eq!(done.leads_to(), format!("{path}?said=reset"));
        let token = world.mailed_token("password_reset", ADA).await;
        let page = browser.get(&world, &path).await;
        assert!(page.text.contains("Link for a new password") && !page.text.contains(&token), "{}", page.text);
        let done = browser.submit(&world, &format!("{path}/sign-out"), "reason=rang").await;
        assert_eq!(done.leads_to(), format!("{path}?said=sign_out"));
        assert_eq!(ada.get(&world, "/account").await.status, 303);
        assert!(browser.get(&world, &path).await.text.contains("Nowhere right now."));
        let login = Login::Email(ADA.parse().unwrap());
        for _ in 0..5 {
            let wrong = Password::new("not-the-password").unwrap();
            world.accounts.sign_in(&login, &wrong, &Client::default()).await.unwrap_err();
        }
        let page = browser.get(&world, &path).await;
        assert!(page.text.contains("No password is accepted until") && page.text.contains("in a row: 5"), "{}", page.text);
        let done = browser.submit(&world, &format!("{path}/clear-limits"), "reason=rang").await;
        assert_eq!(done.leads_to(), format!("{path}?said=clear"));
        let page = browser.get(&world, &path).await;
        assert!(page.text.contains("in a row: 0") && !page.text.contains("clear-limits"), "{}", page.text);
        assert!(entry(&world, AuditKind::LimitsCleared).await.unwrap().detail.unwrap().ends_with("; reason: rang"));
        Browser::signed_in(&world, ADA).await;
        let disabled = UserRef::Email(ADA.parse().unwrap());
        world.accounts.disable_user(Actor::Operator, &disabled, None).await.unwrap();
        let refused = browser.submit(&world, &format!("{path}/reset-link"), "").await;
        assert!(refused.status == 409 && refused.text.contains("Enable it first."), "{}", refused.text);
    }

    // O4: an unlocked screen is not enough to change roles.
    async fn roles_need_the_own_password(world: World) {
        let (mut browser, path) = root_and_ada(&world).await;
        world.clock.advance(std::time::Duration::from_hours(1));
        let revision = revision(&browser.get(&world, &path).await);
        for (given, status) in [("", 422), ("not-the-password", 422), ("x", 422)] {
            let form = format!("revision={revision}&roles=admin&own_password={given}");
            let page = browser.submit(&world, &format!("{path}/roles"), &form).await;
            assert!(page.status == status && page.text.contains("href=\"#roles-own_password\""), "{}", page.text);
            assert!(page.text.contains("name=\"roles\" type=\"text\" value=\"admin\""), "what was typed stays");
            assert!(!page.text.contains("not-the-password"));
        }
        assert!(user(&world, ADA).await.roles.is_empty());
        let failed = entry(&world, AuditKind::SignInFailed).await.unwrap();
        assert_eq!(failed.user_id.unwrap().to_string(), id_of(&world, ROOT).await);
        let form = format!("revision={revision}&roles=editor,+author&own_password={PASSWORD}&reason=joins+the+desk");
        let done = browser.submit(&world, &format!("{path}/roles"), &form).await;
        assert_eq!(done.leads_to(), format!("{path}?said=roles"));
        assert_eq!(user(&world, ADA).await.roles, ["author", "editor"]);
        assert_eq!(entry(&world, AuditKind::Updated).await.unwrap().detail.as_deref(), Some("roles: [] to [author editor]; reason: joins the desk"));
        // The form for the name accepts no roles.
        let form = format!("revision={}&roles=admin", self::revision(&browser.get(&world, &path).await));
        assert_eq!(browser.submit(&world, &format!("{path}/profile"), &form).await.status, 422);
        assert_eq!(user(&world, ADA).await.roles, ["author", "editor"]);
    }

    // L2: guessing the password here counts like guessing at sign-in.
    async fn the_own_password_is_not_guessed(world: World) {
        let (mut browser, path) = root_and_ada(&world).await;
        let form = |given: &str, revision: &str| format!("revision={revision}&roles=admin&own_password={given}");
        let revision = revision(&browser.get(&world, &path).await);
        let wrong = form("not-the-password", &revision);
        for _ in 0..5 {
            assert_eq!(browser.submit(&world, &format!("{path}/roles"), &wrong).await.status, 422);
        }
        let page = browser.submit(&world, &format!("{path}/roles"), &form(PASSWORD, &revision)).await;
        assert!(page.status == 429 && page.header("retry-after") == "1" && page.text.contains("Try again in"), "{}", page.text);
        let delete = format!("revision={revision}&email={ADA}&own_password={PASSWORD}");
        assert_eq!(browser.submit(&world, &format!("{path}/delete"), &delete).await.status, 429);
        assert!(user(&world, ADA).await.roles.is_empty());
    }

    // H3: two administrators do not overwrite each other.
    async fn a_change_is_for_the_state_that_was_shown(world: World) {
        let (mut browser, path) = root_and_ada(&world).await;
        let stale = revision(&browser.get(&world, &path).await);
        let form = format!("revision={stale}&display_name=Ada+King&user_name=countess&locale=fr");
        assert_eq!(browser.submit(&world, &format!("{path}/profile"), &form).await.leads_to(), format!("{path}?said=profile"));
        let form = format!("revision={stale}&user_name=lovelace&locale=de");
        let page = browser.submit(&world, &format!("{path}/profile"), &form).await;
        assert!(page.status == 412 && page.text.contains("someone else has just changed this user"), "{}", page.text);
        assert!(page.text.contains("<bdi>Ada King</bdi>") && page.text.contains("value=\"Ada King\""), "{}", page.text);
        assert!(page.text.contains("value=\"countess\"") && !page.text.contains("lovelace"), "as it is now");
        for (act, form) in [
            ("roles", format!("revision={stale}&roles=admin&own_password={PASSWORD}")),
            ("delete", format!("revision={stale}&email={ADA}&own_password={PASSWORD}")),
            ("profile", "user_name=lovelace".to_owned()), ("roles", format!("roles=admin&own_password={PASSWORD}")),
            ("delete", format!("email={ADA}&own_password={PASSWORD}")), ("profile", "revision=*&user_name=lovelace".to_owned()),
        ] {
            assert_eq!(browser.submit(&world, &format!("{path}/{act}"), &form).await.status, 412, "{act} {form}");
        }
        let ada = user(&world, ADA).await;
        assert_eq!((ada.user_name.unwrap().as_str(), ada.locale.as_deref(), ada.roles), ("countess", Some("fr"), vec![]));
        let fresh = revision(&page);
        let form = format!("revision={fresh}&user_name=a+b&locale=pt-BR");
        let wrong = browser.submit(&world, &format!("{path}/profile"), &form).await;
        assert!(wrong.text.contains("href=\"#profile-user_name\"") && wrong.text.contains("<option value=\"pt-BR\" selected>pt-BR"), "{}", wrong.text);
        let form = format!("revision={fresh}&user_name=root-1&locale=pt-BR");
        assert_eq!(browser.submit(&world, &format!("{path}/profile"), &form).await.status, 303);
        assert!(browser.get(&world, &path).await.text.contains("<option value=\"pt-BR\" selected>pt-BR"), "kept when saved again");
        let own = format!("/admin/users/{}", id_of(&world, ROOT).await);
        let form = format!("revision={}&user_name=Root-1", revision(&browser.get(&world, &own).await));
        let taken = browser.submit(&world, &format!("{own}/profile"), &form).await;
        assert!(taken.status == 409 && taken.text.contains("href=\"#profile-user_name\""), "{}", taken.text);
    }

    // X4
    async fn a_user_is_deleted(world: World) {
        let (mut browser, path) = root_and_ada(&world).await;
        world.clock.advance(std::time::Duration::from_hours(1));
        let revision = revision(&browser.get(&world, &path).await);
        for (email, given, field) in [("", PASSWORD, "email"), ("bob@example.org", PASSWORD, "email"), ("ada", PASSWORD, "email"),
            (ADA, "not-the-password", "own_password"), (ADA, "", "own_password")] {
            let form = format!("revision={revision}&email={email}&own_password={given}");
            let page = browser.submit(&world, &format!("{path}/delete"), &form).await;
            assert!(page.status == 422 && page.text.contains(&format!("href=\"#delete-{field}\"")), "{}", page.text);
        }
        user(&world, ADA).await;
        let form = format!("revision={revision}&email=+Ada%40EXAMPLE.org&own_password={PASSWORD}&reason=asked+by+letter");
        assert_eq!(browser.submit(&world, &format!("{path}/delete"), &form).await.leads_to(), "/admin/users?said=deleted");
        assert!(browser.get(&world, "/admin/users?said=deleted").await.text.contains("The user is deleted."));
        let told = entry(&world, AuditKind::Deleted).await.unwrap();
        assert_eq!(told.detail.as_deref(), Some("reason: asked by letter"));
        assert_eq!(told.actor.user().unwrap().to_string(), id_of(&world, ROOT).await);
        // A deleted user has no page, and no form has any effect on them.
        assert_eq!(browser.get(&world, &path).await.status, 404);
        for act in ["disable", "enable", "reset-link", "sign-out", "clear-limits", "profile", "delete"] {
            let form = format!("email={ADA}&own_password={PASSWORD}");
            let form = if act == "delete" { form.as_str() } else { "" };
            assert_eq!(browser.submit(&world, &format!("{path}/{act}"), form).await.problem().0, 404, "{act}");
        }
        for path in ["/admin/users/x", "/admin/users/usr_00000000000000000000000000", "/admin/users/"] {
            assert_eq!(browser.get(&world, path).await.status, 404, "{path}");
        }
    }

    // O4: there is always an active administrator.
    async fn the_last_administrator_stays(world: World) {
        let mut browser = root(&world).await;
        let own = format!("/admin/users/{}", id_of(&world, ROOT).await);
        let page = browser.get(&world, &own).await;
        assert!(page.text.contains("<span class=\"badge\">You</span>"));
        let revision = revision(&page);
        for (act, form) in [
            ("disable", String::new()),
            ("roles", format!("revision={revision}&roles=editor&own_password={PASSWORD}")),
            ("delete", format!("revision={revision}&email={ROOT}&own_password={PASSWORD}")),
        ] {
            let page = browser.submit(&world, &format!("{own}/{act}"), &form).await;
            assert!(page.status == 409 && page.text.contains("This is the last administrator."), "{act} {}", page.text);
        }
        assert_eq!(user(&world, ROOT).await.roles, ["admin"]);
        // With another administrator, any of them may be removed.
        world.has_admin("zoe@example.org").await;
        let form = format!("revision={revision}&roles=&own_password={PASSWORD}");
        let done = browser.submit(&world, &format!("{own}/roles"), &form).await;
        assert_eq!(done.leads_to(), format!("{own}?said=roles"));
        let page = browser.get(&world, done.leads_to()).await;
        assert!(page.status == 403 && page.text.contains("This is for administrators"), "{}", page.text);
        let mut zoe = Browser::signed_in(&world, "zoe@example.org").await;
        world.has_admin("ida@example.org").await;
        let own = format!("/admin/users/{}", id_of(&world, "zoe@example.org").await);
        zoe.get(&world, &own).await;
        let done = zoe.submit(&world, &format!("{own}/disable"), "reason=holidays").await;
        let next = zoe.get(&world, done.leads_to()).await;
        assert!(next.leads_to().starts_with("/login?return_to="));
    }

    // O1: what others chose is text, and a whole history is a small page.
    async fn a_long_history_is_a_small_page(world: World) {
        let (mut browser, path) = root_and_ada(&world).await;
        let whose = UserRef::Email(ADA.parse().unwrap());
        let login = Login::Email(ADA.parse().unwrap());
        let agent = "<script>alert(1)</script> (X11; Linux x86_64) Firefox/140.0";
        let from = Client { user_agent: Some(agent.to_owned()), ip: Some("203.0.113.250".parse().unwrap()), device_token: None };
        for number in 0..25 {
            let secret = Password::new(&format!("seven-green-bridges-{number}")).unwrap();
            world.accounts.set_password(&whose, &secret).await.unwrap();
        }
        let refusing = Refusing("550 <script>alert(2)</script> no such user, and a long story about why there is none, which nobody wants to read to its end");
        while world.accounts.deliver(&refusing).await.unwrap().failed > 0 {}
        for number in 25..55 {
            let secret = Password::new(&format!("seven-green-bridges-{number}")).unwrap();
            world.accounts.set_password(&whose, &secret).await.unwrap();
        }
        world.deliver().await;
        let secret = Password::new("seven-green-bridges-54").unwrap();
        for _ in 0..24 {
            world.accounts.sign_in(&login, &secret, &from).await.unwrap();
        }
        let reason = "<script>alert(3)</script> and a reason that takes all the room there is for a reason, ".repeat(2);
        let reason = reason.parse().unwrap();
        for _ in 0..26 {
            world.accounts.enable_user(Actor::Operator, &whose, Some(&reason)).await.unwrap();
        }
        let page = browser.get(&world, &path).await;
        let activity = browser.get(&world, &format!("{path}?tab=activity")).await;
        let mails = browser.get(&world, &format!("{path}?tab=mails")).await;
        let rows = |page: &str, name: &str| {
            let section = page.split(&format!("id=\"{name}\"")).nth(1).unwrap().split("</section>").next().unwrap();
            section.matches("<li>").count()
        };
        assert_eq!((rows(&page.text, "timeline"), rows(&page.text, "sessions")), (5, 20), "{}", page.text);
        assert_eq!((rows(&activity.text, "timeline"), rows(&mails.text, "mails")), (50, 50), "{}", mails.text);
        assert_eq!(mails.text.matches(">Failed</span>").count(), 20, "{}", mails.text);
        assert_eq!(mails.text.matches("attempts: 1 · ").count(), 20, "{}", mails.text);
        assert!(page.text.contains("Further sessions: 4") && page.text.contains("Firefox · Linux"));
        assert!(page.text.contains(&format!("href=\"/admin/audit?user_id={}\"", id_of(&world, ADA).await)));
        for page in [&page, &activity, &mails] {
            assert!(!page.text.contains("<script>alert"));
        }
        assert!(mails.text.contains("&lt;script&gt;alert(2)") && activity.text.contains("&lt;script&gt;alert(3)"));
        for language in ["en", "de", "fr", "es", "ar"] {
            for tab in ["overview", "activity", "mails"] {
                let page = browser.get(&world, &format!("{path}?tab={tab}&lang={language}")).await;
                assert!(page.text.len() < 40_000, "{language} {tab} {}", page.text.len());
            }
        }
    }
}
