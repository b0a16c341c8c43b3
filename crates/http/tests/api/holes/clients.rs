//! What belongs to a client opens nothing of this service's own (holes B14, B9), and a client gets no token for what it is
//! not registered for (hole B17).

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use super::methods::{described, filled};
use super::{brings_no_session, state, text, with_cookie};
use crate::oauth::client::{API, Registered, application, code, refusal};
use crate::on_both_stores;
use crate::world::{ADA, Answer, World};

const ROOT: &str = "root@example.org";

/// Everything of a client that could be taken for a token: its name, whether it is a token that opens something, and the
/// value. The user is an administrator.
async fn of_client(world: &World, client: &Registered) -> Vec<(&'static str, bool, String)> {
    let scope = "openid profile email offline_access orders:read";
    let session = client.signs_in(world, ROOT, scope).await;
    let itself = client.asks(world, "grant_type=client_credentials").await.json();
    vec![
        ("access token", true, text(&session["access_token"])),
        ("token of the client itself", true, text(&itself["access_token"])),
        ("ID token", false, text(&session["id_token"])),
        ("refresh token", false, text(&session["refresh_token"])),
        ("code", false, code(world, client.id, ROOT, scope).await),
        ("secret", false, client.secret.clone().unwrap()),
        ("name", false, client.id.to_owned()),
    ]
}

async fn asks(world: &World, method: &str, path: &str, scheme: &str, value: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("{scheme} {value}"));
    world.send(request.body(Body::from("{}")).unwrap()).await
}

