use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

on_both_stores! {
    async fn only_the_right_pair_signs_in(world: World) {
        world.has_account(ADA).await;
        let wrong = "another-long-word-9";
        let mut seen = Vec::new();
        for (email, password) in [(ADA, wrong), ("nobody@example.org", PASSWORD), (ADA, "\u{0}"), (ADA, "")] {
            let answer = world.post("/v1/login", json!({"email": email, "password": password})).await;
            assert_eq!(answer.problem(), (401, "invalid_credentials".to_owned()));
            let mut body = answer.json();
            body["request_id"] = json!(null);
            seen.push((body, answer.header("www-authenticate").to_owned()));
        }
        // L1: unknown users and wrong passwords look alike.
        assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
        let typed = world.post("/v1/login", json!({"email": "ADA@EXAMPLE.ORG", "password": PASSWORD})).await;
        assert_eq!(typed.status, 200);
        assert_eq!(typed.header("cache-control"), "no-store");
    }

    async fn an_unconfirmed_address_is_told_only_with_the_password(world: World) {
        world.signs_up(ADA).await;
        let right = world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(right.problem(), (403, "email_not_confirmed".to_owned()));
        let wrong = world.post("/v1/login", json!({"email": ADA, "password": "another-long-word-9"})).await;
        assert_eq!(wrong.problem(), (401, "invalid_credentials".to_owned()));
    }

    async fn a_login_has_one_name(world: World) {
        for (body, expected) in [
            (json!({}), "/email required, /password required"),
            (json!({"email": ADA, "user_name": "ada", "password": "x"}), "/user_name exclusive"),
            (json!({"email": "ada", "password": "x"}), "/email email_invalid"),
            (json!({"email": "a\u{0}da@example.org", "password": "x"}), "/email email_invalid"),
            (json!({"user_name": "a\u{0}da", "password": "x"}), "/user_name user_name_invalid"),
            (json!({"email": ADA, "password": 12_345_678}), "/password wrong_type"),
            (json!({"email": ADA, "password": "x", "remember": true}), "/remember unknown_field"),
        ] {
            let answer = world.post("/v1/login", body.clone()).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{body}");
        }
    }

    async fn a_sign_out_ends_the_session(world: World) {
        world.has_account(ADA).await;
        let (one, two, three) =
            (world.access_token(ADA).await, world.access_token(ADA).await, world.access_token(ADA).await);
        let bad = world.post_as("/v1/logout?all=yes", &one).await;
        assert_eq!(bad.field_errors(), ["/all boolean_invalid"]);
        let twice = world.post_as("/v1/logout?all=true&all=false", &one).await;
        assert_eq!(twice.problem(), (400, "invalid_request".to_owned()));
        let answer = world.post_as("/v1/logout", &one).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        assert_eq!(world.get_as("/v1/me", &one).await.problem(), (401, "invalid_token".to_owned()));
        assert_eq!(world.get_as("/v1/me", &two).await.status, 200);
        assert_eq!(world.post_as("/v1/logout?all=true", &two).await.status, 204);
        assert_eq!(world.get_as("/v1/me", &three).await.status, 401);
        assert_eq!(world.post("/v1/logout", json!({})).await.problem().1, "authentication_required");
    }
}
