//! Second factors on the pages, without a script.

use std::time::Duration;

use axum::http::{Request, header};
use vestibule::{RequireFactor, WaysIn};

use crate::admin_users_page::{ROOT, id_of};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

const CHALLENGE: &str = "__Host-vestibule_factor";

/// What follows `before` in a page, up to the next quotation mark or tag.
pub(crate) fn after<'a>(page: &'a Answer, before: &str) -> &'a str {
    let rest = page.text.split_once(before).unwrap_or_else(|| panic!("{before}: {}", page.text)).1;
    rest.split(['"', '<']).next().unwrap()
}

fn codes(page: &Answer) -> Vec<String> {
    assert!(page.status == 200 && page.text.contains("Save your recovery codes"), "{}", page.text);
    let list = page.text.split_once("<ul class=\"codes\"").unwrap().1.split_once("</ul>").unwrap().0;
    list.split("<code>").skip(1).map(|part| part.split('<').next().unwrap().to_owned()).collect()
}

/// Sets up an authenticator app on the pages; its secret and the recovery codes.
pub(crate) async fn sets_up_app(world: &World, browser: &mut Browser) -> (String, Vec<String>) {
    browser.get(world, "/account").await;
    let page = browser.submit(world, "/account/authenticator", "").await;
    assert!(page.status == 200 && page.text.contains("<svg"), "{}", page.text);
    let secret = after(&page, "<code dir=\"ltr\">").replace(' ', "");
    let uri = after(&page, "name=\"uri\" value=\"")
        .replace("&#x2f;", "%2F")
        .replace("&amp;", "%26")
        .replace('?', "%3F");
    let wrong =
        browser.submit(world, "/account/authenticator/confirm", &format!("code=000000&uri={uri}")).await;
    assert!(wrong.status == 422 && wrong.text.contains("id=\"code-mistake\""), "{}", wrong.text);
    assert_eq!(
        after(&wrong, "<code dir=\"ltr\">").replace(' ', ""),
        secret,
        "the same secret is shown again"
    );
    let code = world.code(&secret);
    let form = format!("code={}+{}&uri={uri}", &code[..3], &code[3..]);
    let codes = codes(&browser.submit(world, "/account/authenticator/confirm", &form).await);
    assert_eq!(codes.len(), 10);
    world.clock.advance(Duration::from_secs(30));
    (secret, codes)
}

async fn gives_password(world: &World, browser: &mut Browser, page: &str) -> Answer {
    let form = format!("login={ADA}&password={PASSWORD}{page}");
    browser.fills(world, "/login", &form).await
}

async fn ways(world: &World, email: &str) -> WaysIn {
    let user = vestibule::UserRef::Email(email.parse().unwrap());
    world.accounts.ways_in_of(vestibule::Actor::Operator, &user).await.unwrap()
}

