use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use vestibule::{Actor, UserOrder, UserQuery};

use crate::admin_clients::own_application;
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

/// Every path that accepts a form without a sign-in.
pub(crate) const FORMS: [&str; 15] = [
    "/signup",
    "/check-mail",
    "/check-mail/resend",
    "/check-mail/continue",
    "/confirm",
    "/confirm/resend",
    "/login",
    "/login/passkey",
    "/enrol",
    "/forgot",
    "/reset",
    "/email/confirm",
    "/email/undo",
    "/invitation",
    "/setup",
];
/// Those that need one.
pub(crate) const MEMBERS: [&str; 39] = [
    "/logout",
    "/account/profile",
    "/account/email",
    "/account/email/cancel",
    "/account/password",
    "/account/password/remove",
    "/account/passkeys",
    "/account/passkeys/rename",
    "/account/passkeys/remove",
    "/account/authenticator",
    "/account/authenticator/confirm",
    "/account/authenticator/remove",
    "/account/recovery-codes",
    "/account/verify",
    "/account/sessions/end",
    "/account/applications/disconnect",
    "/account/delete",
    "/admin/users",
    "/admin/users/usr_00000000000000000000000000/disable",
    "/admin/users/usr_00000000000000000000000000/enable",
    "/admin/users/usr_00000000000000000000000000/reset-link",
    "/admin/users/usr_00000000000000000000000000/sign-out",
    "/admin/users/usr_00000000000000000000000000/clear-limits",
    "/admin/users/usr_00000000000000000000000000/profile",
    "/admin/users/usr_00000000000000000000000000/roles",
    "/admin/users/usr_00000000000000000000000000/delete",
    "/admin/users/usr_00000000000000000000000000/ways-in",
    "/admin/users/usr_00000000000000000000000000/disconnect",
    "/admin/new-client",
    "/admin/clients/shop/registration",
    "/admin/clients/shop/secret",
    "/admin/clients/shop/old-secret",
    "/admin/clients/shop/remove",
    "/admin/registrations/reg_00000000000000000000000000/resend",
    "/admin/registrations/reg_00000000000000000000000000/confirm",
    "/admin/mail/test",
    "/admin/mail/retry",
    "/admin/mail/msg_00000000000000000000000000/retry",
    "/admin/mail/msg_00000000000000000000000000/drop",
];

/// Those that only the script sends, with and without a sign-in, and the one that only a waiting sign-in has.
const OF_SCRIPT: [&str; 3] =
    ["/login/passkey/options", "/login/second-factor/options", "/login/second-factor"];
const OF_SCRIPT_FOR_MEMBERS: [&str; 2] = ["/account/passkeys/options", "/account/verify/options"];

/// Those that other sites may send: applications send people here with them, and they only lead to an address of ours.
const OF_APPLICATIONS: [&str; 2] = ["/oauth/authorize", "/oauth/logout"];
/// Those that lead to their page again if they do not count: `oauth_pages` and `holes/authorization.rs` try them.
const ON_THE_WAY: [&str; 3] = ["/oauth/consent", "/oauth/switch", "/oauth/logout/confirm"];

/// The message on a form that is shown again because it was not shown here.
const STALE: &str = "This page was open for too long";

/// The paths of all forms, read from the sources of the pages, so that none is missing above.
fn forms_in_the_sources() -> Vec<String> {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages"))];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let own = source.split("const PATH: &str = \"").nth(1).and_then(|rest| rest.split('"').next());
            for route in source.split(".route(").skip(1) {
                let route = route
                    .split(".route(")
                    .next()
                    .unwrap()
                    .split(";\n")
                    .next()
                    .unwrap()
                    .split("}\n")
                    .next()
                    .unwrap();
                let named = route.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                if route.contains("post(") {
                    paths.push(named.or(own).unwrap().to_owned());
                }
            }
        }
    }
    paths
}

