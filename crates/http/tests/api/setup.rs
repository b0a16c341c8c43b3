use serde_json::json;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

async fn key(world: &World) -> String {
    let link = world.accounts.setup_link().await.unwrap().unwrap().link;
    link.expose().split_once("/setup#k=").unwrap().1.to_owned()
}

on_both_stores! {
    // O3
    async fn the_key_makes_the_first_administrator_once(world: World) {
        let key = key(&world).await;
        for wrong in ["", "x", &"A".repeat(43), "\u{0}"] {
            let body = json!({"token": wrong, "email": ADA, "password": PASSWORD});
            assert_eq!(world.post("/v1/setup", body).await.problem(), (410, "link_expired".to_owned()));
        }
        let body = json!({"token": key, "email": ADA, "password": PASSWORD, "user_name": "countess"});
        let made = world.post("/v1/setup", body.clone()).await;
        assert_eq!((made.status, &made.json()["roles"]), (200, &json!(["admin"])), "{}", made.text);
        assert_eq!(world.get_as("/v1/admin/users", &world.access_token(ADA).await).await.status, 200);
        let other = json!({"token": key, "email": "eve@example.org", "password": PASSWORD});
        for body in [body, other] {
            assert_eq!(world.post("/v1/setup", body).await.problem(), (410, "link_used".to_owned()));
        }
    }

    async fn bad_fields_are_told(world: World) {
        let key = key(&world).await;
        for (body, expected) in [
            (json!({"email": ADA, "password": PASSWORD}), "/token required"),
            (json!({"token": key, "password": PASSWORD}), "/email required"),
            (json!({"token": key, "email": ADA}), "/password required"),
            (json!({"token": key, "email": "ada", "password": PASSWORD}), "/email email_invalid"),
            (json!({"token": key, "email": ADA, "password": "ada@example.org"}), "/password password_contextual"),
            (json!({"token": key, "email": ADA, "password": PASSWORD, "user_name": "x"}), "/user_name user_name_length"),
            (json!({"token": key, "email": ADA, "password": PASSWORD, "roles": []}), "/roles unknown_field"),
        ] {
            assert_eq!(world.post("/v1/setup", body.clone()).await.field_errors(), [expected], "{body}");
        }
        world.has_account(ADA).await;
        let refused = world.post("/v1/setup", json!({"token": key, "email": ADA, "password": PASSWORD})).await;
        assert_eq!(refused.problem(), (409, "email_taken".to_owned()));
    }

    async fn the_page_works_with_a_key_that_was_pasted(world: World) {
        let key = key(&world).await;
        let mut browser = Browser::default();
        let bare = browser.get(&world, "/setup").await;
        assert!(bare.status == 200 && bare.text.contains("name=\"token\" type=\"text\" value=\"\""), "{}", bare.text);
        for (form, words) in [
            (format!("token={key}&email=root&password={PASSWORD}"), "That’s not an email address"),
            (format!("token=&email={ADA}&password={PASSWORD}"), "id=\"token-mistake\""),
            (format!("token={key}&email={ADA}&password={ADA}"), "That’s a name"),
        ] {
            let page = browser.submit(&world, "/setup", &form).await;
            assert!(page.status == 422 && page.text.contains(words), "{}", page.text);
        }
        let escaped = browser.submit(&world, "/setup", "token=%22%3E%3Cscript%3E&email=%22%3E%3Cscript%3E").await;
        assert!(escaped.status == 422 && !escaped.text.contains("<script>"), "{}", escaped.text);
        let form = format!("token={key}+&email=root%40example.org&password={PASSWORD}&user_name=");
        assert_eq!(browser.submit(&world, "/setup", &form).await.leads_to(), "/admin");
        let account = browser.get(&world, "/account").await;
        assert!(account.status == 200 && account.text.contains("root@example.org"), "signed in: {}", account.text);
        let mut other = Browser::default();
        let again = other.fills(&world, "/setup", &form).await;
        assert!(again.status == 410 && again.text.contains("setup-link"), "{}", again.text);
    }
}
