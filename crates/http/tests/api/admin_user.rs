use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

const ROOT: &str = "root@example.org";
const ACTS: [&str; 4] = ["disable", "enable", "reset-link", "sign-out"];

/// An administrator's token, and Ada's id.
async fn root_and_ada(world: &World) -> (String, String) {
    world.has_admin(ROOT).await;
    world.has_account(ADA).await;
    let token = world.access_token(ROOT).await;
    let page = world.get_as(&format!("/v1/admin/users?q={}", ADA.replace('@', "%40")), &token).await;
    (token, page.json()["items"][0]["id"].as_str().unwrap().to_owned())
}

async fn sends(
    world: &World,
    method: &str,
    path: &str,
    token: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn patches(world: &World, id: &str, token: &str, tag: &str, body: Value) -> Answer {
    let headers = [("content-type", "application/json"), ("if-match", tag)];
    sends(world, "PATCH", &format!("/v1/admin/users/{id}"), token, &headers, &body.to_string()).await
}

fn problem(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

on_both_stores! {
    // H3: a change names the state it applies to.
    async fn a_user_is_changed_under_its_etag(world: World) {
        let (token, id) = root_and_ada(&world).await;
        let path = format!("/v1/admin/users/{id}");
        let shown = world.get_as(&path, &token).await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"));
        let tag = shown.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 24, "{tag}");
        assert_eq!(world.get_as(&path, &token).await.header("etag"), tag);
        let bare = sends(&world, "PATCH", &path, &token, &[("content-type", "application/json")], "{}").await;
        assert_eq!(bare.problem(), problem(428, "precondition_required"));
        let body = json!({"roles": ["editor", "author"], "user_name": "countess", "locale": "pt-BR"});
        let changed = patches(&world, &id, &token, &tag, body).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let user = changed.json();
        assert_eq!((&user["roles"], &user["user_name"], &user["locale"]), (&json!(["author", "editor"]), &json!("countess"), &json!("pt-BR")));
        assert_ne!(changed.header("etag"), tag);
        assert_eq!(world.get_as(&path, &token).await.header("etag"), changed.header("etag"));
        for stale in [&tag, "W/\"x\"", "\"x\"", &format!("W/{}", changed.header("etag"))] {
            let answer = patches(&world, &id, &token, stale, json!({"roles": []})).await;
            assert_eq!(answer.problem(), problem(412, "precondition_failed"), "{stale}");
        }
        let either = format!("\"x\", {}", changed.header("etag"));
        assert_eq!(patches(&world, &id, &token, &either, json!({"locale": "de"})).await.status, 200);
        assert_eq!(patches(&world, &id, &token, "*", json!({})).await.status, 200);
        for wrong in ["x", "", "\"x", "\"x\"\"y\""] {
            let answer = patches(&world, &id, &token, wrong, json!({})).await;
            assert_eq!(answer.problem(), problem(400, "invalid_request"), "{wrong}");
        }
        let twice = [("content-type", "application/json"), ("if-match", "*"), ("if-match", "*")];
        let answer = sends(&world, "PATCH", &path, &token, &twice, "{}").await;
        assert_eq!(answer.problem(), problem(400, "invalid_request"));
    }

    async fn of_two_changes_at_once_one_is_told(world: World) {
        let (token, id) = root_and_ada(&world).await;
        let tag = world.get_as(&format!("/v1/admin/users/{id}"), &token).await.header("etag").to_owned();
        let (one, two) = tokio::join!(
            patches(&world, &id, &token, &tag, json!({"roles": ["one"]})),
            patches(&world, &id, &token, &tag, json!({"roles": ["two"]})),
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }

    async fn bad_changes_are_told_by_their_fields(world: World) {
        let (token, id) = root_and_ada(&world).await;
        let seventeen: Vec<String> = (0..17).map(|i| format!("r{i}")).collect();
        for (body, expected) in [
            (json!({"roles": "admin"}), "/roles wrong_type"),
            (json!({"roles": null}), "/roles wrong_type"),
            (json!({"roles": {"0": "a"}}), "/roles wrong_type"),
            (json!({"roles": ["ok", 1]}), "/roles/1 wrong_type"),
            (json!({"roles": ["ok", ["a"]]}), "/roles/1 wrong_type"),
            (json!({"roles": ["ok", "Admin"]}), "/roles/1 role_invalid"),
            (json!({"roles": ["a b"]}), "/roles/0 role_invalid"),
            (json!({"roles": [""]}), "/roles/0 role_invalid"),
            (json!({"roles": ["x\u{0}"]}), "/roles/0 role_invalid"),
            (json!({"roles": seventeen}), "/roles roles_too_many"),
            (json!({"user_name": "x"}), "/user_name user_name_length"),
            (json!({"user_name": null}), "/user_name wrong_type"),
            (json!({"user_name": "admin"}), "/user_name user_name_reserved"),
            (json!({"locale": "?"}), "/locale locale_invalid"),
            (json!({"email": "eve@example.org"}), "/email unknown_field"),
            (json!({"disabled_at": "x"}), "/disabled_at unknown_field"),
            (json!({"password": PASSWORD}), "/password unknown_field"),
        ] {
            let answer = patches(&world, &id, &token, "*", body.clone()).await;
            assert_eq!(answer.field_errors(), [expected], "{body}");
        }
        let path = format!("/v1/admin/users/{id}");
        let json_type = [("content-type", "application/json"), ("if-match", "*")];
        for (headers, body, expected) in [
            (&json_type[..], "{", problem(400, "malformed_json")),
            (&json_type, r#"{"locale":"de","locale":"de"}"#, problem(400, "malformed_json")),
            (&json_type[1..], "{}", problem(415, "unsupported_media_type")),
        ] {
            assert_eq!(sends(&world, "PATCH", &path, &token, headers, body).await.problem(), expected, "{body}");
        }
        let named = patches(&world, &id, &token, "*", json!({"user_name": "countess"})).await;
        assert_eq!(named.status, 200);
        world.has_admin("two@example.org").await;
        let root = world.get_as("/v1/me", &token).await.json()["id"].as_str().unwrap().to_owned();
        let refused = patches(&world, &root, &token, "*", json!({"user_name": "Countess"})).await;
        assert_eq!(refused.problem(), problem(409, "user_name_taken"));
    }

    // O4: every route checks the role before it reads anything else; unknown ids are 404.
    async fn every_route_is_for_administrators(world: World) {
        let (root, id) = root_and_ada(&world).await;
        let ada = world.access_token(ADA).await;
        let mut routes: Vec<(&str, String)> = ["GET", "PATCH", "DELETE"].map(|method| (method, String::new())).to_vec();
        routes.extend(ACTS.map(|act| ("POST", format!("/{act}"))));
        let unknown = format!("usr_{}", "0".repeat(26));
        for (method, act) in &routes {
            let own = format!("/v1/admin/users/{id}{act}");
            let request = Request::builder().method(*method).uri(&own).body(Body::empty()).unwrap();
            assert_eq!(world.send(request).await.problem(), problem(401, "authentication_required"), "{method} {own}");
            for id in [id.as_str(), unknown.as_str(), "x"] {
                let path = format!("/v1/admin/users/{id}{act}");
                let answer = sends(&world, method, &path, &ada, &[], "").await;
                assert_eq!(answer.problem(), problem(403, "forbidden"), "{method} {path}");
                let challenge = "Bearer realm=\"vestibule\", error=\"insufficient_scope\", scope=\"admin\""; // J7
                assert_eq!(answer.header("www-authenticate"), challenge, "{method} {path}");
            }
            let upper = id.to_uppercase();
            let encoded = id.replacen('u', "%75", 1);
            for id in [unknown.as_str(), "usr_", "x", "%00", "..", upper.as_str(), encoded.as_str(), "ses_x"] {
                let path = format!("/v1/admin/users/{id}{act}");
                let body = if *method == "PATCH" { "{}" } else { "" };
                let headers = [("content-type", "application/json"), ("if-match", "*")];
                let answer = sends(&world, method, &path, &root, &headers, body).await;
                assert_eq!(answer.problem(), problem(404, "not_found"), "{method} {path}");
            }
        }
        let invited = sends(&world, "POST", "/v1/admin/users", &ada, &[], "{").await;
        assert_eq!(invited.problem(), problem(403, "forbidden"));
        assert_eq!(world.post("/v1/admin/users", json!({})).await.problem(), problem(401, "authentication_required"));
    }

    // J5: with the same token.
    async fn a_demoted_administrator_is_refused_at_once(world: World) {
        let (token, _) = root_and_ada(&world).await;
        world.has_admin("two@example.org").await;
        let second = world.access_token("two@example.org").await;
        let id = world.get_as("/v1/me", &second).await.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(world.get_as("/v1/admin/users", &second).await.status, 200);
        let demoted = patches(&world, &id, &token, "*", json!({"roles": ["editor"]})).await;
        assert_eq!(demoted.status, 200);
        assert_eq!(world.get_as("/v1/admin/users", &second).await.problem(), problem(403, "forbidden"));
        assert_eq!(world.get_as("/v1/me", &second).await.json()["roles"], json!(["editor"]));
        // The last one stays.
        let root = world.get_as("/v1/me", &token).await.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/admin/users/{root}");
        assert_eq!(patches(&world, &root, &token, "*", json!({"roles": []})).await.problem(), problem(409, "last_admin"));
        assert_eq!(world.post_as(&format!("{path}/disable"), &token).await.problem(), problem(409, "last_admin"));
        assert_eq!(world.send_as("DELETE", &path, &token, None).await.problem(), problem(409, "last_admin"));
    }

    // O4, P7, R6
    async fn administrators_disable_help_and_sign_out(world: World) {
        let (token, id) = root_and_ada(&world).await;
        let path = |act: &str| format!("/v1/admin/users/{id}/{act}");
        let ada = world.access_token(ADA).await;
        let reason = Some(json!({"reason": "lost phone"}));
        assert_eq!(world.send_as("POST", &path("sign-out"), &token, reason.clone()).await.status, 204);
        assert_eq!(world.get_as("/v1/me", &ada).await.problem(), problem(401, "invalid_token"));
        let sent = world.send_as("POST", &path("reset-link"), &token, reason.clone()).await;
        assert_eq!((sent.status, sent.json()), (202, json!({"status": "accepted"})));
        let link = world.mailed_token("password_reset", ADA).await;
        assert!(!sent.text.contains(&link));
        let reset = json!({"token": link, "new_password": "copper-lamp-river-77"});
        assert_eq!(world.post("/v1/password/reset", reset).await.status, 204);
        let tag = world.get_as(&format!("/v1/admin/users/{id}"), &token).await.header("etag").to_owned();
        let disabled = world.send_as("POST", &path("disable"), &token, reason).await;
        assert!(disabled.status == 200 && disabled.json()["disabled_at"].is_string(), "{}", disabled.text);
        assert_ne!(disabled.header("etag"), tag);
        assert_eq!(world.post_as(&path("disable"), &token).await.header("etag"), disabled.header("etag"));
        assert_eq!(world.post_as(&path("reset-link"), &token).await.problem(), problem(409, "user_disabled"));
        let enabled = world.post_as(&path("enable"), &token).await;
        assert_eq!((enabled.status, enabled.header("etag")), (200, tag.as_str()));
        let trail = world.get_as(&format!("/v1/admin/audit?user_id={id}"), &token).await.json();
        let disabled = trail["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "disabled");
        let details: Vec<_> = disabled.map(|item| item["detail"].clone()).collect();
        assert_eq!(details, [Value::Null, json!("reason: lost phone")]);
    }

    async fn a_bad_reason_is_told(world: World) {
        let (token, id) = root_and_ada(&world).await;
        for act in ACTS {
            let path = format!("/v1/admin/users/{id}/{act}");
            for (body, expected) in [
                (json!({"reason": "x".repeat(201)}), "/reason text_too_long"),
                (json!({"reason": "a\nb"}), "/reason text_invalid"),
                (json!({"reason": 1}), "/reason wrong_type"),
                (json!({"because": "x"}), "/because unknown_field"),
            ] {
                let answer = world.send_as("POST", &path, &token, Some(body.clone())).await;
                assert_eq!(answer.field_errors(), [expected], "{act} {body}");
            }
            let text = sends(&world, "POST", &path, &token, &[("content-type", "text/plain")], "x").await;
            assert_eq!(text.problem(), problem(415, "unsupported_media_type"));
            let list = sends(&world, "POST", &path, &token, &[("content-type", "application/json")], "[]").await;
            assert_eq!(list.field_errors(), [" wrong_type"]);
        }
    }

    // O4: a refreshed token is as old as its sign-in.
    async fn roles_and_deletion_need_a_fresh_sign_in(world: World) {
        let (_, id) = root_and_ada(&world).await;
        let refresh = world.signs_in(ROOT).await["refresh_token"].as_str().unwrap().to_owned();
        world.clock.advance(std::time::Duration::from_mins(15));
        let form = format!("grant_type=refresh_token&refresh_token={refresh}");
        let token = world.post_form("/v1/token", &form).await.json()["access_token"].as_str().unwrap().to_owned();
        let path = format!("/v1/admin/users/{id}");
        let stale = problem(401, "reauthentication_required");
        assert_eq!(patches(&world, &id, &token, "*", json!({"roles": ["editor"]})).await.problem(), stale);
        assert_eq!(sends(&world, "DELETE", &path, &token, &[], "").await.problem(), stale);
        let invitation = json!({"email": "eve@example.org", "roles": ["editor"]}).to_string();
        let headers = [("content-type", "application/json")];
        assert_eq!(sends(&world, "POST", "/v1/admin/users", &token, &headers, &invitation).await.problem(), stale);
        assert_eq!(patches(&world, &id, &token, "*", json!({"locale": "de"})).await.status, 200);
        let token = world.access_token(ROOT).await;
        assert_eq!(patches(&world, &id, &token, "*", json!({"roles": ["editor"]})).await.status, 200);
        assert_eq!(sends(&world, "DELETE", &path, &token, &[], "").await.status, 204);
    }

    async fn a_user_is_deleted_under_its_etag_if_one_is_sent(world: World) {
        let (token, id) = root_and_ada(&world).await;
        let path = format!("/v1/admin/users/{id}");
        let tag = world.get_as(&path, &token).await.header("etag").to_owned();
        assert_eq!(patches(&world, &id, &token, &tag, json!({"locale": "de"})).await.status, 200);
        let stale = sends(&world, "DELETE", &path, &token, &[("if-match", &tag)], "").await;
        assert_eq!(stale.problem(), problem(412, "precondition_failed"));
        assert_eq!(sends(&world, "DELETE", &path, &token, &[], "").await.status, 204);
        assert_eq!(sends(&world, "DELETE", &path, &token, &[], "").await.problem(), problem(404, "not_found"));
        let login = world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(login.problem(), problem(401, "invalid_credentials"));
    }
}
