//! The page where a way ends that an application sent somebody on. Nobody is sent back: who sent them is not known, or what
//! they came for is not.

use axum::http::StatusCode;
use axum::response::Response;
use minijinja::context;

use crate::pages::frame::visit::Visit;

/// Why it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// There is no such application.
    Application,
    /// The application has not registered the address for its answer.
    RedirectUri,
    /// The parameters cannot be read.
    Malformed,
    /// The parameters are longer than is kept.
    TooLong,
    /// The request was answered, is too old, or belongs to another browser.
    Gone,
}

/// The page.
pub(super) fn stopped(visit: &Visit, why: Stopped) -> Response {
    let (status, why) = match why {
        Stopped::Application => (StatusCode::BAD_REQUEST, "application"),
        Stopped::RedirectUri => (StatusCode::BAD_REQUEST, "redirect_uri"),
        Stopped::Malformed => (StatusCode::BAD_REQUEST, "malformed"),
        Stopped::TooLong => (StatusCode::BAD_REQUEST, "too_long"),
        Stopped::Gone => (StatusCode::GONE, "gone"),
    };
    visit.page(status, "oauth/stopped.html", context! { why })
}
