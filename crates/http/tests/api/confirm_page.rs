use axum::http::Request;
use serde_json::json;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

on_both_stores! {
    // S8: opening the page, however often, changes nothing.
    async fn the_page_confirms_by_its_button(world: World) {
        let link = world.signs_up(ADA).await.link.unwrap();
        let path = link.strip_prefix("https://accounts.example.org").unwrap();
        let mut browser = Browser::default();
        for _ in 0..2 {
            let page = browser.get(&world, path).await;
            assert_eq!(page.status, 200);
            assert!(page.text.contains("<form method=\"post\" action=\"/confirm\" novalidate"), "{}", page.text);
            assert!(page.text.contains("Activate my account") && !page.text.contains("<script>"));
        }
        let token = path.split_once("token=").unwrap().1;
        let wrong = browser.submit(&world, "/confirm", &format!("token={token}&password=not-the-password")).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text.contains("That email or password isn’t right") && wrong.text.contains(token));
        assert_eq!(wrong.header("www-authenticate"), "");
        let none = browser.submit(&world, "/confirm", &format!("token={token}")).await;
        assert_eq!(none.status, 422, "a browser that did not sign up gives the password");
        let answer = browser.submit(&world, "/confirm", &format!("token={token}&password={PASSWORD}")).await;
        assert_eq!(answer.leads_to(), "/account?said=active");
        assert!(browser.get(&world, "/account").await.text.contains(ADA), "who gave the password is signed in");
        world.signs_in(ADA).await;
        let again = browser.get(&world, path).await;
        assert!(again.text.contains("already active") && !again.text.contains("<form"), "{}", again.text);
        let mut other = Browser::default();
        other.get(&world, "/login").await;
        let again = other.submit(&world, "/confirm", &format!("token={token}&password={PASSWORD}")).await;
        assert!(again.status == 410 && !other.cookies.contains_key("__Host-vestibule_session"));
    }

    // S4: in a crowd of sign-ups the mail lets its reader choose the password, by page or by program.
    async fn the_password_is_chosen_in_a_crowd(world: World) {
        for email in [ADA, "eve@example.org"] {
            for n in 0..4 {
                let body = json!({"email": email, "password": format!("a-strangers-password-{n}")});
                assert_eq!(world.post("/v1/signup", body).await.status, 202);
            }
        }
        let token = world.mailed_token("choose_password", ADA).await;
        let mut browser = Browser::default();
        let page = browser.get(&world, &format!("/confirm?token={token}")).await;
        assert!(page.text.contains("Choose a password, and") && page.text.contains("autocomplete=\"new-password\""), "{}", page.text);
        let weak = browser.submit(&world, "/confirm", &format!("token={token}&password=password1")).await;
        assert!(weak.status == 422 && weak.text.contains("This password is too common"), "{}", weak.text);
        let chosen = browser.submit(&world, "/confirm", &format!("token={token}&password={PASSWORD}")).await;
        assert_eq!(chosen.leads_to(), "/account?said=active");
        world.signs_in(ADA).await;
        let token = world.mailed_token("choose_password", "eve@example.org").await;
        let weak = world.post("/v1/confirm", json!({"token": token, "password": "password1"})).await;
        assert_eq!(weak.field_errors(), ["/password password_too_common"]);
        let chosen = world.post("/v1/confirm", json!({"token": token, "password": PASSWORD})).await;
        assert_eq!((chosen.status, &chosen.json()["email"]), (200, &json!("eve@example.org")));
    }

    // S8: merely looking, in whatever way, changes nothing and signs nobody in.
    async fn looking_at_a_link_confirms_nothing(world: World) {
        let link = world.signs_up(ADA).await.link.unwrap();
        let path = link.strip_prefix("https://accounts.example.org").unwrap();
        for method in ["GET", "HEAD", "OPTIONS"] {
            let request = Request::builder().method(method).uri(path);
            let answer = Browser::default().ask(&world, request).await;
            assert!(answer.status < 300 && answer.cookie("__Host-vestibule_session").is_none(), "{method}");
        }
        let login = world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(login.problem().1, "email_not_confirmed");
    }

    async fn a_page_without_a_token_takes_it_from_the_fragment(world: World) {
        let page = world.get("/confirm?utm_source=mail").await;
        assert_eq!(page.status, 200);
        let script = page.text.split('"').rfind(|part| part.starts_with("/assets/site-"));
        let script = world.get(script.unwrap()).await;
        assert!(script.text.contains("input[name=token]"));
        assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    }

    async fn a_foreign_token_is_told_and_escaped(world: World) {
        let page = world.get("/confirm?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("is incomplete") && !page.text.contains("<script>alert"), "{}", page.text);
        let mut browser = Browser::default();
        browser.get(&world, "/confirm").await;
        let posted = browser.submit(&world, "/confirm", "token=%22%3E%3Cscript%3E&password=x").await;
        assert_eq!(posted.status, 410);
        let bare = browser.submit(&world, "/confirm", "").await;
        assert_eq!(bare.status, 422);
        let twice = browser.submit(&world, "/confirm", "token=a&token=b").await;
        assert_eq!(twice.problem(), (400, "invalid_request".to_owned()));
        let json = world.post("/confirm", json!({"token": "x"})).await;
        assert_eq!(json.problem(), (415, "unsupported_media_type".to_owned()));
    }

    // B1, T6
    async fn the_page_is_locked_down(world: World) {
        let page = world.get("/confirm?token=x").await;
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
    }
}
