//! What a developer is told beside an error in development mode, and nobody in production.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use vestibule_http::{catalogue, fix_in_development};

use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, URL, World, from, options, without_mailbox};

/// The method and the path of the request in a fix.
fn request_in(fix: &str) -> Option<(String, String)> {
    let (_, command) = fix.split_once("curl ")?;
    let method = command.strip_prefix("-X ").map_or("GET", |rest| rest.split(' ').next().unwrap());
    let url = command.split('"').nth(1).unwrap();
    let path = url.strip_prefix(URL).unwrap_or_else(|| panic!("{fix} leads elsewhere"));
    Some((method.to_owned(), path.replace("$ID", "usr_06nq8sd5c9u7d1p4v0g2k8m3e4")))
}

/// The body in a fix.
fn body_in(fix: &str) -> Value {
    let text = fix.split(" -d '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    serde_json::from_str(text).unwrap()
}

fn fix(answer: &Answer) -> String {
    answer.json()["fix"].as_str().unwrap_or_else(|| panic!("no fix in {}", answer.text)).to_owned()
}

/// Checks that the router has the route of this fix.
async fn leads_somewhere(world: &World, fix: &str) {
    let Some((method, path)) = request_in(fix) else { return };
    let request = Request::builder().method("OPTIONS").uri(&path).body(Body::empty()).unwrap();
    let answer = world.send(request).await;
    let allowed: Vec<_> = answer.header("allow").split(',').collect();
    assert!(
        answer.status == 204 && allowed.contains(&method.as_str()),
        "{fix}: {} {allowed:?}",
        answer.status
    );
}

on_both_stores! {
    async fn every_code_of_a_sender_s_mistake_has_a_fix(world: World) {
        for entry in catalogue() {
            let said = fix_in_development(entry.code, URL);
            if entry.status >= 500 {
                assert_eq!(said, None, "{:?}", entry.code);
                continue;
            }
            let said = said.unwrap_or_else(|| panic!("{:?} has no fix", entry.code));
            let concrete = request_in(&said).is_some() || said.contains(": vestibule ") || said.contains("serve --dev");
            assert!(concrete || entry.of_a_field && !said.is_empty(), "{:?}: {said}", entry.code);
            leads_somewhere(&world, &said).await;
        }
    }

    async fn a_fix_says_what_would_have_worked(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let bearer = format!("Bearer {token}");
        let bearer = ("authorization", bearer.as_str());
        let json = ("content-type", "application/json");
        for (method, path, headers, body, code, words) in [
            ("GET", "/v1/me", &[][..], "", "authentication_required", "curl -X POST \"https://accounts.example.org/v1/login\" -H 'Content-Type: application/json' -d '{\"email\":\"ada@example.org\""),
            ("POST", "/v1/confirm/code", &[json], "{\"code\":\"1234\"}", "authentication_required", "-u \"ada@example.org:$PASSWORD\""),
            ("POST", "/v1/login", &[json], "{\"email\":\"ada@example.org\",\"password\":\"hunter2-hunter2\"}", "invalid_credentials", "vestibule user create"),
            ("GET", "/v1/admin/users", &[bearer], "", "forbidden", "vestibule user update ada@example.org --add-role admin"),
            ("GET", "/v1/my", &[], "", "not_found", "curl \"https://accounts.example.org/v1/me\" -H \"Authorization: Bearer $ACCESS_TOKEN\""),
            ("POST", "/v1/singup", &[], "", "not_found", "curl -X POST \"https://accounts.example.org/v1/signup\""),
            ("DELETE", "/v1/me/sessions/ses_06nq8sd5c9u7d1p4v0g2k8m3e4", &[bearer], "", "not_found", "curl \"https://accounts.example.org/v1/me/sessions\""),
            ("GET", "/v1/signup", &[], "", "method_not_allowed", "use POST: curl -X POST \"https://accounts.example.org/v1/signup\""),
            ("GET", "/v1/me", &[("accept", "text/html")], "", "not_acceptable", "leave `Accept` out"),
            ("POST", "/v1/login", &[], "{}", "unsupported_media_type", "-H 'Content-Type: application/json'"),
            ("POST", "/v1/login", &[json], "{", "malformed_json", "-d '{\"email\""),
            ("POST", "/v1/signup", &[json], "{\"email\":\"x\",\"password\":\"hunter2\"}", "validation_failed", "`/email`: send e.g. \"ada@example.org\""),
            ("POST", "/v1/signup", &[json], "{\"hunter2\":1}", "validation_failed", "the unknown field"),
        ] {
            let mut request = Request::builder().method(method).uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = world.send(request.body(body.to_owned().into()).unwrap()).await;
            assert_eq!(answer.problem().1, code, "{method} {path}");
            let said = fix(&answer);
            assert!(said.contains(words), "{method} {path}: {said}");
            assert!(!said.contains("hunter2") && !said.contains(&token), "{said}");
            leads_somewhere(&world, &said).await;
        }
    }

    // RFC 6749 §5.2 allows more members.
    async fn an_oauth_error_has_a_fix_too(world: World) {
        let token = "curl -X POST \"https://accounts.example.org/v1/token\" -d 'grant_type=password'";
        for (path, form, error, words) in [
            ("/v1/token", "grant_type=password&username=ada&password=hunter2", "invalid_grant", "vestibule user create"),
            ("/v1/token", "grant_type=refresh_token", "invalid_request", token),
            ("/v1/token", "grant_type=implicit", "unsupported_grant_type", token),
            ("/v1/token", "grant_type=client_credentials&client_id=hunter2", "invalid_client", "vestibule client add"),
            ("/v1/token/revoke", "", "invalid_request", "/v1/token/revoke\" -d 'token="),
            ("/v1/introspect", "token=x", "invalid_client", "with HTTP Basic"),
        ] {
            let answer = world.post_form(path, form).await;
            assert_eq!(answer.json()["error"], error, "{}", answer.text);
            let said = fix(&answer);
            assert!(said.contains(words) && !said.contains("hunter2"), "{path}: {said}");
            leads_somewhere(&world, &said).await;
        }
        let mut world = world;
        world.router_with(without_mailbox());
        let answer = world.post_form("/v1/token", "grant_type=implicit").await;
        assert!(answer.status == 400 && answer.json().get("fix").is_none(), "{}", answer.text);
    }

    async fn the_corrected_request_works(world: World) {
        let answer = world.post("/v1/signup", json!({"email": "x"})).await;
        let corrected = body_in(&fix(&answer));
        assert_eq!(world.post("/v1/signup", corrected).await.status, 202);
        let answer = world.post_text("/v1/password/check", "{").await;
        assert_eq!(world.post("/v1/password/check", body_in(&fix(&answer))).await.status, 200);
    }

    async fn a_limit_says_how_long_to_wait_and_which_setting(world: World) {
        let mut world = world;
        world.follows(|policy| policy.sign_in.client_failures.most = 1).await;
        let tries = async || {
            let request = Request::post("/v1/login").header(header::CONTENT_TYPE, "application/json");
            let body = json!({"email": ADA, "password": PASSWORD}).to_string();
            world.send(from("192.0.2.1", request.body(body.into()).unwrap())).await
        };
        tries().await;
        let limited = tries().await;
        let seconds = limited.header("retry-after");
        let said = fix(&limited);
        assert_eq!(limited.problem().0, 429);
        assert!(said.starts_with(&format!("wait {seconds} s; the limit is `limits.sign_in`; ")), "{said}");
    }

    async fn a_fix_knows_the_path_of_the_public_url(world: World) {
        let mut world = world;
        world.moves_to("https://accounts.example.org/base").await;
        world.router_with(options(&world.mailbox));
        for (path, expected) in [
            ("/base/v1/my", "curl \"https://accounts.example.org/base/v1/me\""),
            ("/base/v1/login", "use POST: curl -X POST \"https://accounts.example.org/base/v1/login\""),
        ] {
            let said = fix(&world.get(path).await);
            assert!(said.contains(expected), "{said}");
        }
    }

    async fn nobody_is_told_in_production(world: World) {
        let mut world = world;
        world.router_with(without_mailbox());
        for path in ["/v1/me", "/v1/my", "/v1/login", "/nowhere"] {
            let answer = world.get(path).await;
            assert!(answer.status >= 400 && answer.json().get("fix").is_none(), "{path} {}", answer.text);
        }
        for body in [json!({}), json!({"email": ADA, "password": PASSWORD})] {
            let answer = world.post("/v1/login", body).await;
            assert!(answer.status >= 400 && answer.json().get("fix").is_none(), "{}", answer.text);
        }
    }
}
