use axum::body::Body;
use axum::http::{Request, header};

use crate::on_both_stores;
use crate::world::{ADA, Answer, World};

const PATH: &str = "/v1/auth/verify";

async fn with(world: &World, method: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

fn identity(answer: &Answer) -> [&str; 3] {
    ["x-auth-user-id", "x-auth-email", "x-auth-roles"].map(|name| answer.header(name))
}

on_both_stores! {
    async fn a_proxy_learns_who_asks(world: World) {
        world.has_account(ADA).await;
        world.has_admin("root@example.org").await;
        for (email, roles) in [(ADA, ""), ("root@example.org", "admin")] {
            let session = world.signs_in(email).await;
            let token = session["access_token"].as_str().unwrap();
            for method in ["GET", "HEAD"] {
                let answer = with(&world, method, &[("authorization", &format!("Bearer {token}"))]).await;
                assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{method}");
                assert_eq!(identity(&answer), [session["user"]["id"].as_str().unwrap(), email, roles]);
                assert!(answer.headers.contains_key("x-auth-roles"), "there, even if empty");
                assert_eq!(answer.header("cache-control"), "no-store");
            }
            assert_eq!(world.post_as("/v1/logout", token).await.status, 204);
            assert_eq!(world.get_as(PATH, token).await.problem(), (401, "invalid_token".to_owned()));
        }
    }

    // No two addresses give the same value, and none gives an invalid header.
    async fn an_international_address_is_percent_encoded(world: World) {
        for (email, value) in [
            ("ädä@bücher.example", "%C3%A4d%C3%A4@b%C3%BCcher.example"),
            ("%c3%a4d%c3%a4@example.org", "%25c3%25a4d%25c3%25a4@example.org"),
        ] {
            world.has_account(email).await;
            let answer = world.get_as(PATH, &world.access_token(email).await).await;
            assert_eq!((answer.status, answer.header("x-auth-email")), (204, value));
        }
    }

    // nginx, Caddy and Traefik forward headers of the original request.
    async fn headers_of_the_original_request_do_no_harm(world: World) {
        world.has_account(ADA).await;
        let bearer = format!("Bearer {}", world.access_token(ADA).await);
        let browser = "text/html,application/xhtml+xml,image/webp";
        let original = [
            ("accept", browser),
            ("accept-encoding", "br"),
            ("content-type", "multipart/form-data; boundary=x"),
            ("content-length", "1048576"),
            ("content-encoding", "gzip"),
            ("cookie", "session=of-the-application"),
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("x-forwarded-method", "POST"),
            ("x-forwarded-uri", "/orders?id=1"),
            ("x-original-uri", "/orders"),
            ("x-auth-user-id", "usr_forged"),
        ];
        let mut sent = original.to_vec();
        for method in ["GET", "HEAD"] {
            let answer = with(&world, method, &sent).await;
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer realm=\"vestibule\""));
            assert_eq!(identity(&answer), ["", "", ""]);
        }
        sent.push(("authorization", &bearer));
        let answer = with(&world, "GET", &sent).await;
        assert_eq!((answer.status, answer.header("x-auth-email")), (204, ADA));
    }

    async fn whatever_is_not_signed_in_is_401(world: World) {
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
        let refresh = format!("Bearer {}", session["refresh_token"].as_str().unwrap());
        for (headers, code) in [
            (&[][..], "authentication_required"),
            (&[("authorization", "Basic YWRhOng=")], "authentication_required"),
            (&[("authorization", "Bearer x")], "invalid_token"),
            (&[("authorization", refresh.as_str())], "invalid_token"),
            (&[("authorization", bearer.as_str()), ("authorization", bearer.as_str())], "invalid_token"),
            (&[("cookie", "session=x")], "authentication_required"),
        ] {
            let answer = with(&world, "GET", headers).await;
            assert_eq!(answer.problem(), (401, code.to_owned()), "{headers:?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"vestibule\""));
            assert_eq!(identity(&answer), ["", "", ""]);
        }
        let request = Request::post(PATH).header(header::AUTHORIZATION, bearer);
        assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 405);
    }
}
