use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World, from};

/// A sign-in with this browser, from this address.
async fn signs_in_with(world: &World, email: &str, user_agent: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD}).to_string();
    let request = Request::post("/v1/login")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, user_agent);
    let answer = world.send(from("203.0.113.9", request.body(Body::from(body)).unwrap())).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn list(world: &World, token: &str) -> Vec<Value> {
    let answer = world.get_as("/v1/me/sessions", token).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

on_both_stores! {
    async fn a_user_sees_and_ends_sessions(world: World) {
        world.has_account(ADA).await;
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let elsewhere = signs_in_with(&world, ADA, firefox).await;
        let here = signs_in_with(&world, ADA, "curl/8.14.1").await;
        let sessions = list(&world, &here).await;
        let short = |name: &str| sessions.iter().map(|session| session[name].clone()).collect::<Vec<_>>();
        assert_eq!(short("device"), ["curl", "Firefox on Linux"]);
        assert_eq!(short("current"), [true, false]);
        assert_eq!(short("ip"), ["203.0.113.9", "203.0.113.9"]);
        for name in ["id", "created_at", "last_seen_at", "expires_at"] {
            assert!(short(name).iter().all(Value::is_string), "{name}");
        }
        let path = format!("/v1/me/sessions/{}", sessions[1]["id"].as_str().unwrap());
        let answer = world.send_as("DELETE", &path, &here, None).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        assert_eq!(world.get_as("/v1/me", &elsewhere).await.problem(), (401, "invalid_token".to_owned()));
        assert_eq!(list(&world, &here).await.len(), 1);
        let again = world.send_as("DELETE", &path, &here, None).await;
        assert_eq!(again.problem(), (404, "not_found".to_owned()));
        let own = format!("/v1/me/sessions/{}", sessions[0]["id"].as_str().unwrap());
        assert_eq!(world.send_as("DELETE", &own, &here, None).await.status, 204);
        assert_eq!(world.get_as("/v1/me/sessions", &here).await.status, 401);
    }

    // ASVS 8.2.2: another user's session is not found.
    async fn nobody_ends_the_sessions_of_others(world: World) {
        world.has_account(ADA).await;
        world.has_account("eve@example.org").await;
        let (ada, eve) = (world.access_token(ADA).await, world.access_token("eve@example.org").await);
        let id = list(&world, &ada).await[0]["id"].as_str().unwrap().to_owned();
        assert!(list(&world, &eve).await.iter().all(|session| session["id"] != json!(id)));
        let unknown = format!("ses_{}", "0".repeat(26));
        let encoded = id.replacen("ses", "%73es", 1);
        for id in [&id, &unknown, "x", "%00", &id.to_uppercase(), &encoded, &id.replace("ses_", "usr_")] {
            let answer = world.send_as("DELETE", &format!("/v1/me/sessions/{id}"), &eve, None).await;
            assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{id}");
        }
        assert_eq!(world.get_as("/v1/me", &ada).await.status, 200);
        let encoded = world.send_as("DELETE", &format!("/v1/me/sessions/{encoded}"), &ada, None).await;
        assert_eq!(encoded.status, 404, "another spelling is another address");
        let nobody = world.send(Request::delete(format!("/v1/me/sessions/{id}")).body(Body::empty()).unwrap()).await;
        assert_eq!(nobody.problem(), (401, "authentication_required".to_owned()));
        assert_eq!(world.get("/v1/me/sessions").await.problem(), (401, "authentication_required".to_owned()));
    }
}
