//! What an answer tells browsers about other origins: who may read it, and what a page there may send (the Fetch
//! standard's CORS protocol).
//!
//! Never with credentials: a request that carries our cookies is answered, but no page of another origin can read that.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::api::sign_in::verify::VERIFY;
use crate::cors::CorsOrigins;

/// What everybody may read: public keys, and the descriptions of the server.
const PUBLIC: [&str; 3] = [
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];
/// The headers that the API reads and that no browser sends without asking.
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, Idempotency-Key, If-Match, Traceparent");
/// The headers of answers that say something to an application.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, ETag, Link",
);
/// Seconds; browsers keep the answer to a preflight no longer than two hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
/// For a path without a route, so that the page can read the 404 that its request will get.
const EVERY_METHOD: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Who may read an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Pages of our own origin.
    Own,
    /// Everybody.
    Everybody,
    /// Of the API: our own pages, and those of this origin if it is allowed.
    Api { allowed: Option<HeaderValue>, is_options: bool },
}

impl Readers {
    pub(crate) fn of(request: &Request, origins: &CorsOrigins) -> Self {
        let path = request.uri().path();
        if PUBLIC.contains(&path) {
            return Self::Everybody;
        }
        // Proxies ask there, about a request to somebody else's resource.
        if !path.starts_with("/v1/") || path == VERIFY {
            return Self::Own;
        }
        let mut sent = request.headers().get_all(ORIGIN).iter();
        let allowed = match (sent.next(), sent.next()) {
            (Some(origin), None) if origin.to_str().is_ok_and(|origin| origins.allows(origin, path)) => {
                Some(origin.clone())
            }
            _ => None,
        };
        Self::Api { allowed, is_options: *request.method() == Method::OPTIONS }
    }

    /// The answer to a preflight of an allowed origin; `methods` are those of the route.
    pub(crate) fn preflight(
        &self,
        headers: &HeaderMap,
        methods: impl FnOnce() -> Option<Vec<&'static str>>,
    ) -> Option<Response> {
        let Self::Api { allowed: Some(_), is_options: true } = self else { return None };
        headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let methods = HeaderValue::try_from(methods().unwrap_or(EVERY_METHOD.to_vec()).join(", ")).ok()?;
        let permitted = [
            (ACCESS_CONTROL_ALLOW_METHODS, methods),
            (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        Some((StatusCode::NO_CONTENT, permitted).into_response())
    }

    /// Adds the headers to an answer, an error too: without them a page only learns that the network failed.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        match self {
            Self::Own => {}
            Self::Everybody => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Self::Api { allowed, is_options } => {
                let varies = if is_options {
                    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
                } else {
                    "Origin"
                };
                headers.append(VARY, HeaderValue::from_static(varies));
                if let Some(origin) = allowed {
                    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
                }
            }
        }
    }
}
