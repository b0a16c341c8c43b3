use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

on_both_stores! {
    // S8: opening the page, however often, changes nothing.
    async fn the_page_confirms_by_its_button(world: World) {
        let link = world.signs_up(ADA).await.link.unwrap();
        let path = link.strip_prefix("https://accounts.example.org").unwrap();
        for _ in 0..2 {
            let page = world.get(path).await;
            assert_eq!(page.status, 200);
            assert!(page.text.contains("<form method=\"post\" action=\"/confirm\">"), "{}", page.text);
            assert!(page.text.contains("Activate my account") && !page.text.contains("<script>"));
        }
        let token = path.split_once("token=").unwrap().1;
        let wrong = world.post_form("/confirm", &format!("token={token}&password=not-the-password")).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text.contains("The name or the password is wrong") && wrong.text.contains(token));
        assert_eq!(wrong.header("www-authenticate"), "");
        let answer = world.post_form("/confirm", &format!("token={token}&password={PASSWORD}")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.text.contains("Your account is active"));
        world.signs_in(ADA).await;
        let again = world.get(path).await;
        assert!(again.text.contains("active already") && !again.text.contains("<form"), "{}", again.text);
        let again = world.post_form("/confirm", &format!("token={token}&password={PASSWORD}")).await;
        assert_eq!(again.status, 410);
    }

    async fn a_page_without_a_token_takes_it_from_the_fragment(world: World) {
        let page = world.get("/confirm?utm_source=mail").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("<script src=\"/assets/confirm.js\" defer>"));
        let script = world.get("/assets/confirm.js").await;
        assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    }

    async fn a_foreign_token_is_told_and_escaped(world: World) {
        let page = world.get("/confirm?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("not complete") && !page.text.contains("<script>alert"), "{}", page.text);
        let posted = world.post_form("/confirm", "token=%22%3E%3Cscript%3E&password=x").await;
        assert_eq!(posted.status, 410);
        let bare = world.post_form("/confirm", "").await;
        assert_eq!(bare.status, 422);
        let twice = world.post_form("/confirm", "token=a&token=b").await;
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