on_both_stores! {
    async fn hole_b14_what_a_client_has_opens_nothing_of_the_account(world: World) {
        world.has_admin(ROOT).await;
        world.has_account(ADA).await;
        let root = world.access_token(ROOT).await;
        let client = Registered::with_secret(&world, "shop").await;
        let all = of_client(&world, &client).await;
        let ada = crate::admin_users_page::id_of(&world, ADA).await;
        let before = state(&world, &root).await;
        let is_bearer = |operation: &serde_json::Value| operation["security"].to_string().contains("\"bearer\"");
        let routes: Vec<_> = described().into_iter().filter(|(_, _, operation)| is_bearer(operation)).collect();
        assert!(routes.len() > 40, "{}", routes.len());
        for (path, method, _) in routes.iter().filter(|(path, ..)| path != "/v1/userinfo") {
            let path = filled(path, &ada);
            for (name, opens, value) in &all {
                for scheme in ["Bearer", "JWT"] {
                    let answer = asks(&world, &method.to_uppercase(), &path, scheme, value).await;
                    let (status, code) = if *opens { (403, "insufficient_scope") } else { (401, "invalid_token") };
                    assert_eq!(answer.problem(), (status, code.to_owned()), "{name}: {method} {path}");
                    // Where a token of a client may open something, its scope is named.
                    let is_named = *opens && path.ends_with("/app-data");
                    let scope = if is_named { ", scope=\"users:app-data\"" } else { "" };
                    let challenge = format!("Bearer realm=\"vestibule\", error=\"{code}\"{scope}");
                    assert_eq!(answer.header("www-authenticate"), challenge, "{name}: {method} {path}");
                    brings_no_session(&answer, name);
                }
            }
        }
        // A proxy that asks who it is gets no identity, and a cookie of it is none.
        for (name, _, value) in &all {
            let answer = asks(&world, "GET", "/v1/auth/verify", "Bearer", value).await;
            assert!(answer.headers.keys().all(|header| !header.as_str().starts_with("x-auth-")), "{name}");
            assert_eq!(with_cookie(&world, "vestibule_session", value).await.status, 401, "{name}");
            for form in [
                format!("grant_type=refresh_token&refresh_token={value}"),
                format!("grant_type=urn:vestibule:second-factor&challenge={value}&code=000000"),
                format!("grant_type=password&username={ADA}&password={value}"),
            ] {
                let answer = world.post_form("/v1/token", &form).await;
                assert_eq!(refusal(&answer), (400, "invalid_grant".to_owned()), "{name}: {form}");
            }
        }
        assert_eq!(state(&world, &root).await, before);
        assert_eq!(world.get_as("/v1/userinfo", &all[0].2).await.status, 200);
    }

    // What keeps data about users opens that, and nothing else.
    async fn hole_b14_a_client_that_keeps_data_opens_nothing_else(world: World) {
        world.has_admin(ROOT).await;
        world.has_account(ADA).await;
        let root = world.access_token(ROOT).await;
        let ada = crate::admin_users_page::id_of(&world, ADA).await;
        let mut keeper = application("keeper", vestibule::ApplicationKind::Confidential);
        keeper.machine_scopes = "users:app-data".parse().unwrap();
        let secret = world.accounts.create_application(vestibule::Actor::Operator, keeper.clone()).await.unwrap();
        let client = Registered { id: "keeper", secret: secret.map(|secret| secret.expose().to_owned()) };
        let made = client.asks(&world, "grant_type=client_credentials&scope=users:app-data").await.json();
        let token = text(&made["access_token"]);
        let before = state(&world, &root).await;
        let (mut opened, mut shut) = (Vec::new(), 0);
        for (path, method, operation) in described() {
            let wants_token = operation["security"].to_string().contains("bearer") || path == "/v1/userinfo";
            if !wants_token {
                continue;
            }
            let answer = asks(&world, &method.to_uppercase(), &filled(&path, &ada), "Bearer", &token).await;
            if path.ends_with("/app-data") {
                assert_eq!((answer.status, answer.json()), (200, json!({})), "{method}");
                opened.push(method);
            } else {
                assert_eq!(answer.problem(), (403, "insufficient_scope".to_owned()), "{method} {path}");
                shut += 1;
            }
        }
        opened.sort();
        assert!(opened == ["GET", "PUT"] && shut > 40, "{opened:?} {shut}");
        assert_eq!(state(&world, &root).await, before);
        // It learns nothing of the user but what it keeps.
        let path = format!("/v1/admin/users/{ada}/app-data");
        let put = world.send_as("PUT", &path, &token, Some(json!({"plan": "pro"}))).await;
        assert_eq!((put.status, put.json()), (200, json!({"plan": "pro"})));
        let shown = world.get_as(&path, &token).await;
        assert_eq!((shown.json(), shown.header("etag")), (put.json(), put.header("etag")));
        let of_admin = world.get_as(&format!("/v1/admin/users/{ada}"), &root).await;
        assert_eq!(of_admin.json()["app_data"], json!({"plan": "pro"}));
        let audit = world.get_as("/v1/admin/audit?kind=app_data_changed", &root).await.json();
        let entry = &audit["items"][0];
        assert_eq!((&entry["actor"], &entry["detail"], &entry["user_id"]), (&json!("client"), &json!("keeper"), &json!(ada)));
        // For the state that was seen, as for administrators.
        let sends = async |tag: &str| {
            let request = Request::put(&path)
                .header("if-match", tag)
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, format!("Bearer {token}"));
            world.send(request.body(Body::from(r#"{"plan": "free"}"#)).unwrap()).await
        };
        assert_eq!(sends(shown.header("etag")).await.status, 200);
        assert_eq!(sends(shown.header("etag")).await.problem(), (412, "precondition_failed".to_owned()));
        let nobody = world.get_as("/v1/admin/users/usr_00000000000000000000000000/app-data", &token).await;
        assert_eq!(nobody.problem(), (404, "not_found".to_owned()));
        // The registration is read at each use.
        keeper.machine_scopes = "stock:read".parse().unwrap();
        world.accounts.update_application(vestibule::Actor::Operator, keeper).await.unwrap();
        assert_eq!(world.get_as(&path, &token).await.problem(), (401, "invalid_token".to_owned()));
    }

    async fn hole_b14_a_disabled_user_s_clients_get_nothing(world: World) {
        world.has_admin(ROOT).await;
        world.has_account(ADA).await;
        let root = world.access_token(ROOT).await;
        let ada = crate::admin_users_page::id_of(&world, ADA).await;
        let clients = [Registered::with_secret(&world, "shop").await, Registered::public(&world, "spa").await];
        let mut held = Vec::new();
        for client in &clients {
            let session = client.signs_in(&world, ADA, "openid offline_access").await;
            held.push((client, session, code(&world, client.id, ADA, "openid").await));
        }
        let disable = format!("/v1/admin/users/{ada}/disable");
        assert_eq!(world.post_as(&disable, &root).await.status, 200);
        for (client, session, code) in &held {
            assert_eq!(refusal(&client.redeems(&world, code).await), (400, "invalid_grant".to_owned()));
            let refreshed = client.refreshes(&world, &session["refresh_token"]).await;
            assert_eq!(refusal(&refreshed), (400, "invalid_grant".to_owned()));
            let token = text(&session["access_token"]);
            for path in ["/v1/userinfo", "/v1/me"] {
                assert_eq!(world.get_as(path, &token).await.problem(), (401, "invalid_token".to_owned()), "{path}");
            }
        }
        let asks = clients[0].form(&format!("token={}", text(&held[0].1["access_token"])));
        assert_eq!(world.post_form("/v1/introspect", &asks).await.json(), json!({"active": false}));
    }

    // What one client has is of no use to another (mix-up, hole B9).
    async fn hole_b9_a_code_is_bound_to_its_client(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let evil = Registered::with_secret(&world, "evil").await;
        let spa = Registered::public(&world, "spa").await;
        for thief in [&evil, &spa] {
            let stolen = code(&world, shop.id, ADA, "openid offline_access").await;
            assert_eq!(refusal(&thief.redeems(&world, &stolen).await), (400, "invalid_grant".to_owned()));
            assert_eq!(refusal(&shop.redeems(&world, &stolen).await), (400, "invalid_grant".to_owned()));
        }
        let session = shop.signs_in(&world, ADA, "openid offline_access").await;
        for thief in [&evil, &spa] {
            let answer = thief.refreshes(&world, &session["refresh_token"]).await;
            assert_eq!(refusal(&answer), (400, "invalid_grant".to_owned()), "{}", thief.id);
        }
        assert_eq!(shop.refreshes(&world, &session["refresh_token"]).await.status, 200);
    }

    async fn hole_b17_a_machine_gets_tokens_for_its_own_resources_only(world: World) {
        let shop = Registered::with_secret(&world, "shop").await;
        let mut bare = application("bare", vestibule::ApplicationKind::Confidential);
        bare.resources = Vec::new();
        let secret = world.accounts.create_application(vestibule::Actor::Operator, bare).await.unwrap();
        let bare = Registered { id: "bare", secret: secret.map(|secret| secret.expose().to_owned()) };
        let asked = |resource: &str| format!("grant_type=client_credentials&resource={resource}");
        for resource in [
            "https://other.example.org", "https://api.example.org/", "https://API.example.org", "https://api.example.org.evil.example",
            crate::world::URL, "https://accounts.example.org/v1/userinfo", "shop", "*", "vestibule",
        ] {
            for client in [&shop, &bare] {
                let answer = client.asks(&world, &asked(resource)).await;
                assert_eq!(refusal(&answer), (400, "invalid_target".to_owned()), "{} {resource}", client.id);
            }
        }
        let two = format!("{}&resource={}", asked(API), "https://other.example.org");
        assert_eq!(refusal(&shop.asks(&world, &two).await), (400, "invalid_request".to_owned()));
        assert_eq!(refusal(&bare.asks(&world, &asked(API)).await), (400, "invalid_target".to_owned()));
        // Nor is an audience taken from another parameter.
        let answer = shop.asks(&world, "grant_type=client_credentials&audience=https://other.example.org").await;
        let claims = answer.json()["access_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let claims = data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], json!(crate::world::URL));
    }
}
