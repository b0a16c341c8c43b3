//! The router inside another application, and the example that shows how.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRef};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use vestibule::Accounts;
use vestibule_http::{Client, HttpOptions, Part, TrustedProxies, session_cookie};
use vestibule_testing::{Client as Browser, Relay};

use crate::world::{ADA, PASSWORD, World, without_mailbox};
use crate::{example, on_both_stores};

/// The status and text of an answer that may be an internal error.
async fn ask(router: &Router, path: &str, peer: Option<[u8; 4]>) -> (u16, String) {
    let mut request = Request::get(path).header("host", "accounts.example.org").body(Body::empty()).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 4711))));
    }
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
}

/// The state of an application whose own handlers need the client.
#[derive(Clone)]
struct State {
    accounts: Accounts,
    proxies: TrustedProxies,
}

impl FromRef<State> for Accounts {
    fn from_ref(state: &State) -> Self {
        state.accounts.clone()
    }
}

impl FromRef<State> for TrustedProxies {
    fn from_ref(state: &State) -> Self {
        state.proxies.clone()
    }
}

async fn whence(Client(client): Client) -> String {
    format!("{:?}", client.ip)
}

on_both_stores! {
    // L5: without addresses every limit per client would silently be off.
    async fn a_router_that_learns_no_addresses_refuses_to_serve(world: World) {
        let router = vestibule_http::router(world.accounts.clone(), HttpOptions::default());
        for path in ["/livez", "/login", "/v1/me", "/nowhere"] {
            let (status, text) = ask(&router, path, None).await;
            assert_eq!(status, 500, "{path}");
            assert!(text.contains("into_make_service_with_connect_info"), "{path}: {text}");
        }
        assert_eq!(ask(&router, "/livez", Some([192, 0, 2, 1])).await.0, 200);

        let state = State { accounts: world.accounts.clone(), proxies: TrustedProxies::default() };
        let own = Router::new().route("/whence", get(whence)).with_state(state);
        assert_eq!(ask(&own, "/whence", None).await.0, 500);
        let (status, text) = ask(&own, "/whence", Some([192, 0, 2, 1])).await;
        assert_eq!((status, text.as_str()), (200, "Some(192.0.2.1)"));
    }
}

on_both_stores! {
    // An application keeps its own `/` and its own 404 on the same host.
    async fn the_router_stands_beside_an_application(world: World) {
        let own = || {
            let nowhere = async || (StatusCode::NOT_FOUND, "the application's");
            Router::new().route("/", get(async || "the application's")).fallback(nowhere)
        };
        let beside = |parts: &[Part]| {
            let options = HttpOptions { parts: parts.to_vec(), ..without_mailbox() };
            own().merge(vestibule_http::router(world.accounts.clone(), options))
        };
        let both = beside(&Part::BESIDE_OTHERS);
        for (path, status, text) in [
            ("/", 200, "the application's"),
            ("/nowhere", 404, "the application's"),
            ("/login", 200, "<form"),
            ("/v1/me", 401, "authentication_required"),
            ("/docs/errors", 200, "authentication_required"),
            ("/livez", 200, ""),
        ] {
            let (found, said) = ask(&both, path, None).await;
            assert!(found == status && said.contains(text), "{path}: {found} {said}");
        }
        for (parts, there, gone) in [
            (&[Part::Api][..], "/v1/me", "/login"),
            (&[Part::Api], "/readyz", "/docs"),
            (&[Part::Pages], "/confirm", "/v1/me"),
            (&[Part::Docs], "/docs", "/openapi.json"),
        ] {
            let some = beside(parts);
            assert_ne!(ask(&some, there, None).await.1, "the application's", "{there}");
            assert_eq!(ask(&some, gone, None).await.1, "the application's", "{gone}");
        }
    }
}

/// Runs the example, and a story of its users meanwhile; then stops it.
async fn beside_the_example(story: impl FnOnce(&Browser, &Relay) + Send + 'static) {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let browser = Browser::new(&listener.local_addr().unwrap().to_string());
    let database = format!("sqlite:{}", folder.path().join("embed.db").display());
    let relay = Relay::start();
    let mail = relay.url();
    let told = tokio::task::spawn_blocking(move || story(&browser, &relay));
    let over = async { told.await.unwrap() };
    example::serve(listener, &database, &mail, over).await.unwrap();
    assert!(!folder.path().join("embed.db-wal").exists(), "the database was closed");
}

/// The header with Ada's session, after she signs in on our page.
fn sign_in_on_the_page(browser: &Browser) -> String {
    let page = browser.get("/login", None);
    let (_, token) = page.body.split_once("name=\"form_token\" value=\"").unwrap();
    let form = format!(
        "form_token={}&login=ada%40example.org&password={PASSWORD}",
        token.split('"').next().unwrap()
    );
    let cookie = format!("vestibule_form={}", page.cookie("vestibule_form"));
    let sent = [("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let answer = browser.request("POST", "/login", &sent, &form);
    assert_eq!(answer.header("location"), "/account", "{answer:?}");
    let name = session_cookie("http://localhost:3000");
    format!("{name}={}", answer.cookie(name))
}

// M9: the example is what readers copy.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_lets_a_person_in() {
    beside_the_example(|browser, relay| {
        browser.sign_up(ADA, PASSWORD);
        let mail = relay.take(ADA);
        assert!(mail.link().starts_with("http://localhost:3000/confirm?token="), "{mail:?}");
        let confirm = json!({ "token": mail.token(), "password": PASSWORD });
        assert_eq!(browser.post("/v1/confirm", None, &confirm).json(200)["email"], ADA);
        assert!(relay.take(ADA).text.contains("The desk"), "the welcome");
        let bearer = format!("Bearer {}", browser.sign_in(ADA, PASSWORD));
        let session = sign_in_on_the_page(browser);
        for (name, value) in [("authorization", &bearer), ("cookie", &session)] {
            let greeting = browser.request("GET", "/hello", &[(name, value)], "");
            assert_eq!(
                (greeting.status, greeting.body.as_str()),
                (200, "Hello ada@example.org!\n"),
                "{name}"
            );
            assert_eq!((greeting.header("cache-control"), greeting.header("vary")), ("no-store", "Cookie"));
            assert_eq!(browser.request("GET", "/desk", &[(name, value)], "").status, 403);
        }
        assert_eq!(browser.get("/hello", None).status, 401);
        let front = |headers: &[(&str, &str)]| browser.request("GET", "/", headers, "").body;
        assert_eq!(front(&[]), "Welcome! Sign in at /login\n");
        assert_eq!(front(&[("cookie", &session)]), "Welcome back, ada@example.org\n");
        let lost = browser.get("/nowhere", None);
        assert_eq!((lost.status, lost.body.as_str()), (404, "The desk has no such drawer.\n"));
    })
    .await;
}

// L3
#[tokio::test(flavor = "multi_thread")]
async fn the_example_limits_its_clients() {
    beside_the_example(|browser, _| {
        let guess = |number| {
            browser.try_password(&format!("nobody{number}@example.org"), "another-long-word-9").status
        };
        let statuses: Vec<u16> = (0..22).map(guess).collect();
        assert_eq!(statuses[..20], [401; 20]);
        assert_eq!(statuses[20..], [429; 2]);
    })
    .await;
}
