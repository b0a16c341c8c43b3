//! Guarded routes of another application, without our router.

use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRef;
use axum::http::{Request, header};
use axum::routing::{get, post};
use axum::{Extension, Router};
use tower::ServiceExt as _;
use vestibule::{Accounts, Actor, UserRef};
use vestibule_http::{SignedIn, require_signed_in};

use crate::on_both_stores;
use crate::world::{ADA, Answer, World};

const EDITOR: &str = "editor@example.org";

/// The application's own state, which also contains accounts.
#[derive(Clone)]
struct State {
    accounts: Accounts,
}

impl FromRef<State> for Accounts {
    fn from_ref(state: &State) -> Self {
        state.accounts.clone()
    }
}

async fn own(who: SignedIn) -> String {
    who.account.email.to_string()
}

async fn guarded(Extension(SignedIn(who)): Extension<SignedIn>) -> String {
    who.account.email.to_string()
}

/// Reads its body, which must be unchanged.
async fn echo(body: String) -> String {
    body
}

fn application(accounts: &Accounts) -> Router {
    let guard = require_signed_in(accounts.clone());
    let editors = guard.clone().with_role("editor");
    let chiefs = editors.clone().with_role("chief \"x\"");
    let recent = guard.clone().require_recent(Duration::from_mins(5));
    let strong = recent.clone().require_factor();
    Router::new()
        .route("/own", get(own))
        .with_state(State { accounts: accounts.clone() })
        .merge(Router::new().route("/guarded", get(guarded)).route("/echo", post(echo)).route_layer(guard))
        .merge(Router::new().route("/editors", get(guarded)).route_layer(editors))
        .merge(Router::new().route("/chiefs", get(guarded)).route_layer(chiefs))
        .merge(Router::new().route("/recent", get(guarded)).route_layer(recent))
        .merge(Router::new().route("/strong", get(guarded)).route_layer(strong))
        .route("/open", get(|| async { "open" }))
}

async fn ask(world: &World, method: &str, path: &str, authorization: &[&str]) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = authorization.iter().fold(request, |it, value| it.header(header::AUTHORIZATION, *value));
    let request = request.body(Body::from("text")).unwrap();
    Answer::of(application(&world.accounts).oneshot(request).await.unwrap()).await
}

/// Status, code and challenge of a refusal.
fn refusal(answer: &Answer) -> (u16, String, &str) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text);
    let code = answer.json()["code"].as_str().unwrap().to_owned();
    (answer.status, code, answer.header("www-authenticate"))
}

on_both_stores! {
    // RFC 9470
    async fn a_layer_asks_for_a_recent_proof_and_for_a_factor(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let bearer = format!("Bearer {token}");
        let challenge = "Bearer realm=\"vestibule\", error=\"insufficient_user_authentication\", max_age=\"300\"";
        let stale = (401, "reauthentication_required".to_owned(), challenge);
        assert_eq!(ask(&world, "GET", "/recent", &[&bearer]).await.status, 200);
        assert_eq!(refusal(&ask(&world, "GET", "/strong", &[&bearer]).await), stale);
        world.adds_app(&token).await;
        assert_eq!(ask(&world, "GET", "/strong", &[&bearer]).await.status, 200);
        world.clock.advance(Duration::from_mins(5));
        for path in ["/recent", "/strong"] {
            assert_eq!(refusal(&ask(&world, "GET", path, &[&bearer]).await), stale, "{path}");
        }
        let proof = serde_json::json!({"password": crate::world::PASSWORD});
        world.send_as("POST", "/v1/me/verify", &token, Some(proof)).await;
        assert_eq!(ask(&world, "GET", "/recent", &[&bearer]).await.status, 200);
        assert_eq!(refusal(&ask(&world, "GET", "/strong", &[&bearer]).await), stale);
    }

    async fn extractor_and_layer_let_the_signed_in_through(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        for scheme in ["Bearer", "JWT", "bearer"] {
            let authorization = format!("{scheme} {token}");
            for path in ["/own", "/guarded"] {
                let answer = ask(&world, "GET", path, &[&authorization]).await;
                assert_eq!((answer.status, answer.text.as_str()), (200, ADA), "{path}");
            }
        }
        let bearer = format!("Bearer {token}");
        assert_eq!(ask(&world, "POST", "/echo", &[&bearer]).await.text, "text");
        assert_eq!(ask(&world, "GET", "/open", &[]).await.text, "open");
        assert_eq!(ask(&world, "GET", "/nowhere", &[]).await.status, 404);
    }

    // J7, the same on every guarded path.
    async fn everybody_else_is_told_why_not(world: World) {
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        let bearer = |name: &str| format!("Bearer {}", session[name].as_str().unwrap());
        let (good, refresh) = (bearer("access_token"), bearer("refresh_token"));
        let plain = "Bearer realm=\"vestibule\"";
        let invalid = "Bearer realm=\"vestibule\", error=\"invalid_token\"";
        for (method, path) in [("GET", "/own"), ("GET", "/guarded"), ("POST", "/echo"), ("GET", "/editors")] {
            for (authorization, expected) in [
                (&[][..], (401, "authentication_required", plain)),
                (&["Basic YWRhOng="], (401, "authentication_required", plain)),
                (&["Bearer x"], (401, "invalid_token", invalid)),
                (&[refresh.as_str()], (401, "invalid_token", invalid)),
                (&[good.as_str(), good.as_str()], (400, "invalid_request", "")),
            ] {
                let answer = ask(&world, method, path, authorization).await;
                let (status, code, challenge) = refusal(&answer);
                assert_eq!((status, code.as_str(), challenge), expected, "{path} {authorization:?}");
            }
        }
        world.post_as("/v1/logout", session["access_token"].as_str().unwrap()).await;
        for path in ["/own", "/guarded"] {
            assert_eq!(refusal(&ask(&world, "GET", path, &[&good]).await), (401, "invalid_token".to_owned(), invalid));
        }
    }

    async fn a_role_is_asked_for_by_name(world: World) {
        world.has_account(ADA).await;
        world.has_user(EDITOR, &["editor"]).await;
        let ada = format!("Bearer {}", world.access_token(ADA).await);
        let editor = format!("Bearer {}", world.access_token(EDITOR).await);
        let answer = ask(&world, "GET", "/editors", &[&editor]).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, EDITOR));
        let insufficient = "Bearer realm=\"vestibule\", error=\"insufficient_scope\"";
        let scope = format!("{insufficient}, scope=\"editor\"");
        let refused = ask(&world, "GET", "/editors", &[&ada]).await;
        assert_eq!(refusal(&refused), (403, "forbidden".to_owned(), scope.as_str()));
        assert_eq!(refused.json()["detail"], "This needs the role `editor`.");
        // All roles are required, and none of them can inject a header.
        let refused = ask(&world, "GET", "/chiefs", &[&editor]).await;
        assert_eq!(refusal(&refused), (403, "forbidden".to_owned(), insufficient));
        let editor_again = UserRef::Email(EDITOR.parse().unwrap());
        world.accounts.disable_user(Actor::Operator, &editor_again, None).await.unwrap();
        assert_eq!(ask(&world, "GET", "/editors", &[&editor]).await.status, 401);
    }
}
