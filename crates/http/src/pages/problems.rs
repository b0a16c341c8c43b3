//! What a page says when a form was refused.

use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::Response;

use crate::catalogue::Code;
use crate::problem::Problem;

/// The status and the most precise code, for the person who sent the form; `None` where the person cannot help it.
pub(super) fn for_person(problem: &Problem) -> Option<(StatusCode, Code)> {
    let code = problem.field_errors().first().map_or(problem.code(), |error| error.code);
    match problem.code().status() {
        // A 401 would need a challenge, and browsers answer challenges with windows of their own.
        StatusCode::UNAUTHORIZED => Some((StatusCode::UNPROCESSABLE_ENTITY, code)),
        status => status.is_client_error().then_some((status, code)),
    }
}

/// The page with the headers of the problem it shows.
pub(super) fn with_headers(mut page: Response, problem: &Problem) -> Response {
    problem.write_headers(&mut page);
    page.headers_mut().remove(WWW_AUTHENTICATE);
    page
}
