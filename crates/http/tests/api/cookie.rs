//! The cookie of a sign-in on the pages, used with other routes.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::any;
use tower::ServiceExt as _;
use vestibule::{Actor, UserRef};
use vestibule_http::{SignedIn, require_signed_in, session_cookie};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, URL, World};

const HERE: (&str, &str) = ("sec-fetch-site", "same-origin");

/// The header with the session of a user who has just signed in on the pages.
async fn session_of(world: &World, email: &str) -> String {
    let browser = Browser::signed_in(world, email).await;
    let name = session_cookie(URL);
    assert_eq!(name, "__Host-vestibule_session");
    format!("{name}={}", browser.cookies[name])
}

fn request(method: &str, path: &str, cookie: &str, more: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
    let request = more.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).unwrap()
}

#[track_caller]
fn is_for_one_person(answer: &Answer) {
    assert_eq!((answer.header("cache-control"), answer.header("vary")), ("no-store", "Cookie"));
}

async fn own(who: SignedIn) -> String {
    who.account.email.to_string()
}

async fn front(who: Option<SignedIn>) -> String {
    who.map_or_else(|| "nobody".to_owned(), |who| who.account.email.to_string())
}

/// An application whose handlers check by themselves, and one behind a layer.
fn application(world: &World) -> Router {
    let guard = require_signed_in(world.accounts.clone());
    Router::new()
        .route("/own", any(own))
        .route("/front", any(front))
        .route("/guarded", any(own).layer(guard))
        .with_state(world.accounts.clone())
}

async fn ask(application: &Router, request: Request<Body>) -> Answer {
    Answer::of(application.clone().oneshot(request).await.unwrap()).await
}

on_both_stores! {
    async fn a_page_s_session_reads_who_it_is(world: World) {
        world.has_account(ADA).await;
        let cookie = session_of(&world, ADA).await;
        for (path, status) in [("/v1/me", 200), ("/v1/auth/verify", 204)] {
            for method in ["GET", "HEAD"] {
                let answer = world.send(request(method, path, &cookie, &[])).await;
                assert_eq!(answer.status, status, "{method} {path}");
                is_for_one_person(&answer);
            }
        }
        let me = world.send(request("GET", "/v1/me", &cookie, &[("sec-fetch-site", "cross-site")])).await;
        assert_eq!(me.json()["email"], ADA);
        // A header decides alone: a cookie does not make up for a wrong one.
        let with_token = request("GET", "/v1/me", &cookie, &[("authorization", "Bearer x")]);
        assert_eq!(world.send(with_token).await.problem(), (401, "invalid_token".to_owned()));
        for none in ["", "__Host-vestibule_session=x", "vestibule_session=x"] {
            let answer = world.send(request("GET", "/v1/me", none, &[])).await;
            is_for_one_person(&answer);
            assert_eq!(answer.problem(), (401, "authentication_required".to_owned()), "{none}");
        }
    }

    // B2: whatever a browser can be made to send, the API changes nothing because of a cookie.
    async fn no_route_of_the_api_changes_anything_for_a_cookie(world: World) {
        world.has_admin(ADA).await;
        let cookie = session_of(&world, ADA).await;
        let mut asked = 0;
        let description = world.get("/openapi.json").await.json();
        for (path, item) in description["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let ways = operation["security"].to_string();
                // Except routes open to everyone, and those that a cookie may read.
                if !ways.contains("bearer") || ways.contains("session") || ways.contains("{}") {
                    continue;
                }
                asked += 1;
                let path = path.replace("{id}", "usr_06gvphdrp5o011v2hsn0hj3mpc");
                let json = ("content-type", "application/json");
                let sent = request(&method.to_uppercase(), &path, &cookie, &[HERE, ("origin", URL), json]);
                let answer = world.send(sent).await;
                assert_eq!(answer.problem(), (401, "authentication_required".to_owned()), "{method} {path}");
            }
        }
        assert!(asked > 20, "{asked}");
    }

    async fn a_page_s_session_opens_own_routes(world: World) {
        world.has_account(ADA).await;
        let cookie = session_of(&world, ADA).await;
        let application = application(&world);
        for path in ["/own", "/guarded"] {
            let sends = async |method: &str, more: &[(&str, &str)]| {
                ask(&application, request(method, path, &cookie, more)).await
            };
            assert_eq!(sends("GET", &[]).await.text, ADA);
            assert_eq!(sends("GET", &[("sec-fetch-site", "cross-site")]).await.status, 200);
            // B2
            for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
                for here in [&[HERE][..], &[HERE, ("origin", "null")], &[("origin", URL)]] {
                    assert_eq!(sends(method, here).await.text, ADA, "{method} {here:?}");
                }
                for elsewhere in [
                    &[][..],
                    &[("sec-fetch-site", "same-site"), ("origin", URL)],
                    &[("sec-fetch-site", "cross-site")],
                    &[("sec-fetch-site", "none")],
                    &[("origin", "null")],
                    &[("origin", "https://evil.example.org")],
                ] {
                    let answer = sends(method, elsewhere).await;
                    assert_eq!((answer.status, &answer.json()["code"]), (403, &"forbidden".into()), "{method} {elsewhere:?}");
                    assert_eq!(answer.json()["type"], format!("{URL}/docs/errors/forbidden"));
                }
            }
        }
        for (method, held, text) in [("GET", cookie.as_str(), ADA), ("GET", "", "nobody"), ("POST", "", "nobody")] {
            assert_eq!(ask(&application, request(method, "/front", held, &[])).await.text, text, "{method} {held}");
        }
        assert_eq!(ask(&application, request("POST", "/front", &cookie, &[])).await.status, 403);
        let with_token = request("GET", "/front", &cookie, &[("authorization", "Bearer x")]);
        assert_eq!(ask(&application, with_token).await.status, 401);
        is_for_one_person(&ask(&application, request("GET", "/guarded", &cookie, &[])).await);
        is_for_one_person(&ask(&application, request("GET", "/guarded", "", &[])).await);
    }

    // J5
    async fn whatever_ends_a_session_counts_at_once(world: World) {
        world.has_account(ADA).await;
        let application = application(&world);
        let cookie = session_of(&world, ADA).await;
        let opens = async || ask(&application, request("GET", "/own", &cookie, &[])).await.status;
        assert_eq!(opens().await, 200);
        world.accounts.disable_user(Actor::Operator, &UserRef::Email(ADA.parse().unwrap()), None).await.unwrap();
        assert_eq!(opens().await, 401);
        world.accounts.enable_user(Actor::Operator, &UserRef::Email(ADA.parse().unwrap()), None).await.unwrap();
        assert_eq!(opens().await, 401, "the session has ended");
    }
}
