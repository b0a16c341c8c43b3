//! What clients learn of tokens at the introspection, and how they give tokens back.

use serde_json::{Value, json};
use vestibule_http::HttpOptions;

use super::client::{API, Registered, code_with, refusal};
use super::code::claims;
use crate::on_both_stores;
use crate::world::{ADA, URL, World, basic, without_mailbox};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn introspects(world: &World, client: &Registered, token: &str) -> Value {
    let answer = world.post_form("/v1/introspect", &client.form(&format!("token={token}"))).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
    answer.json()
}

async fn revokes(world: &World, client: &Registered, token: &str) {
    let answer = world.post_form("/v1/token/revoke", &client.form(&format!("token={token}"))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
}

async fn works(world: &World, session: &Value) -> bool {
    world.get_as("/v1/userinfo", text(&session["access_token"])).await.status == 200
}

on_both_stores! {
    async fn a_client_learns_of_its_own_tokens(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let session = shop.signs_in(&world, ADA, "openid email").await;
        let of_user = claims(&session["access_token"]);
        assert_eq!(introspects(&world, &shop, text(&session["access_token"])).await, json!({
            "active": true, "token_type": "Bearer", "client_id": "shop", "scope": "email openid", "sub": of_user["sub"],
            "sid": of_user["sid"], "iss": URL, "aud": format!("{URL}/v1/userinfo"), "exp": of_user["exp"],
            "iat": of_user["iat"], "auth_time": of_user["auth_time"], "amr": ["pwd"],
        }));
        let itself = shop.asks(&world, &format!("grant_type=client_credentials&scope=stock:read&resource={API}")).await.json();
        let token = text(&itself["access_token"]);
        assert_eq!(introspects(&world, &shop, token).await, json!({
            "active": true, "token_type": "Bearer", "client_id": "shop", "scope": "stock:read", "sub": "shop", "iss": URL,
            "aud": API, "exp": 1_800_000_600, "iat": 1_800_000_000,
        }));
    }

    // RFC 7662 §4: nobody learns of tokens that do not concern them.
    async fn a_client_learns_of_tokens_for_its_resources_and_of_no_others(world: World) {
        let mut world = world;
        let introspection_clients = vec![("service".to_owned(), SECRET.into())];
        world.router_with(HttpOptions { introspection_clients, ..without_mailbox() });
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let other = Registered::with_secret(&world, "other").await;
        let own = world.signs_in(ADA).await;
        let session = shop.signs_in(&world, ADA, "openid offline_access").await;
        let code = code_with(&world, "shop", ADA, |asked| {
            asked.scope = Some("openid orders:read".to_owned());
            asked.resource = vec![API.to_owned()];
        })
        .await;
        let for_api = shop.redeems(&world, &code).await.json();
        let seen = introspects(&world, &other, text(&for_api["access_token"])).await;
        assert_eq!((&seen["active"], &seen["client_id"]), (&json!(true), &json!("shop")), "{seen}");
        assert_eq!(seen["aud"], json!([API, format!("{URL}/v1/userinfo")]));
        let inactive = json!({"active": false});
        for token in [&session["access_token"], &session["refresh_token"], &session["id_token"], &own["access_token"], &own["refresh_token"]] {
            assert_eq!(introspects(&world, &other, text(token)).await, inactive, "{token}");
        }
        for token in [&session["refresh_token"], &session["id_token"], &own["access_token"]] {
            assert_eq!(introspects(&world, &shop, text(token)).await, inactive, "{token}");
        }
        // A service of the settings would take such a token for a sign-in to this service itself.
        let service = Registered { id: "service", secret: Some(SECRET.to_owned()) };
        for token in [&session["access_token"], &for_api["access_token"]] {
            assert_eq!(introspects(&world, &service, text(token)).await, inactive, "{token}");
        }
        assert_eq!(introspects(&world, &service, text(&own["access_token"])).await["active"], true);
        world.send_as("DELETE", "/v1/me/grants/shop", text(&own["access_token"]), None).await;
        assert_eq!(introspects(&world, &shop, text(&session["access_token"])).await, inactive);
    }

    async fn a_public_client_learns_nothing(world: World) {
        world.has_account(ADA).await;
        let spa = Registered::public(&world, "spa").await;
        let session = spa.signs_in(&world, ADA, "openid").await;
        let form = format!("token={}", text(&session["access_token"]));
        for form in [spa.form(&form), format!("client_id=nobody&client_secret=x&{form}")] {
            let answer = world.post_form("/v1/introspect", &form).await;
            assert_eq!(refusal(&answer), (401, "invalid_client".to_owned()), "{form}");
            assert_eq!(answer.header("www-authenticate"), "");
        }
        let answer = world.post_form("/v1/introspect", &form).await;
        assert_eq!(refusal(&answer), (401, "invalid_client".to_owned()));
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"vestibule\", charset=\"UTF-8\"");
    }

    // RFC 7009
    async fn a_client_gives_its_tokens_back(world: World) {
        world.has_account(ADA).await;
        for client in [Registered::with_secret(&world, "shop").await, Registered::public(&world, "spa").await] {
            for kind in ["access_token", "refresh_token"] {
                let session = client.signs_in(&world, ADA, "openid offline_access").await;
                assert!(works(&world, &session).await);
                for _ in 0..2 {
                    revokes(&world, &client, text(&session[kind])).await;
                }
                assert!(!works(&world, &session).await, "{kind}");
                let refreshed = client.refreshes(&world, &session["refresh_token"]).await;
                assert_eq!(refusal(&refreshed), (400, "invalid_grant".to_owned()), "{kind}");
            }
        }
        let ended = world.accounts.list_audit(vestibule::Actor::Operator, &vestibule::AuditQuery::default()).await.unwrap();
        assert!(ended.items.iter().any(|event| event.detail.as_deref() == Some("by a token of the application shop")));
    }

    async fn nobody_ends_the_sessions_of_others(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let other = Registered::with_secret(&world, "other").await;
        let spa = Registered::public(&world, "spa").await;
        let session = shop.signs_in(&world, ADA, "openid offline_access").await;
        let own = world.signs_in(ADA).await;
        for token in [&session["access_token"], &session["refresh_token"], &own["access_token"], &own["refresh_token"]] {
            for client in [&other, &spa] {
                revokes(&world, client, text(token)).await;
            }
        }
        for token in [&own["access_token"], &own["refresh_token"], &session["id_token"]] {
            revokes(&world, &shop, text(token)).await;
        }
        for token in [&session["access_token"], &session["refresh_token"]] {
            let nobody = world.post_form("/v1/token/revoke", &format!("token={}", text(token))).await;
            assert_eq!(nobody.status, 200);
            let unproven = world.post_form("/v1/token/revoke", &format!("client_id=shop&token={}", text(token))).await;
            assert_eq!(refusal(&unproven), (401, "invalid_client".to_owned()));
        }
        assert!(works(&world, &session).await);
        assert_eq!(world.get_as("/v1/me", text(&own["access_token"])).await.status, 200);
        assert_eq!(shop.refreshes(&world, &session["refresh_token"]).await.status, 200);
        // What speaks for a client itself expires by itself.
        let itself = shop.asks(&world, "grant_type=client_credentials").await.json();
        revokes(&world, &shop, text(&itself["access_token"])).await;
        assert_eq!(introspects(&world, &shop, text(&itself["access_token"])).await["active"], true);
        let header = basic(&format!("shop:{}x", shop.secret.as_deref().unwrap()));
        let request = axum::http::Request::post("/v1/token/revoke")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", header);
        let answer = world.send(request.body("token=x".to_owned().into()).unwrap()).await;
        assert_eq!(refusal(&answer), (401, "invalid_client".to_owned()));
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
}
