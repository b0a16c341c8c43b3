use serde_json::json;

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
        let bare = world.get("/setup").await;
        assert!(bare.status == 200 && bare.text.contains("name=\"token\" value=\"\""), "{}", bare.text);
        assert_eq!(world.get("/assets/setup.js").await.status, 200);
        assert!(world.get(&format!("/setup?k={key}")).await.text.contains(&key));
        let escaped = world.get("/setup?k=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert!(!escaped.text.contains("<script>"), "{}", escaped.text);
        let wrong = world.post_form("/setup", &format!("token={key}&email=root&password={PASSWORD}")).await;
        assert!(wrong.status == 422 && wrong.text.contains("Not an e-mail address"), "{}", wrong.text);
        let form = format!("token={key}+&email=root%40example.org&password={PASSWORD}&user_name=");
        let done = world.post_form("/setup", &form).await;
        assert!(done.status == 200 && done.text.contains("The administrator is made"), "{}", done.text);
        let again = world.post_form("/setup", &form).await;
        assert!(again.status == 410 && again.text.contains("setup-link"), "{}", again.text);
    }
}
