use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

on_both_stores! {
    async fn a_user_changes_name_and_language(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let patch = async |body| world.send_as("PATCH", "/v1/me", &token, Some(body)).await;
        let answer = patch(json!({"user_name": "countess", "locale": "pt-BR"})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!((&answer.json()["user_name"], &answer.json()["locale"]), (&json!("countess"), &json!("pt-BR")));
        let answer = patch(json!({"locale": "en"})).await.json();
        assert_eq!((&answer["user_name"], &answer["locale"]), (&json!("countess"), &json!("en")));
        let nothing = patch(json!({})).await;
        assert_eq!((nothing.status, nothing.json()), (200, answer.clone()));
        assert_eq!(world.get_as("/v1/me", &token).await.json(), answer);
    }

    async fn a_profile_takes_no_other_user_s_name_and_no_other_field(world: World) {
        world.has_account(ADA).await;
        world.has_account("bob@example.org").await;
        let (ada, bob) = (world.access_token(ADA).await, world.access_token("bob@example.org").await);
        assert_eq!(world.send_as("PATCH", "/v1/me", &bob, Some(json!({"user_name": "bob"}))).await.status, 200);
        let taken = world.send_as("PATCH", "/v1/me", &ada, Some(json!({"user_name": "BoB"}))).await;
        assert_eq!(taken.problem(), (409, "user_name_taken".to_owned()));
        for (body, expected) in [
            (json!({"user_name": "a"}), "/user_name user_name_length"),
            (json!({"user_name": null}), "/user_name wrong_type"),
            (json!({"user_name": "Admin", "locale": "en_US"}), "/locale locale_invalid, /user_name user_name_reserved"),
            (json!({"roles": ["admin"]}), "/roles unknown_field"),
            (json!({"email": "x@example.org", "id": "x"}), "/email unknown_field, /id unknown_field"),
        ] {
            let answer = world.send_as("PATCH", "/v1/me", &ada, Some(body.clone())).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{body}");
        }
    }

    async fn a_display_name_is_set_and_removed(world: World) {
        let wish = json!({"email": ADA, "password": PASSWORD, "display_name": " Ada, Countess of Lovelace "});
        assert_eq!(world.post("/v1/signup", wish).await.status, 202);
        let code = world.newest_mail(ADA).await.code.unwrap();
        let account = world.sends_code(ADA, PASSWORD, &code).await.json();
        assert_eq!(account["display_name"], "Ada, Countess of Lovelace", "{account}");
        let token = world.access_token(ADA).await;
        let patch = async |name: &str| world.send_as("PATCH", "/v1/me", &token, Some(json!({"display_name": name}))).await;
        assert_eq!(patch("李 Ada").await.json()["display_name"], "李 Ada");
        let answer = world.send_as("PATCH", "/v1/me", &token, Some(json!({"locale": "de"}))).await;
        assert_eq!(answer.json()["display_name"], "李 Ada");
        for refused in [" ", "a\nb", "a\u{202e}b", &"x".repeat(101)] {
            assert_eq!(patch(refused).await.field_errors(), ["/display_name display_name_invalid"], "{refused:?}");
        }
        assert_eq!(patch("").await.json().get("display_name"), None);
        assert_eq!(world.get_as("/v1/me", &token).await.json().get("display_name"), None);
        let refused = json!({"email": "bob@example.org", "password": PASSWORD, "display_name": ""});
        assert_eq!(world.post("/v1/signup", refused).await.field_errors(), ["/display_name display_name_invalid"]);
    }

    // X4
    async fn a_deleted_account_is_gone_with_its_tokens(world: World) {
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        let token = session["access_token"].as_str().unwrap();
        let delete = async |body| world.send_as("DELETE", "/v1/me", token, body).await;
        let wrong = delete(Some(json!({"password": "another-long-word-9"}))).await;
        assert_eq!(wrong.field_errors(), ["/password password_wrong"]);
        assert_eq!(delete(Some(json!({}))).await.field_errors(), ["/password required"]);
        assert_eq!(delete(None).await.problem(), (415, "unsupported_media_type".to_owned()));
        let gone = delete(Some(json!({"password": PASSWORD}))).await;
        assert_eq!((gone.status, gone.text.as_str()), (204, ""));
        assert_eq!(world.get_as("/v1/me", token).await.problem(), (401, "invalid_token".to_owned()));
        let login = world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(login.problem(), (401, "invalid_credentials".to_owned()));
        world.has_account(ADA).await;
        assert_ne!(world.signs_in(ADA).await["user"]["id"], session["user"]["id"]);
        assert_eq!(world.get_as("/v1/me", token).await.status, 401);
    }

    async fn the_last_administrator_stays(world: World) {
        world.has_admin("root@example.org").await;
        let token = world.access_token("root@example.org").await;
        let answer = world.send_as("DELETE", "/v1/me", &token, Some(json!({"password": PASSWORD}))).await;
        assert_eq!(answer.problem(), (409, "last_admin".to_owned()));
    }

    async fn an_export_has_everything_and_no_secret(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let answer = world.get_as("/v1/me/export", &token).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
        let held = answer.json();
        assert_eq!(held["account"], world.get_as("/v1/me", &token).await.json());
        assert_eq!((held["sessions"].as_array().unwrap().len(), &held["sessions"][0]["current"]), (1, &json!(true)));
        assert_eq!(held["mails"][0]["kind"], "confirm");
        assert!(held["mails"][0]["sent_at"].is_string());
        assert_eq!(held["webhooks"], json!([]));
        assert!(!answer.text.contains("argon2") && !answer.text.contains("token"), "{}", answer.text);
        assert_eq!(world.get("/v1/me/export").await.problem(), (401, "authentication_required".to_owned()));
    }
}
