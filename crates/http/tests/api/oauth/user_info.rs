//! What a client may know of a user (OpenID Connect Core §5.3, RFC 6750 §3).

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::client::{Registered, application};
use crate::on_both_stores;
use crate::world::{ADA, World};
use vestibule::{Actor, Application, ApplicationKind, ClaimPaths, Expected, UserData, UserRef};

const PATH: &str = "/v1/userinfo";

fn token(session: &Value) -> &str {
    session["access_token"].as_str().unwrap()
}

on_both_stores! {
    async fn a_client_learns_what_its_scopes_name(world: World) {
        world.has_account(ADA).await;
        let own = world.signs_in(ADA).await;
        let named = json!({"user_name": "ada", "display_name": "Ada Lovelace", "locale": "fr"});
        let changed = world.send_as("PATCH", "/v1/me", token(&own), Some(named)).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let sub = &own["user"]["id"];
        let shop = Registered::with_secret(&world, "shop").await;
        for (scope, expected) in [
            ("openid", json!({"sub": sub})),
            ("openid email", json!({"sub": sub, "email": ADA, "email_verified": true})),
            ("openid profile", json!({"sub": sub, "name": "Ada Lovelace", "preferred_username": "ada", "locale": "fr"})),
            ("openid profile email", json!({"sub": sub, "name": "Ada Lovelace", "preferred_username": "ada", "locale": "fr", "email": ADA, "email_verified": true})),
        ] {
            let session = shop.signs_in(&world, ADA, scope).await;
            for method in ["GET", "POST"] {
                let answer = world.send_as(method, PATH, token(&session), None).await;
                assert_eq!((answer.status, answer.json()), (200, expected.clone()), "{method} {scope}");
                assert_eq!(answer.header("cache-control"), "no-store");
                assert_eq!(answer.header("content-type"), "application/json");
            }
        }
    }

    // OpenID Connect Core §5.1.2: beside the claims that are defined.
    async fn a_client_learns_the_claims_of_its_registration(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let claims = ClaimPaths::new([("plan", "app.plan"), ("seats", "app.seats")]).unwrap();
        let told = Application { claims, ..application("shop", ApplicationKind::Confidential) };
        world.accounts.update_application(Actor::Operator, told).await.unwrap();
        let data = UserData::new(json!({"plan": {"name": "pro"}}).as_object().unwrap().clone()).unwrap();
        world.accounts.set_app_data(Actor::Operator, &UserRef::Email(ADA.parse().unwrap()), &Expected::Any, data, None).await.unwrap();
        let session = shop.signs_in(&world, ADA, "openid").await;
        let answer = world.get_as(PATH, token(&session)).await;
        assert_eq!(answer.json(), json!({"sub": answer.json()["sub"], "plan": {"name": "pro"}}));
    }

    async fn other_tokens_tell_nothing(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let nobody = world.get(PATH).await;
        assert_eq!(nobody.problem(), (401, "authentication_required".to_owned()));
        assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"vestibule\"");
        let own = world.access_token(ADA).await;
        let session = shop.signs_in(&world, ADA, "openid email offline_access").await;
        for wrong in [own.as_str(), "x", session["id_token"].as_str().unwrap(), session["refresh_token"].as_str().unwrap()] {
            let answer = world.get_as(PATH, wrong).await;
            assert_eq!(answer.problem(), (401, "invalid_token".to_owned()), "{wrong}");
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"vestibule\", error=\"invalid_token\"");
        }
        let itself = shop.asks(&world, "grant_type=client_credentials").await.json();
        let bare = shop.signs_in(&world, ADA, "email").await;
        for session in [&itself, &bare] {
            let answer = world.get_as(PATH, token(session)).await;
            assert_eq!(answer.problem(), (403, "insufficient_scope".to_owned()), "{session}");
            let challenge = "Bearer realm=\"vestibule\", error=\"insufficient_scope\", scope=\"openid\"";
            assert_eq!(answer.header("www-authenticate"), challenge);
        }
        // RFC 6750 §2.2, §2.3: a token in the address or the body is none.
        let address = format!("{PATH}?access_token={}", token(&session));
        assert_eq!(world.get(&address).await.status, 401);
        let form = format!("access_token={}", token(&session));
        assert_eq!(world.post_form(PATH, &form).await.status, 401);
        let bearer = format!("Bearer {}", token(&session));
        let twice = Request::get(PATH).header("authorization", &bearer).header("authorization", &bearer);
        let twice = world.send(twice.body(Body::empty()).unwrap()).await;
        assert_eq!(twice.problem(), (400, "invalid_request".to_owned()));
    }

    async fn an_answer_ends_with_sign_in_and_grant(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let own = world.access_token(ADA).await;
        let session = shop.signs_in(&world, ADA, "openid").await;
        assert_eq!(world.get_as(PATH, token(&session)).await.status, 200);
        assert_eq!(world.send_as("DELETE", "/v1/me/grants/shop", &own, None).await.status, 204);
        assert_eq!(world.get_as(PATH, token(&session)).await.problem(), (401, "invalid_token".to_owned()));
        let session = shop.signs_in(&world, ADA, "openid").await;
        world.clock.advance(std::time::Duration::from_mins(11));
        assert_eq!(world.get_as(PATH, token(&session)).await.problem(), (401, "invalid_token".to_owned()));
    }
}
