//! Which answers pages of other origins may read. What a browser makes of it is tried in `browser_cors.rs` of the
//! program.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use vestibule::{Policy, Rate};
use vestibule_http::{CorsOrigins, HttpOptions};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World, from, without_mailbox};

const APP: &str = "https://app.example.org";
const SPA: &str = "https://spa.example.org";

/// `APP` is listed, `SPA` is known by somebody else.
fn options() -> HttpOptions {
    let listed = vec![APP.parse().unwrap()];
    let cors = CorsOrigins::new(listed).unwrap().with_derived(|origin| origin == SPA);
    HttpOptions { cors, ..without_mailbox() }
}

async fn ask(world: &World, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

/// The headers of this protocol, and whether the answer varies by origin.
fn said(answer: &Answer) -> (&str, bool) {
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let varies = answer.headers.get_all("vary").iter();
    let varies = varies.filter_map(|line| line.to_str().ok()).any(|line| line.contains("Origin"));
    (answer.header("access-control-allow-origin"), varies)
}

on_both_stores! {
    // H4: the API for whom it is meant, public keys for everybody, pages for nobody.
    async fn each_route_has_its_readers(world: World) {
        let mut world = world;
        world.router_with(options());
        for (path, of_app, of_spa, varies) in [
            ("/v1/me", APP, SPA, true),
            ("/v1/userinfo", APP, SPA, true),
            ("/v1/nowhere", APP, SPA, true),
            ("/v1/token", APP, SPA, true),
            ("/v1/admin/users", APP, "", true),
            ("/v1/admin", APP, "", true),
            ("/v1/auth/verify", "", "", false),
            ("/.well-known/jwks.json", "*", "*", false),
            ("/.well-known/openid-configuration", "*", "*", false),
            ("/.well-known/oauth-authorization-server", "*", "*", false),
            ("/.well-known/change-password", "", "", false),
            ("/", "", "", false),
            ("/login", "", "", false),
            ("/account", "", "", false),
            ("/admin", "", "", false),
            ("/oauth/authorize", "", "", false),
            ("/docs", "", "", false),
            ("/docs/errors/invalid_token", "", "", false),
            ("/openapi.json", "", "", false),
            ("/livez", "", "", false),
            ("/readyz", "", "", false),
            ("/assets/site.css", "", "", false),
            ("/V1/me", "", "", false),
            ("//v1/me", "", "", false),
            ("/v1", "", "", false),
        ] {
            for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                for (origin, expected) in [(APP, of_app), (SPA, of_spa)] {
                    let answer = ask(&world, method, path, &[("origin", origin)]).await;
                    assert_eq!(said(&answer), (expected, varies), "{method} {path} {origin}");
                }
                let answer = ask(&world, method, path, &[]).await;
                let expected = if of_app == "*" { "*" } else { "" };
                assert_eq!(said(&answer), (expected, varies), "{method} {path}");
            }
        }
    }

    // H4
    async fn an_origin_that_is_not_listed_reads_nothing_and_changes_nothing(world: World) {
        let mut world = world;
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        world.router_with(options());
        let bearer = format!("Bearer {token}");
        let long = format!("https://{}", "a".repeat(8 * 1024));
        for origin in [
            "null", "*", "", "https://evil.example", "https://www.app.example.org", "https://example.org",
            "https://app.example.org:8443", "https://app.example.org:443", "http://app.example.org",
            "https://APP.example.org", "HTTPS://app.example.org", "https://app.example.org.", "https://app.example.org/",
            "https://app.example.org.evil.example", "https://evil.example/https://app.example.org",
            "https://app.example.org https://evil.example", "https://app.example.org, https://app.example.org",
            " https://app.example.org\t!", "app.example.org", "file://", long.as_str(),
        ] {
            let answer = ask(&world, "GET", "/v1/me", &[("origin", origin), ("authorization", &bearer)]).await;
            assert_eq!((answer.status, said(&answer)), (200, ("", true)), "{origin}");
            assert_eq!(answer.header("access-control-expose-headers"), "");
            let asked = [("origin", origin), ("access-control-request-method", "GET")];
            let answer = ask(&world, "OPTIONS", "/v1/me", &asked).await;
            assert_eq!((answer.status, said(&answer)), (204, ("", true)), "{origin}");
            assert_eq!(answer.header("access-control-allow-methods"), "");
        }
        let two = [("origin", APP), ("origin", APP), ("authorization", &bearer)];
        let answer = ask(&world, "GET", "/v1/me", &two).await;
        assert_eq!((answer.status, said(&answer)), (200, ("", true)));
        let mut request = Request::get("/v1/me").body(Body::empty()).unwrap();
        request.headers_mut().insert(header::ORIGIN, header::HeaderValue::from_bytes(b"https://\xff").unwrap());
        let answer = world.send(request).await;
        assert_eq!((answer.problem().0, said(&answer)), (401, ("", true)));
    }

    // H4: what a browser asks first.
    async fn a_preflight_tells_the_methods_of_the_route(world: World) {
        let mut world = world;
        world.router_with(options());
        for (path, wanted, methods) in [
            ("/v1/me", "PATCH", "GET, PATCH, DELETE"),
            ("/v1/me", "TRACE", "GET, PATCH, DELETE"),
            ("/v1/signup", "POST", "POST"),
            ("/v1/me/passkeys/psk_1", "DELETE", "PATCH, DELETE"),
            ("/v1/nowhere", "GET", "GET, POST, PUT, PATCH, DELETE"),
        ] {
            let asked = [
                ("origin", SPA), ("access-control-request-method", wanted),
                ("access-control-request-headers", "authorization,content-type,x-unknown"), ("accept", "*/*"),
            ];
            let answer = ask(&world, "OPTIONS", path, &asked).await;
            assert_eq!((answer.status, answer.text.as_str(), said(&answer)), (204, "", (SPA, true)), "{path}");
            let mut told: Vec<_> = answer.header("access-control-allow-methods").split(", ").collect();
            let mut expected: Vec<_> = methods.split(", ").collect();
            told.sort_unstable();
            expected.sort_unstable();
            assert_eq!(told, expected, "{path}");
            assert_eq!(
                answer.header("access-control-allow-headers"),
                "Authorization, Content-Type, Idempotency-Key, If-Match, Traceparent"
            );
            assert_eq!(answer.header("access-control-max-age"), "7200");
            assert_eq!(
                answer.header("vary"),
                "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
            );
        }
        // No preflight without the method, and none for administration by a derived origin.
        let plain = ask(&world, "OPTIONS", "/v1/me", &[("origin", SPA)]).await;
        assert_eq!((plain.status, plain.header("access-control-allow-methods")), (204, ""));
        let asked = [("origin", SPA), ("access-control-request-method", "GET")];
        let admin = ask(&world, "OPTIONS", "/v1/admin/users", &asked).await;
        assert_eq!((admin.status, said(&admin), admin.header("access-control-allow-methods")), (204, ("", true), ""));
        let asked = [("origin", APP), ("access-control-request-method", "GET")];
        let admin = ask(&world, "OPTIONS", "/v1/admin/users/usr_1", &asked).await;
        assert_eq!(admin.header("access-control-allow-origin"), APP);
        let page = ask(&world, "OPTIONS", "/login", &asked).await;
        assert_eq!((page.status, said(&page)), (204, ("", false)));
    }

    // H4: under the path of the public URL too.
    async fn a_base_path_changes_nothing(world: World) {
        let mut world = world;
        world.moves_to("https://accounts.example.org/accounts").await;
        world.router_with(options());
        let asked = [("origin", SPA), ("access-control-request-method", "PATCH")];
        let answer = ask(&world, "OPTIONS", "/accounts/v1/me", &asked).await;
        assert_eq!((answer.status, said(&answer)), (204, (SPA, true)));
        assert!(answer.header("access-control-allow-methods").contains("PATCH"));
        assert!(!answer.header("access-control-allow-methods").contains("PUT"));
        assert_eq!(said(&ask(&world, "GET", "/accounts/login", &[("origin", SPA)]).await), ("", false));
    }

    // H4: an error that a page cannot read would be "network error" there.
    async fn errors_can_be_read_too(world: World) {
        let mut world = world;
        world.follows(|policy: &mut Policy| {
            policy.sign_in.client_failures = Rate::new(1, policy.sign_in.client_failures.window);
        })
        .await;
        world.router_with(options());
        let large = "x".repeat(17 * 1024);
        let json = ("content-type", "application/json");
        let wrong = json!({"email": ADA, "password": PASSWORD}).to_string();
        let long = format!("/v1/me?{}", "x".repeat(4096));
        for (method, path, headers, body, status) in [
            ("GET", "/v1/nowhere", &[][..], "", 404),
            ("PUT", "/v1/me", &[], "", 405),
            ("GET", "/v1/me", &[("accept", "text/html")], "", 406),
            ("GET", "/v1/me", &[("authorization", "Bearer x"), ("authorization", "Bearer x")], "", 400),
            ("POST", "/v1/login", &[json], large.as_str(), 413),
            ("GET", long.as_str(), &[], "", 414),
            ("POST", "/v1/login", &[], "{}", 415),
            ("POST", "/v1/login", &[json], "{}", 422),
            ("GET", "/v1/me", &[("x-filler", large.as_str())], "", 431),
            ("GET", "/v1/me", &[("authorization", "Bearer x")], "", 401),
            ("POST", "/v1/login", &[json], wrong.as_str(), 401),
            ("POST", "/v1/login", &[json], wrong.as_str(), 429),
            ("POST", "/v1/token", &[], "", 415),
        ] {
            let mut request = Request::builder().method(method).uri(path).header("origin", SPA);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = from("192.0.2.1", request.body(body.to_owned().into()).unwrap());
            let answer = world.send(request).await;
            assert_eq!((answer.status, said(&answer)), (status, (SPA, true)), "{method} {path} {}", answer.text);
            let exposed = answer.header("access-control-expose-headers");
            for name in ["WWW-Authenticate", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "ETag"] {
                assert!(exposed.split(", ").any(|told| told == name), "{name}: {exposed}");
            }
        }
    }

    // B2: allowed or not, another origin has nothing of the cookie of a session.
    async fn a_cookie_is_of_no_use_to_another_origin(world: World) {
        let mut world = world;
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        browser.get(&world, "/login").await;
        browser.submit(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
        world.router_with(options());
        let cookie = format!("__Host-vestibule_session={}", browser.cookies["__Host-vestibule_session"]);
        for origin in [APP, SPA, "https://evil.example"] {
            let headers = [("origin", origin), ("cookie", cookie.as_str()), ("sec-fetch-site", "same-site")];
            let read = ask(&world, "GET", "/v1/me", &headers).await;
            // The browser lets nobody read it: the request had credentials, and nothing allows that.
            assert_eq!(read.header("access-control-allow-credentials"), "", "{origin}");
            for (method, path) in [("PATCH", "/v1/me"), ("DELETE", "/v1/me"), ("POST", "/v1/logout")] {
                let changed = ask(&world, method, path, &headers).await;
                assert!([401, 403].contains(&changed.status), "{origin} {method} {path} {}", changed.status);
            }
        }
        assert_eq!(browser.get(&world, "/account").await.status, 200);
    }
}
