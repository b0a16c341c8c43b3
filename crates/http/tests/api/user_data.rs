//! The data of users: their own, and the application's.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::on_both_stores;
use crate::world::{ADA, Answer, World};

const ROOT: &str = "root@example.org";
const TYPES: &str = "application/merge-patch+json, application/json";

/// A schema by which `theme` is a text.
#[derive(Debug)]
struct Themes;

impl vestibule::DataSchema for Themes {
    fn faults(&self, data: &serde_json::Map<String, Value>) -> Vec<vestibule::DataFault> {
        let wrong = data.get("theme").is_some_and(|theme| !theme.is_string());
        let (pointer, reason) = ("/theme".to_owned(), "the value is no text".to_owned());
        wrong.then_some(vestibule::DataFault { pointer, reason }).into_iter().collect()
    }
}

/// A body of any type.
async fn sends(world: &World, method: &str, path: &str, token: &str, kind: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn patches(world: &World, token: &str, body: &str) -> Answer {
    sends(world, "PATCH", "/v1/me/data", token, "application/merge-patch+json", body).await
}

fn too_large() -> String {
    json!({"a": "x".repeat(4096)}).to_string()
}

on_both_stores! {
    async fn people_change_their_own_data(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        assert_eq!(world.get_as("/v1/me", &token).await.json().get("data"), None);
        let body = r#"{"theme": "dark", "news": {"weekly": true, "count": 2.5}, "tags": ["a", null, -1]}"#;
        let answer = patches(&world, &token, body).await;
        let all = json!({"theme": "dark", "news": {"weekly": true, "count": 2.5}, "tags": ["a", null, -1]});
        assert_eq!((answer.status, answer.json(), answer.header("accept-patch")), (200, all.clone(), TYPES));
        assert_eq!(world.get_as("/v1/me", &token).await.json()["data"], all);
        assert_eq!(world.get_as("/v1/me/export", &token).await.json()["account"]["data"], all);
        // The plain type means the same.
        let json = "application/json; charset=utf-8";
        let answer = sends(&world, "PATCH", "/v1/me/data", &token, json, r#"{"tags": null, "news": {"count": null}}"#).await;
        assert_eq!(answer.json(), json!({"theme": "dark", "news": {"weekly": true}}));
        assert_eq!(patches(&world, &token, r#"{"theme": null, "news": null}"#).await.json(), json!({}));
        assert_eq!(world.get_as("/v1/me", &token).await.json().get("data"), None);
        assert_eq!(patches(&world, "", "{}").await.status, 401);
        assert_eq!(world.get_as("/v1/me/data", &token).await.problem(), (405, "method_not_allowed".to_owned()));
    }

    // H6, H8: what two readers could read differently is refused, and so is what is too much.
    async fn data_is_read_strictly(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        for kind in ["text/plain", "application/json-patch+json", "application/json; charset=latin1", ""] {
            let answer = sends(&world, "PATCH", "/v1/me/data", &token, kind, "{}").await;
            assert_eq!(answer.problem(), (415, "unsupported_media_type".to_owned()), "{kind}");
            assert_eq!(answer.header("accept-patch"), TYPES);
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(16), "]".repeat(16));
        for body in [r#"{"a": 1, "a": 2}"#, r#"{"a": {"b": 1, "\u0062": 2}}"#, "{", "{} x", r#"{"a": 1e999}"#, &deep] {
            assert_eq!(patches(&world, &token, body).await.problem(), (400, "malformed_json".to_owned()), "{body}");
        }
        for body in ["[]", "null", "\"a\"", "1"] {
            assert_eq!(patches(&world, &token, body).await.field_errors(), [" wrong_type"], "{body}");
        }
        assert_eq!(patches(&world, &token, &too_large()).await.field_errors(), [" data_too_large"]);
        let long = json!({"a": "x".repeat(20_000)}).to_string();
        assert_eq!(patches(&world, &token, &long).await.problem(), (413, "body_too_large".to_owned()));
        assert_eq!(world.get_as("/v1/me", &token).await.json().get("data"), None);
        // Nothing is hidden in it: the same comes back.
        let odd = json!({"": "\0", "__proto__": {"x": "</script>"}, "é\u{202e}": 9_007_199_254_740_991_i64});
        assert_eq!(patches(&world, &token, &odd.to_string()).await.json(), odd);
    }

    async fn a_schema_says_where_it_is_wrong(world: World) {
        let mut world = world;
        world.has_account(ADA).await;
        world.follows(|policy| policy.data_schema = Some(std::sync::Arc::new(Themes))).await;
        let token = world.access_token(ADA).await;
        assert_eq!(patches(&world, &token, r#"{"theme": "dark"}"#).await.status, 200);
        let refused = patches(&world, &token, r#"{"theme": 1}"#).await;
        assert_eq!(refused.field_errors(), ["/theme data_invalid"]);
        assert_eq!(refused.json()["errors"][0]["detail"], "The value is no text.");
        assert_eq!(world.get_as("/v1/me", &token).await.json()["data"], json!({"theme": "dark"}));
    }

    async fn administrators_replace_what_the_application_keeps(world: World) {
        world.has_account(ADA).await;
        world.has_admin(ROOT).await;
        let (ada, root) = (world.access_token(ADA).await, world.access_token(ROOT).await);
        let id = world.get_as("/v1/me", &ada).await.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/admin/users/{id}");
        let put = async |token: &str, body: Value| world.send_as("PUT", &format!("{path}/app-data"), token, Some(body)).await;
        let changed = put(&root, json!({"plan": "pro", "seats": 3})).await;
        assert_eq!((changed.status, changed.json()), (200, json!({"plan": "pro", "seats": 3})));
        let shown = world.get_as(&path, &root).await;
        assert_eq!((&shown.json()["app_data"], shown.header("etag")), (&changed.json(), changed.header("etag")));
        let kept = world.get_as(&format!("{path}/app-data"), &root).await;
        assert_eq!((kept.json(), kept.header("etag")), (changed.json(), changed.header("etag")));
        assert_eq!(put(&root, json!({"plan": "free"})).await.json(), json!({"plan": "free"}));
        // It is not for its user to change, and shown to nobody else but in their export.
        assert_eq!(put(&ada, json!({})).await.problem(), (403, "forbidden".to_owned()));
        assert_eq!(world.get_as(&format!("{path}/app-data"), &ada).await.problem(), (403, "forbidden".to_owned()));
        patches(&world, &ada, r#"{"plan": "gold"}"#).await;
        let me = world.get_as("/v1/me", &ada).await.json();
        assert_eq!((&me["data"], me.get("app_data")), (&json!({"plan": "gold"}), None));
        assert_eq!(world.get_as("/v1/me/export", &ada).await.json()["account"]["app_data"], json!({"plan": "free"}));
        let listed = world.get_as("/v1/admin/users", &root).await.json();
        assert!(listed["items"].as_array().unwrap().iter().all(|user| user.get("app_data").is_none()), "{listed}");
        // For the state that was seen, where one is named.
        let stale = Request::put(format!("{path}/app-data")).header("if-match", shown.header("etag"));
        let stale = stale.header(header::AUTHORIZATION, format!("Bearer {root}")).header(header::CONTENT_TYPE, "application/json");
        let stale = world.send(stale.body(Body::from("{}")).unwrap()).await;
        assert_eq!(stale.problem(), (412, "precondition_failed".to_owned()));
        assert_eq!(put(&root, json!({"a": "x".repeat(4096)})).await.field_errors(), [" data_too_large"]);
        assert_eq!(put(&root, json!([])).await.field_errors(), [" wrong_type"]);
        assert_eq!(put(&root, json!({})).await.json(), json!({}));
        let nobody = world.send_as("PUT", "/v1/admin/users/usr_00000000000000000000000000/app-data", &root, Some(json!({}))).await;
        assert_eq!(nobody.problem(), (404, "not_found".to_owned()));
    }
}
