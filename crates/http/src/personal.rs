//! Answers that depend on who asks: no cache may keep them, and none may give them to another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// Whether somebody asked who makes the request.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<AtomicBool>);

impl Asked {
    /// Goes along with a request.
    pub(crate) fn put(request: &mut Request) -> Self {
        let asked = Self::default();
        request.extensions_mut().insert(asked.clone());
        asked
    }

    /// The answer to this request depends on who makes it.
    pub(crate) fn note(extensions: &Extensions) {
        if let Some(Self(asked)) = extensions.get() {
            asked.store(true, Ordering::Relaxed);
        }
    }

    /// Marks the answer, if it depends on that (H3).
    pub(crate) fn mark(&self, response: &mut Response) {
        if self.0.load(Ordering::Relaxed) {
            mark(response.headers_mut());
        }
    }
}

/// For everything around which a server puts it.
pub(crate) async fn mark_answers(mut request: Request, next: Next) -> Response {
    let asked = Asked::put(&mut request);
    let mut response = next.run(request).await;
    asked.mark(&mut response);
    response
}

/// For one person, as long as the cookie is the same.
pub(crate) fn mark(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let varies =
        |line: &HeaderValue| line.to_str().is_ok_and(|line| line.to_ascii_lowercase().contains("cookie"));
    if !headers.get_all(VARY).iter().any(varies) {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
}
