use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::json;
use vestibule::{Actor, AuditQuery};

use crate::on_both_stores;
use crate::world::{PASSWORD, World, from};

async fn request(world: &World, method: &str, path: &str) -> crate::world::Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    world.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
}

on_both_stores! {
    // H5
    async fn addresses_are_exact(world: World) {
        for path in [
            "/nowhere", "/v1", "/v1/", "/v1/me/", "//v1/me", "/v1//me", "/v1/./me", "/V1/me", "/v1%2fme",
            "/v1/me;x", "/docs/", "/docs/errors/", "/docs/errors/nonsense", "/docs/assets/../lib.rs",
            "/docs/assets/index.html", "/docs/errors/%69nvalid_token", "/assets/",
        ] {
            assert_eq!(world.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
        }
    }

    // H1
    async fn methods_are_told(world: World) {
        for (method, path, allow) in [
            ("GET", "/v1/signup", "POST"), ("PUT", "/v1/me", "GET,HEAD,PATCH,DELETE"), ("DELETE", "/v1/me/export", "GET,HEAD"), ("PUT", "/confirm", "GET,HEAD,POST"),
            ("TRACE", "/livez", "GET,HEAD"), ("CONNECT", "/livez", "GET,HEAD"), ("BREW", "/livez", "GET,HEAD"),
        ] {
            let answer = request(&world, method, path).await;
            assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()), "{method} {path}");
            assert_eq!(answer.header("allow"), allow, "{method} {path}");
        }
        let options = request(&world, "OPTIONS", "/v1/signup").await;
        assert_eq!((options.status, options.header("allow"), options.text.as_str()), (204, "POST", ""));
        assert_eq!(options.header("access-control-allow-origin"), "");
        assert_eq!(request(&world, "OPTIONS", "/nowhere").await.status, 404);
    }

    async fn head_is_get_without_a_body(world: World) {
        for path in ["/livez", "/", "/openapi.json", "/docs", "/v1/me", "/nowhere"] {
            let (get, head) = (world.get(path).await, request(&world, "HEAD", path).await);
            assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
            assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        }
    }

    // H3
    async fn every_answer_has_the_security_headers(world: World) {
        for path in [
            "/", "/livez", "/readyz", "/v1/me", "/nowhere", "/docs", "/docs/errors", "/openapi.json", "/confirm",
            "/v1/auth/verify", "/v1/me/sessions", "/v1/me/export", "/reset", "/forgot", "/login",
            "/.well-known/jwks.json", "/dev/mail", "/assets/site.css", "/docs/assets/swagger-ui.css", "/v1/signup",
        ] {
            let answer = world.get(path).await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
            assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains", "{path}");
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
            assert!(!answer.header("cache-control").is_empty(), "{path}");
            assert_eq!(answer.header("x-request-id").len(), 16, "{path}");
        }
        assert_eq!(world.get("/v1/me").await.header("cache-control"), "no-store");
    }

    async fn request_ids_are_ours_unless_a_trusted_proxy_gives_one(world: World) {
        let ask = async |peer: &str, id: &str| {
            let request = Request::get("/livez").header("x-request-id", id).body(Body::empty()).unwrap();
            world.send(from(peer, request)).await.header("x-request-id").to_owned()
        };
        assert_eq!(ask("10.0.0.1", "abc-123").await, "abc-123");
        assert_ne!(ask("192.0.2.1", "abc-123").await, "abc-123");
        assert_ne!(ask("10.0.0.1", "a b").await, "a b");
        assert_ne!(ask("192.0.2.1", "x").await, ask("192.0.2.1", "x").await);
    }

    // L5: the trail and the limits use the client that the proxy saw, whatever the client wrote in front of it.
    async fn what_a_client_forges_does_not_hide_it(world: World) {
        for (number, forged) in ["x, ", "unknown,, ", "\"198.51.100.1, ", "1.1.1.1:, [::, "].into_iter().enumerate() {
            let body = json!({"email": format!("ada{number}@example.org"), "password": PASSWORD}).to_string();
            let request = Request::post("/v1/signup").header(header::CONTENT_TYPE, "application/json");
            let request = request.header("x-forwarded-for", format!("{forged}203.0.113.9:4711, 10.9.9.9"));
            let answer = world.send(from("10.0.0.1", request.body(body.into()).unwrap())).await;
            assert_eq!(answer.status, 202, "{}", answer.text);
            let trail = world.accounts.list_audit(Actor::Operator, &AuditQuery::default()).await.unwrap();
            assert_eq!(trail.items.len(), number + 1);
            assert_eq!(trail.items[0].ip.as_deref(), Some("203.0.113.9"), "{forged}");
        }
    }

    // H6
    async fn sizes_are_limited(world: World) {
        let long = world.get(&format!("/livez?{}", "x".repeat(4096))).await;
        assert_eq!(long.problem(), (414, "uri_too_long".to_owned()));
        let request = Request::get("/livez").header("x-filler", "x".repeat(16 * 1024));
        let large = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(large.problem(), (431, "headers_too_large".to_owned()));
    }

    // H2
    async fn the_api_speaks_json_only(world: World) {
        for (accept, status) in [("text/html", 406), ("application/json;q=0", 406), ("application/json", 401), ("*/*", 401)] {
            let request = Request::get("/v1/me").header(header::ACCEPT, accept);
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.problem().0, status, "{accept}");
        }
    }

    async fn the_root_speaks_to_people_and_to_curl(world: World) {
        let text = world.get("/").await;
        assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
        assert!(text.text.contains("https://accounts.example.org/v1/signup"));
        let request = Request::get("/").header(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8");
        let page = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.text.contains("<a href=\"/docs\">"));
        assert_eq!(page.header("vary"), "accept, accept-language, cookie");
    }

    async fn an_empty_post_is_no_defect(world: World) {
        for path in [
            "/v1/signup", "/v1/confirm", "/v1/confirm/code", "/v1/confirm/resend", "/v1/login", "/v1/token", "/confirm",
            "/v1/token/revoke", "/v1/introspect", "/v1/password/forgot", "/v1/password/reset", "/v1/password/check",
            "/v1/me/password", "/v1/me/email", "/v1/email/confirm", "/v1/email/undo", "/confirm/resend", "/forgot",
            "/reset", "/email/confirm", "/email/undo",
        ] {
            let answer = request(&world, "POST", path).await;
            assert!((400..500).contains(&answer.status), "{path} {}", answer.status);
        }
        assert_eq!(world.post("/v1/login", json!({})).await.status, 422);
    }
}
