//! A client that speaks for itself (RFC 6749 §4.4).

use serde_json::{Value, json};
use vestibule::Actor;

use super::client::{API, Registered, application, refusal};
use super::code::claims;
use crate::on_both_stores;
use crate::world::{URL, World};

const ITSELF: &str = "grant_type=client_credentials";

on_both_stores! {
    async fn a_client_gets_a_token_for_itself(world: World) {
        let shop = Registered::with_secret(&world, "shop").await;
        for (more, scope, audience) in [
            ("", "stock:read stock:write", URL), ("&scope=stock:read", "stock:read", URL),
            (&format!("&resource={API}"), "stock:read stock:write", API), ("&scope=&resource=", "stock:read stock:write", URL),
        ] {
            let answer = shop.asks(&world, &format!("{ITSELF}{more}")).await;
            assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
            let body = answer.json();
            assert_eq!(body["scope"], scope, "{more}");
            assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none(), "{body}");
            let claims = claims(&body["access_token"]);
            assert_eq!((&claims["sub"], &claims["client_id"], &claims["aud"]), (&json!("shop"), &json!("shop"), &json!(audience)));
            assert_eq!((&claims["sid"], &claims["roles"]), (&Value::Null, &Value::Null));
        }
        for more in ["&scope=openid", "&scope=stock:read+orders:read", "&scope=admin", "&scope=%22", "&scope=stock:read++stock:write"] {
            let answer = shop.asks(&world, &format!("{ITSELF}{more}")).await;
            assert_eq!(refusal(&answer), (400, "invalid_scope".to_owned()), "{more}");
        }
    }

    // What a client may do for itself is read whenever its token is used.
    async fn a_token_ends_with_what_the_client_may(world: World) {
        let shop = Registered::with_secret(&world, "shop").await;
        let token = shop.asks(&world, ITSELF).await.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(world.get_as("/v1/me", &token).await.problem(), (403, "insufficient_scope".to_owned()));
        let mut less = application("shop", vestibule::ApplicationKind::Confidential);
        less.machine_scopes = "stock:read".parse().unwrap();
        world.accounts.update_application(Actor::Operator, less).await.unwrap();
        assert_eq!(world.get_as("/v1/me", &token).await.problem(), (401, "invalid_token".to_owned()));
    }
}
