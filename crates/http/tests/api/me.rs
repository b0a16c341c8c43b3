use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, Answer, World};

const NO_ERROR: &str = "Bearer realm=\"vestibule\"";
const BAD_TOKEN: &str = "Bearer realm=\"vestibule\", error=\"invalid_token\"";

async fn with(world: &World, authorization: &[&str]) -> Answer {
    let mut request = Request::get("/v1/me");
    for value in authorization {
        request = request.header(header::AUTHORIZATION, *value);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

/// The token with another header or payload, and the original signature.
fn forged(token: &str, part: usize, text: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[part] = BASE64URL_NOPAD.encode(text.as_bytes());
    parts.join(".")
}

/// The token with the signature of another, under its own key id.
fn with_signature_of(token: &str, other: &str) -> String {
    let (text, _) = token.rsplit_once('.').unwrap();
    format!("{text}.{}", other.rsplit_once('.').unwrap().1)
}

on_both_stores! {
    async fn both_schemes_are_read_in_any_case(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        for scheme in ["Bearer", "bearer", "BEARER", "JWT", "jwt"] {
            let answer = with(&world, &[&format!("{scheme} {token}")]).await;
            assert_eq!((answer.status, &answer.json()["email"]), (200, &json!(ADA)), "{scheme}");
        }
    }

    // J7
    async fn no_credentials_are_asked_for_without_an_error(world: World) {
        for authorization in [&[][..], &["Basic YWRhOng="], &["Token abc"], &[""]] {
            let answer = with(&world, authorization).await;
            assert_eq!(answer.problem(), (401, "authentication_required".to_owned()), "{authorization:?}");
            assert_eq!(answer.header("www-authenticate"), NO_ERROR);
        }
        let query = world.get("/v1/me?access_token=abc").await;
        assert_eq!(query.problem().1, "authentication_required");
        assert_eq!(with(&world, &["Bearer a", "Bearer b"]).await.problem(), (400, "invalid_request".to_owned()));
    }

    async fn a_wrong_token_is_refused_with_its_error(world: World) {
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        let token = session["access_token"].as_str().unwrap();
        let elsewhere = World::on_sqlite().await;
        elsewhere.has_account(ADA).await;
        let foreign = elsewhere.access_token(ADA).await;
        let signed_by_another = with_signature_of(token, &foreign);
        let none = forged(token, 0, r#"{"typ":"at+jwt","alg":"none"}"#);
        let unsigned = none.rsplit_once('.').unwrap().0.to_owned() + ".";
        for wrong in [
            "", "x", "a.b.c", "\u{e9}",
            session["refresh_token"].as_str().unwrap(),
            &foreign,
            &none,
            &unsigned,
            &forged(token, 1, "{}"),
            &signed_by_another,
            &format!("{token}x"),
            &"a".repeat(8 * 1024 + 1),
        ] {
            let answer = with(&world, &[&format!("Bearer {wrong}")]).await;
            assert_eq!(answer.problem(), (401, "invalid_token".to_owned()), "{wrong}");
            assert_eq!(answer.header("www-authenticate"), BAD_TOKEN);
        }
        assert_eq!(world.get_as("/v1/me", token).await.status, 200);
        world.clock.advance(Duration::from_mins(11));
        let late = world.get_as("/v1/me", token).await;
        assert_eq!(late.problem(), (401, "invalid_token".to_owned()));
        assert_eq!(late.header("www-authenticate"), BAD_TOKEN);
    }
}
