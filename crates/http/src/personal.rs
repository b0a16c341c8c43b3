//! Answers that depend on the user: no cache may store them or give them to anyone else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// Whether a handler asked who makes the request.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<AtomicBool>);

impl Asked {
    /// Attaches a mark to a request.
    pub(crate) fn put(request: &mut Request) -> Self {
        let asked = Self::default();
        request.extensions_mut().insert(asked.clone());
        asked
    }

    /// Notes that the answer to this request depends on the user.
    pub(crate) fn note(extensions: &Extensions) {
        if let Some(Self(asked)) = extensions.get() {
            asked.store(true, Ordering::Relaxed);
        }
    }

    /// Marks the answer if it depends on the user (H3).
    pub(crate) fn mark(&self, response: &mut Response) {
        if self.0.load(Ordering::Relaxed) {
            mark(response.headers_mut());
        }
    }
}

/// Middleware that does so for all routes of a server.
pub(crate) async fn mark_answers(mut request: Request, next: Next) -> Response {
    let asked = Asked::put(&mut request);
    let mut response = next.run(request).await;
    asked.mark(&mut response);
    response
}

/// For one person only, as long as the cookie is the same.
pub(crate) fn mark(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let varies =
        |line: &HeaderValue| line.to_str().is_ok_and(|line| line.to_ascii_lowercase().contains("cookie"));
    if !headers.get_all(VARY).iter().any(varies) {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
}
