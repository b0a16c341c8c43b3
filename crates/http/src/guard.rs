//! A guard for routes of an application's own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::{FromRequestParts as _, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use tower::{Layer, Service};
use vestibule::Accounts;

use crate::extract::SignedIn;
use crate::personal::mark;
use crate::problem::Problem;

/// A layer that admits requests of signed-in users only.
///
/// Handlers behind it find the [`SignedIn`] among the extensions of the request. All others are answered as by the
/// extractor: 401 `authentication_required` or `invalid_token`, 400 for two headers, 503 if the store does not answer;
/// 403 `insufficient_scope` for the token of a
/// client; and 403 `forbidden` if the user lacks a role.
///
/// Add it with `route_layer`: paths without a route stay 404. It guards the routes added before it, not those added
/// afterwards.
///
/// ```
/// # use vestibule::{Accounts, Env, Policy, SecretKey, Settings};
/// use axum::routing::{get, post};
/// use axum::{Extension, Router};
/// use vestibule_http::{SignedIn, require_signed_in};
///
/// async fn drafts(Extension(who): Extension<SignedIn>) -> String {
///     format!("The drafts of {}", who.account.email)
/// }
///
/// async fn publish() -> &'static str {
///     "published"
/// }
///
/// fn application(accounts: &Accounts) -> Router {
///     let signed_in = require_signed_in(accounts.clone());
///     let editor = signed_in.clone().with_role("editor");
///     Router::new()
///         .route("/drafts", get(drafts).route_layer(signed_in))
///         .route("/publish", post(publish).route_layer(editor))
///         .route("/", get(|| async { "for everybody" }))
/// }
/// # use axum::{body::Body, http::Request};
/// # use tower::ServiceExt as _;
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let accounts = Accounts::open(Settings {
/// #     database_url: format!("sqlite:{}/accounts.db", folder.path().display()).into(),
/// #     secret_key: SecretKey::generate(),
/// #     previous_secret_key: None,
/// #     public_url: "https://accounts.example.org".into(),
/// #     policy: Policy::default(),
/// #     env: Env::system(),
/// # })
/// # .await?;
/// # for (method, path, status) in [("GET", "/", 200), ("GET", "/drafts", 401), ("POST", "/publish", 401), ("GET", "/x", 404)] {
/// #     let request = Request::builder().method(method).uri(path).body(Body::empty())?;
/// #     assert_eq!(application(&accounts).oneshot(request).await?.status(), status, "{path}");
/// # }
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
pub fn require_signed_in(accounts: Accounts) -> RequireSignedIn {
    RequireSignedIn { accounts, roles: Arc::default(), max_age: None, factor: false }
}

/// The layer made by [`require_signed_in`].
#[derive(Clone, Debug)]
pub struct RequireSignedIn {
    max_age: Option<Duration>,
    factor: bool,
    accounts: Accounts,
    roles: Arc<Vec<String>>,
}

impl RequireSignedIn {
    /// Requires this role as well. What counts are the account's roles at the moment of the request, whatever its token
    /// says; of several, all are required.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.roles).push(role.into());
        self
    }

    /// Requires a proof that is no older than this: the password, a passkey or a code. Others are answered 401
    /// `reauthentication_required` (RFC 9470), and come back after `POST /v1/me/verify` or another sign-in.
    #[must_use]
    pub fn require_recent(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Requires a session with a second factor; with [`require_recent`](Self::require_recent), one that was given that
    /// recently.
    #[must_use]
    pub fn require_factor(mut self) -> Self {
        self.factor = true;
        self
    }

    async fn admit(&self, parts: &mut Parts) -> Result<SignedIn, Problem> {
        let who = SignedIn::from_request_parts(parts, &self.accounts).await?;
        match self.roles.iter().find(|role| !who.has_role(role)) {
            Some(lacking) => Err(Problem::lacking_role(lacking).explained_at(self.accounts.public_url())),
            None => self.proven(who),
        }
    }

    fn proven(&self, who: SignedIn) -> Result<SignedIn, Problem> {
        match self.accounts.require_proof(&who, self.max_age, self.factor) {
            Ok(()) => Ok(who),
            Err(needed) => Err(Problem::from(needed).explained_at(self.accounts.public_url())),
        }
    }
}

impl<S> Layer<S> for RequireSignedIn {
    type Service = Guarded<S>;
    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.clone() }
    }
}

/// A service behind a [`RequireSignedIn`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    guard: RequireSignedIn,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The service that was polled until ready is the one to call.
        let next = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, next);
        let guard = self.guard.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let answer = match guard.admit(&mut parts).await {
                Ok(who) => {
                    parts.extensions.insert(who);
                    ready.call(Request::from_parts(parts, body)).await
                }
                Err(problem) => Ok(problem.into_response()),
            };
            answer.map(|mut response| {
                mark(response.headers_mut());
                response
            })
        })
    }
}