on_both_stores! {
    async fn a_password_and_a_code_sign_in(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let (secret, _) = sets_up_app(&world, &mut browser).await;
        let page = browser.get(&world, "/account").await;
        assert!(page.text.contains("Left: 10.") && page.text.contains("action=\"/account/authenticator/remove\""), "{}", page.text);
        let mut other = Browser::default();
        let asked = gives_password(&world, &mut other, "&return_to=/account%23email").await;
        assert_eq!(asked.leads_to(), "/login/second-factor?return_to=%2Faccount%23email");
        let cookie = asked.cookie(CHALLENGE).unwrap();
        assert!(cookie.ends_with("; Path=/; Max-Age=300; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        assert!(!other.cookies.contains_key("__Host-vestibule_session"));
        let page = other.get(&world, asked.header("location")).await;
        assert!(page.text.contains("autocomplete=\"one-time-code\"") && page.text.contains("inputmode=\"numeric\""));
        assert!(!page.text.contains("vsf_"), "the challenge is in the cookie only");
        for wrong in ["000000", "12", ""] {
            let page = other.submit(&world, "/login/second-factor", &format!("code={wrong}&return_to=/account%23email")).await;
            assert!(page.status == 422 && page.text.contains("id=\"code-mistake\""), "{}", page.text);
            assert!(wrong.len() == 6 || page.text.contains("Enter the 6 digits"), "{}", page.text);
            assert!(wrong.len() < 6 || page.text.contains("Tries left: 4"), "{}", page.text);
        }
        let code = world.code(&secret);
        let arabic: String = code.chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0x660).unwrap()).collect();
        let form = format!("code={}+{}&return_to=/account%23email", &arabic[..6], &arabic[6..]);
        let done = other.submit(&world, "/login/second-factor", &form).await;
        assert_eq!(done.leads_to(), "/account#email");
        assert!(!other.cookies.contains_key(CHALLENGE));
        assert_eq!(other.get(&world, "/account").await.status, 200);
    }

    async fn a_recovery_code_signs_in_once_however_it_is_typed(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let (_, codes) = sets_up_app(&world, &mut browser).await;
        let typed = codes[0].replace('-', "+").to_uppercase().replace('0', "O").replace('1', "l");
        let mut other = Browser::default();
        gives_password(&world, &mut other, "").await;
        let page = other.get(&world, "/login/second-factor").await;
        assert!(page.text.contains("Use a recovery code"));
        let wrong = other.submit(&world, "/login/second-factor", "recovery_code=abc").await;
        assert!(wrong.status == 422 && wrong.text.contains("id=\"recovery_code-mistake\"") && wrong.text.contains("<details class=\"other\" open>"), "{}", wrong.text);
        let wrong = other.submit(&world, "/login/second-factor", "recovery_code=0000-0000-0000-0000").await;
        assert!(wrong.text.contains("id=\"recovery_code-mistake\"") && wrong.text.contains("Tries left: 4"), "{}", wrong.text);
        let form = format!("recovery_code=+{typed}+");
        assert_eq!(other.submit(&world, "/login/second-factor", &form).await.leads_to(), "/account");
        assert_eq!(ways(&world, ADA).await.recovery_codes_left, 9);
        let mut third = Browser::default();
        gives_password(&world, &mut third, "").await;
        third.get(&world, "/login/second-factor").await;
        assert_eq!(third.submit(&world, "/login/second-factor", &form).await.status, 422);
    }

    async fn a_challenge_that_is_over_leads_back_to_the_beginning(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let (secret, _) = sets_up_app(&world, &mut browser).await;
        let over = "/login?said=over&return_to=%2Fdocs%2Ferrors";
        assert_eq!(Browser::default().get(&world, "/login/second-factor?return_to=/docs/errors").await.leads_to(), over);
        let mut other = Browser::default();
        gives_password(&world, &mut other, "").await;
        other.get(&world, "/login/second-factor").await;
        world.clock.advance(Duration::from_mins(6));
        let form = format!("code={}&return_to=/docs/errors", world.code(&secret));
        assert_eq!(other.submit(&world, "/login/second-factor", &form).await.leads_to(), over);
        assert!(!other.cookies.contains_key(CHALLENGE));
        assert!(other.get(&world, over).await.text.contains("Sign in again."));
        // Forged: without the token of this browser's page nothing is tried.
        gives_password(&world, &mut other, "").await;
        let form = format!("form_token=x&code={}", world.code(&secret));
        let forged = other.post(&world, "/login/second-factor", &form, &[("sec-fetch-site", "same-origin")]).await;
        assert!(forged.status == 403 && forged.text.contains("id=\"code\""), "{}", forged.text);
        other.get(&world, "/login/second-factor").await;
        let form = format!("code={}", world.code(&secret));
        assert_eq!(other.submit(&world, "/login/second-factor", &form).await.leads_to(), "/account");
    }

    async fn too_many_wrong_codes_have_to_wait(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        sets_up_app(&world, &mut browser).await;
        let mut other = Browser::default();
        gives_password(&world, &mut other, "").await;
        other.get(&world, "/login/second-factor").await;
        for _ in 0..5 {
            other.submit(&world, "/login/second-factor", "code=000000").await;
        }
        let page = other.submit(&world, "/login/second-factor", "code=000000").await;
        assert!(page.status == 429 && page.text.contains("Try again in"), "{} {}", page.status, page.text);
    }

    // ways-in.md §4: with a factor enrolled, the password never satisfies step-up.
    async fn a_change_waits_for_the_proof_and_then_goes_on(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        world.clock.advance(Duration::from_mins(6));
        browser.get(&world, "/account").await;
        let asked = browser.submit(&world, "/account/authenticator", "").await;
        assert!(asked.status == 200 && asked.text.contains("name=\"then\" value=\"&#x2f;account&#x2f;authenticator\""), "{}", asked.text);
        assert!(asked.text.contains("id=\"password\"") && !asked.text.contains("id=\"code\""));
        let wrong = browser.submit(&world, "/account/verify", "then=/account/authenticator&password=not-the-password").await;
        assert!(wrong.status == 422 && wrong.text.contains("name=\"then\"") && wrong.text.contains("id=\"password-mistake\""), "{}", wrong.text);
        let on = browser.submit(&world, "/account/verify", &format!("then=/account/authenticator&password={PASSWORD}")).await;
        assert_eq!((on.status, on.header("location")), (307, "/account/authenticator"), "the browser sends the form on");
        let (secret, codes) = sets_up_app(&world, &mut browser).await;
        world.clock.advance(Duration::from_mins(6));
        let page = browser.get(&world, "/account").await;
        assert!(!page.text.contains("action=\"/account/email\"") && page.text.contains("/account/verify?return_to=%2Faccount%23email"), "{}", page.text);
        let asked = browser.submit(&world, "/account/recovery-codes", "").await;
        assert!(asked.text.contains("id=\"code\"") && !asked.text.contains("id=\"password\""), "{}", asked.text);
        let by_password = browser.submit(&world, "/account/verify", &format!("password={PASSWORD}&return_to=/account")).await;
        assert_eq!(by_password.status, 303);
        let still = browser.submit(&world, "/account/recovery-codes", "").await;
        assert!(still.text.contains("id=\"code\""), "{}", still.text);
        let email = format!("email=ada%40example.com&password={PASSWORD}");
        assert_eq!(browser.submit(&world, "/account/email", &email).await.leads_to(), "/account/verify?return_to=%2Faccount%23email");
        let proof = format!("code={}&return_to=/account%23email", world.code(&secret));
        assert_eq!(browser.submit(&world, "/account/verify", &proof).await.leads_to(), "/account#email");
        browser.get(&world, "/account").await;
        assert_eq!(browser.submit(&world, "/account/email", &email).await.leads_to(), "/account?said=email#email");
        world.clock.advance(Duration::from_mins(6));
        browser.get(&world, "/account/verify").await;
        let proof = format!("recovery_code={}&then=/account/recovery-codes", codes[0]);
        assert_eq!(browser.submit(&world, "/account/verify", &proof).await.status, 307);
        let renewed = self::codes(&browser.submit(&world, "/account/recovery-codes", &proof).await);
        assert!(renewed.len() == 10 && !renewed.contains(&codes[1]));
        let gone = browser.submit(&world, "/account/authenticator/remove", "").await;
        assert_eq!(gone.leads_to(), "/account?said=authenticator_removed#authenticator");
        assert!(!ways(&world, ADA).await.has_factor());
    }

    // B3: the proof leads nowhere else.
    async fn a_proof_leads_back_to_pages_for_members_only(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        for (wanted, reached) in [
            ("/account%23email", "/account#email"), ("/admin/users", "/admin/users"), ("", "/account"),
            ("/login", "/account"), ("/accounts", "/account"), ("//evil.example", "/account"),
            ("https://evil.example/account", "/account"), ("/account/../docs", "/account"),
        ] {
            browser.get(&world, &format!("/account/verify?return_to={wanted}")).await;
            let form = format!("password={PASSWORD}&return_to={wanted}&then=/account/delete");
            assert_eq!(browser.submit(&world, "/account/verify", &form).await.leads_to(), reached, "{wanted}");
        }
    }

    async fn whoever_must_enrol_does_that_and_nothing_else(world: World) {
        let mut world = world;
        world.has_admin(ADA).await;
        world.follows(|policy| {
            policy.second_factor.require = RequireFactor::Admins;
            policy.second_factor.grace = Duration::from_hours(1);
        }).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        assert!(browser.get(&world, "/account").await.text.contains("Your account needs a second step by"));
        world.clock.advance(Duration::from_hours(2));
        let refused = gives_password(&world, &mut Browser::default(), "").await;
        assert!(refused.status == 403 && refused.text.contains("We’ve emailed you a link"), "{}", refused.text);
        let token = world.mailed_token("enrolment", ADA).await;
        let mut browser = Browser::default();
        let page = browser.get(&world, &format!("/enrol?token={token}")).await;
        assert!(page.text.contains("This link was sent to <bdi>a") && page.text.contains("autocomplete=\"username\""), "{}", page.text);
        let wrong = browser.submit(&world, "/enrol", &format!("token={token}&password=not-the-password")).await;
        assert!(wrong.status == 422 && wrong.text.contains("id=\"password-mistake\""), "{}", wrong.text);
        let entered = browser.submit(&world, "/enrol", &format!("token={token}&password={PASSWORD}")).await;
        assert_eq!(entered.leads_to(), "/account?said=enrol#security");
        let page = browser.get(&world, "/account?said=enrol").await;
        assert!(page.text.contains("Your account needs a second step by now") && !page.text.contains("/account/email"), "{}", page.text);
        for path in ["/admin", "/admin/users", "/account/export", "/admin/users/usr_00000000000000000000000000"] {
            assert_eq!(browser.get(&world, path).await.leads_to(), "/account?said=enrol#security", "{path}");
        }
        browser.get(&world, "/account").await;
        for path in ["/account/profile", "/account/email", "/account/password", "/account/password/remove", "/account/delete", "/account/sessions/end"] {
            assert_eq!(browser.submit(&world, path, "").await.leads_to(), "/account?said=enrol#security", "{path}");
        }
        let request = Request::get("/").header(header::ACCEPT, "text/html");
        assert_eq!(browser.ask(&world, request).await.leads_to(), "/account");
        sets_up_app(&world, &mut browser).await;
        assert_eq!(browser.get(&world, "/admin").await.status, 200);
        let used = Browser::default().get(&world, &format!("/enrol?token={token}")).await;
        assert!(used.status == 200 && !used.text.contains("name=\"password\""), "{}", used.text);
    }

    // O4, B15: an administrator with a factor gives that, not the password.
    async fn an_administrator_resets_second_factors(world: World) {
        world.has_account(ADA).await;
        let mut ada = Browser::signed_in(&world, ADA).await;
        sets_up_app(&world, &mut ada).await;
        world.has_admin(ROOT).await;
        world.has_admin("other@example.org").await;
        let mut root = Browser::signed_in(&world, ROOT).await;
        let path = format!("/admin/users/{}", id_of(&world, ADA).await);
        let page = root.get(&world, &path).await;
        assert!(page.text.contains("Reset sign-in methods") && page.text.contains("id=\"ways_in-own_password\""), "{}", page.text);
        let without = root.submit(&world, &format!("{path}/ways-in"), &format!("own_password={PASSWORD}")).await;
        assert!(without.status == 422 && without.text.contains("href=\"#ways_in-reason\""), "{}", without.text);
        let (secret, _) = sets_up_app(&world, &mut root).await;
        world.clock.advance(Duration::from_mins(16));
        let page = root.get(&world, &path).await;
        let link = format!("/account/verify?return_to={}", path.replace('/', "%2F"));
        assert!(page.text.contains(&link) && !page.text.contains("own_password"), "{}", page.text);
        let form = format!("reason=came+by&own_password={PASSWORD}");
        let refused = root.submit(&world, &format!("{path}/ways-in"), &form).await;
        assert_eq!(refused.leads_to(), format!("{link}%23ways_in"));
        root.get(&world, refused.header("location")).await;
        let proof = format!("code={}&return_to={}", world.code(&secret), path);
        assert_eq!(root.submit(&world, "/account/verify", &proof).await.leads_to(), path);
        root.get(&world, &path).await;
        assert_eq!(root.submit(&world, &format!("{path}/ways-in"), "reason=came+by").await.leads_to(), format!("{path}?said=ways_in"));
        assert!(!ways(&world, ADA).await.has_factor());
        assert_eq!(world.mails("enrolment", ADA).await, 1);
        assert_eq!(ada.get(&world, "/account").await.status, 303);
        assert!(root.get(&world, &format!("{path}?said=ways_in")).await.text.contains("The sign-in methods are removed"));
        // Roles are given with the proof alone, too.
        let page = root.get(&world, &path).await;
        let form = format!("revision={}&roles=editor", after(&page, "name=\"revision\" value=\""));
        assert_eq!(root.submit(&world, &format!("{path}/roles"), &form).await.leads_to(), format!("{path}?said=roles"));
    }
}
