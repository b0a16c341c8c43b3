use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

/// Every page with a form that needs no sign-in.
const FORMS: [&str; 11] = [
    "/signup",
    "/check-mail",
    "/confirm",
    "/confirm/resend",
    "/login",
    "/forgot",
    "/reset",
    "/email/confirm",
    "/email/undo",
    "/invitation",
    "/setup",
];
/// Those that need one.
const MEMBERS: [&str; 21] = [
    "/logout",
    "/account/profile",
    "/account/email",
    "/account/email/cancel",
    "/account/password",
    "/account/sessions/end",
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
    "/admin/registrations/reg_00000000000000000000000000/resend",
    "/admin/registrations/reg_00000000000000000000000000/confirm",
    "/admin/mail/retry",
    "/admin/mail/msg_00000000000000000000000000/retry",
    "/admin/mail/msg_00000000000000000000000000/drop",
];

on_both_stores! {
    // B2: the forms of our pages are sent by our pages.
    async fn a_form_of_another_site_does_nothing(world: World) {
        let token = world.signs_up(ADA).await.link.unwrap().split_once("token=").unwrap().1.to_owned();
        let fields = format!("token={token}&password={PASSWORD}&new_password={PASSWORD}&email={ADA}&login={ADA}&code=0000");
        let mut browser = Browser::default();
        browser.fills(&world, "/signup", &format!("email=bob@example.org&password={PASSWORD}")).await;
        browser.get(&world, "/login").await;
        let form = format!("form_token={}&{fields}", browser.form_token);
        for path in FORMS {
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
        // What browsers send from our own page, whose referrer policy makes the origin `null`.
        let own = [("sec-fetch-site", "same-origin"), ("origin", "null")];
        assert_eq!(browser.post(&world, "/confirm", &form, &own).await.status, 303);
    }

    // B2: the second wall. A browser that says nothing about the sender still has to bring the token of its own page.
    async fn a_form_without_the_token_of_its_browser_does_nothing(world: World) {
        world.has_account(ADA).await;
        let fields = format!("token=x&password={PASSWORD}&new_password={PASSWORD}&email={ADA}&login={ADA}&code=0000");
        let (mut eve, mut victim) = (Browser::default(), Browser::default());
        eve.get(&world, "/login").await;
        victim.fills(&world, "/signup", &format!("email=bob@example.org&password={PASSWORD}")).await;
        for path in FORMS {
            for token in ["", "x", eve.form_token.as_str()] {
                let answer = victim.post(&world, path, &format!("form_token={token}&{fields}"), &[]).await;
                assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{path} {token}");
            }
        }
        let form = format!("form_token={}&{fields}", eve.form_token);
        let bare = Browser::default().post(&world, "/login", &form, &[]).await;
        assert_eq!(bare.problem().0, 403, "a token without its cookie");
    }

    // B2: a page of one's own account belongs to the session, not only to the browser.
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
        for path in MEMBERS {
            for token in ["", before.as_str(), first.as_str()] {
                let form = format!("form_token={token}&password={PASSWORD}&session=x");
                let answer = browser.post(&world, path, &form, &[]).await;
                assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{path} {token}");
            }
        }
        assert_eq!(browser.get(&world, "/account").await.status, 200);
    }

    // A foreign page may open ours: that is what a mail on the web does.
    async fn a_page_opens_from_anywhere(world: World) {
        for path in ["/confirm?token=x", "/reset?token=x", "/email/confirm?token=x", "/email/undo?token=x", "/forgot"] {
            let request = Request::get(path).header("sec-fetch-site", "cross-site");
            assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 200, "{path}");
        }
    }
}