#[test]
fn every_form_is_tried() {
    let tried: Vec<String> = FORMS
        .iter()
        .chain(&MEMBERS)
        .chain(&OF_SCRIPT)
        .chain(&OF_SCRIPT_FOR_MEMBERS)
        .chain(&OF_APPLICATIONS)
        .chain(&ON_THE_WAY)
        .map(|path| (*path).to_owned())
        .collect();
    let id = |path: &str| {
        path.replace(
            "{id}",
            match path.split('/').nth(2) {
                Some("users") => "usr_00000000000000000000000000",
                Some("clients") => "shop",
                Some("registrations") => "reg_00000000000000000000000000",
                _ => "msg_00000000000000000000000000",
            },
        )
    };
    let found = forms_in_the_sources();
    assert!(found.len() > 30, "{found:?}");
    let missing: Vec<_> =
        found.iter().filter(|path| !path.starts_with("/dev/") && !tried.contains(&id(path))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

on_both_stores! {
    // B2: only our own pages can send the forms of our pages.
    async fn a_form_of_another_site_does_nothing(world: World) {
        let token = world.signs_up(ADA).await.link.unwrap().split_once("token=").unwrap().1.to_owned();
        let fields = format!("token={token}&password={PASSWORD}&new_password={PASSWORD}&email={ADA}&login={ADA}&code=0000");
        let mut browser = Browser::default();
        browser.fills(&world, "/signup", &format!("email=bob@example.org&password={PASSWORD}")).await;
        browser.get(&world, "/login").await;
        let form = format!("form_token={}&{fields}", browser.form_token);
        for path in FORMS.into_iter().chain(OF_SCRIPT) {
            for headers in [
                &[("sec-fetch-site", "cross-site")][..],
                &[("sec-fetch-site", "same-site")],
                &[("origin", "https://evil.example")],
                &[("origin", "https://accounts.example.org.evil.example")],
                &[("sec-fetch-site", "cross-site"), ("origin", "null")],
            ] {
                let answer = browser.post(&world, path, &form, headers).await;
                assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{path} {headers:?}");
            }
        }
        let login = world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(login.problem().1, "email_not_confirmed");
        for headers in [&[("origin", "https://accounts.example.org")][..], &[("origin", "null")], &[]] {
            assert_eq!(browser.post(&world, "/forgot", &form, headers).await.status, 200, "{headers:?}");
        }
        // The headers sent from our own page, whose referrer policy makes the origin `null`.
        let own = [("sec-fetch-site", "same-origin"), ("origin", "null")];
        assert_eq!(browser.post(&world, "/confirm", &form, &own).await.status, 303);
    }

    // B2: the second check. Without information about the sender, the token of the browser's own page is still
    // required.
    async fn a_form_without_the_token_of_its_browser_does_nothing(world: World) {
        world.has_account(ADA).await;
        let fields = format!("token=x&password={PASSWORD}&new_password={PASSWORD}&email={ADA}&login={ADA}&code=0000");
        let (mut eve, mut victim) = (Browser::default(), Browser::default());
        eve.get(&world, "/login").await;
        victim.fills(&world, "/signup", &format!("email=bob@example.org&password={PASSWORD}")).await;
        for path in FORMS {
            for token in ["", "x", eve.form_token.as_str()] {
                let answer = victim.post(&world, path, &format!("form_token={token}&{fields}"), &[]).await;
                // Nothing is known about the link in another site's form.
                let told = [STALE, "This link is incomplete"].iter().any(|told| answer.text.contains(told));
                assert!(answer.status == 403 && told, "{path} {token}: {}", answer.text);
                assert!(!answer.text.contains(ADA), "{path}: what another site may have typed is not shown");
            }
        }
        for path in OF_SCRIPT {
            let answer = victim.post(&world, path, &format!("form_token={}", eve.form_token), &[]).await;
            let nothing = if path.ends_with("options") { answer.problem().1 } else { answer.leads_to().to_owned() };
            assert!(["form_expired", "/login?said=over"].contains(&nothing.as_str()), "{path} {nothing}");
        }
        let form = format!("form_token={}&{fields}", eve.form_token);
        let bare = Browser::default().post(&world, "/login", &form, &[]).await;
        assert_eq!(bare.status, 403, "a token without its cookie");
        assert_eq!(world.mails("password_reset", ADA).await, 0);
    }

    // B2: the page of an account belongs to the session, not only to the browser.
    async fn the_forms_of_an_account_belong_to_its_session(world: World) {
        world.has_admin(ADA).await;
        let mut browser = Browser::default();
        browser.get(&world, "/login").await;
        let before = browser.form_token.clone();
        assert_eq!(browser.submit(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await.status, 303);
        browser.get(&world, "/account").await;
        let first = browser.form_token.clone();
        let session = browser.cookies["__Host-vestibule_session"].clone();
        browser.form_token.clone_from(&before);
        browser.cookies.remove("__Host-vestibule_session");
        browser.get(&world, "/login").await;
        browser.submit(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
        assert_ne!(browser.cookies["__Host-vestibule_session"], session);
        let query = UserQuery { order: UserOrder::Oldest, ..UserQuery::default() };
        let page = world.accounts.list_users(Actor::Operator, &query).await.unwrap();
        let own_id = page.items[0].account.id.to_string();
        world.accounts.create_application(Actor::Operator, own_application()).await.unwrap();
        for path in MEMBERS.map(|path| path.replace("usr_00000000000000000000000000", &own_id)) {
            let path = path.as_str();
            for token in ["", before.as_str(), first.as_str()] {
                let form = format!("form_token={token}&password={PASSWORD}&session=x");
                let answer = browser.post(&world, path, &form, &[]).await;
                assert!(answer.status == 403 && answer.text.contains(STALE), "{path} {token} {}", answer.status);
            }
        }
        for path in OF_SCRIPT_FOR_MEMBERS {
            for token in ["", before.as_str(), first.as_str()] {
                let answer = browser.post(&world, path, &format!("form_token={token}"), &[]).await;
                assert_eq!(answer.problem(), (403, "form_expired".to_owned()), "{path}");
            }
        }
        assert_eq!(browser.get(&world, "/account").await.status, 200);
    }

    // Other sites may link to our pages, as webmail does.
    async fn a_page_opens_from_anywhere(world: World) {
        for path in ["/confirm?token=x", "/reset?token=x", "/email/confirm?token=x", "/email/undo?token=x", "/forgot"] {
            let request = Request::get(path).header("sec-fetch-site", "cross-site");
            assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 200, "{path}");
        }
    }
}
