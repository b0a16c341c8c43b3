use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use vestibule_http::HttpOptions;

use crate::on_both_stores;
use crate::world::{ADA, Answer, URL, World, basic, without_mailbox};

const SECRET: &str = "Zq3/+h7%k";

fn options() -> HttpOptions {
    HttpOptions { introspection_clients: vec![("shop".to_owned(), SECRET.into())], ..without_mailbox() }
}

async fn asks_with(world: &World, authorization: &[&str], form: &str) -> Answer {
    let mut request =
        Request::post("/v1/introspect").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for value in authorization {
        request = request.header(header::AUTHORIZATION, *value);
    }
    world.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

async fn asks(world: &World, form: &str) -> Answer {
    asks_with(world, &[&basic(&format!("shop:{SECRET}"))], form).await
}

fn refusal(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
    (answer.status, answer.json()["error"].as_str().unwrap().to_owned())
}

on_both_stores! {
    async fn a_service_learns_whose_token_it_is(world: World) {
        let mut world = world;
        world.router_with(options());
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        let token = session["access_token"].as_str().unwrap();
        let form = format!("token={token}&token_type_hint=refresh_token");
        let answer = asks(&world, &form).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
        let claims = answer.json();
        assert_eq!(claims, json!({
            "active": true, "token_type": "Bearer", "sub": session["user"]["id"], "sid": claims["sid"], "iss": URL,
            "aud": URL, "exp": 1_800_000_600, "auth_time": 1_800_000_000, "amr": ["pwd"], "roles": [],
        }));
        let sessions = world.get_as("/v1/me/sessions", token).await.json();
        assert_eq!(claims["sid"], sessions["items"][0]["id"]);
        world.post_as("/v1/logout", token).await;
        assert_eq!(asks(&world, &form).await.json(), json!({"active": false}));
    }

    async fn what_is_no_access_token_is_not_active(world: World) {
        let mut world = world;
        world.router_with(options());
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        let refresh = session["refresh_token"].as_str().unwrap();
        for token in ["", "x", "a.b.c", "%00", "%ef%bf%bd", refresh] {
            let answer = asks(&world, &format!("token={token}")).await;
            assert_eq!((answer.status, answer.json()), (200, json!({"active": false})), "{token}");
        }
        for form in ["", "access_token=x", "token=a&token=b", "token=%ff"] {
            assert_eq!(refusal(&asks(&world, form).await), (400, "invalid_request".to_owned()), "{form}");
        }
    }

    // RFC 7662 §2.1: otherwise anyone could try tokens.
    async fn only_known_services_are_answered(world: World) {
        let mut world = world;
        world.router_with(options());
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let form = format!("token={token}");
        let encoded = basic("shop:Zq3%2F%2Bh7%25k");
        assert_eq!(asks_with(&world, &[&encoded], &form).await.status, 200, "as RFC 6749 §2.3.1 writes it");
        let bearer = format!("Bearer {token}");
        let wrong = [basic("shop:wrong"), basic("other:x"), basic("shop:"), basic(":"), "Basic ***".to_owned(), bearer];
        for authorization in wrong.iter().map(|value| vec![value.as_str()]).chain([vec![]]) {
            let answer = asks_with(&world, &authorization, &form).await;
            assert_eq!(refusal(&answer), (401, "invalid_client".to_owned()), "{authorization:?}");
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"vestibule\", charset=\"UTF-8\"");
        }
        let right = basic(&format!("shop:{SECRET}"));
        let twice = asks_with(&world, &[&right, &right], &form).await;
        assert_eq!(refusal(&twice), (400, "invalid_request".to_owned()));
        world.router_with(without_mailbox());
        for authorization in [right.as_str(), &basic(":"), &basic("ada@example.org:violet-otter-maps-42")] {
            let nobody = asks_with(&world, &[authorization], &form).await;
            assert_eq!(refusal(&nobody), (401, "invalid_client".to_owned()), "no services, no answers");
        }
    }
}
