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

use crate::api::oauth::metadata::OF_AUTHORIZATION_SERVER;
use crate::api::sign_in::verify::VERIFY;
use crate::cors::CorsOrigins;

/// What everybody may read: public keys, and the descriptions of the server.
const PUBLIC: [&str; 3] =
    ["/.well-known/jwks.json", "/.well-known/openid-configuration", OF_AUTHORIZATION_SERVER];
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

/// What a request says of where it comes from, and whether that matters for what it asks for.
#[derive(Debug)]
pub(crate) enum CrossOrigin {
    /// Something for pages of our own origin.
    Own,
    /// Something for everybody.
    Everybody,
    /// The API: from this origin, if it is another one, at this path.
    Api { from: Option<(HeaderValue, Box<str>)>, is_options: bool },
}

impl CrossOrigin {
    pub(crate) fn of(request: &Request) -> Self {
        let path = request.uri().path();
        if PUBLIC.contains(&path) || is_beside_a_path(path) {
            return Self::Everybody;
        }
        // Proxies ask there, about a request to somebody else's resource.
        if !path.starts_with("/v1/") || path == VERIFY {
            return Self::Own;
        }
        let mut sent = request.headers().get_all(ORIGIN).iter();
        let from = match (sent.next(), sent.next()) {
            (Some(origin), None) => Some((origin.clone(), path.into())),
            _ => None,
        };
        Self::Api { from, is_options: *request.method() == Method::OPTIONS }
    }

    /// Whether a browser asks what it may send.
    pub(crate) fn is_preflight(&self, headers: &HeaderMap) -> bool {
        matches!(self, Self::Api { is_options: true, .. })
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Who may read the answer.
    pub(crate) async fn readers(self, origins: &CorsOrigins) -> Readers {
        match self {
            Self::Own => Readers::Own,
            Self::Everybody => Readers::Everybody,
            Self::Api { from: None, is_options } => Readers::Api { allowed: None, is_options },
            Self::Api { from: Some((origin, path)), is_options } => {
                let is_allowed = match origin.to_str() {
                    Ok(text) => origins.allow(text, &path).await,
                    Err(_) => false,
                };
                Readers::Api { allowed: is_allowed.then_some(origin), is_options }
            }
        }
    }
}

/// RFC 8414 §3.1: where the public URL has a path, its metadata are beside that path.
fn is_beside_a_path(path: &str) -> bool {
    path.strip_prefix(OF_AUTHORIZATION_SERVER).is_some_and(|rest| rest.starts_with('/'))
}

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
    /// The answer to a preflight of an allowed origin; `methods` are those of the route, if there is one.
    pub(crate) fn preflight(&self, methods: Option<Vec<&'static str>>) -> Option<Response> {
        let Self::Api { allowed: Some(_), is_options: true } = self else { return None };
        let methods = HeaderValue::try_from(methods.unwrap_or(EVERY_METHOD.to_vec()).join(", ")).ok()?;
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
