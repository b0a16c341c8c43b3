//! `/docs/errors`: what each code means, its cause and its fix.

use axum::http::StatusCode;
use axum::response::Response;
use minijinja::context;

use crate::catalogue::{Code, Entry, catalogue};
use crate::describe::errors::{EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::LastSegment;
use crate::pages::frame::visit::Visit;

pub(crate) fn routes() -> Routes {
    routes!(list, show)
}

fn values(entry: &Entry) -> minijinja::Value {
    let Entry { code, status, title, cause, fix, of_a_field } = *entry;
    context! { code => code.as_str(), status, title, cause, fix, of_a_field }
}

errors!(ListErrors: EVERY);

/// All error codes.
#[utoipa::path(get, path = "/docs/errors", tag = "Pages", operation_id = "error_codes",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ListErrors))]
async fn list(visit: Visit) -> Response {
    let entries: Vec<_> = catalogue().iter().map(values).collect();
    visit.page(StatusCode::OK, "docs/errors.html", context! { entries })
}

errors!(ShowErrors: EVERY, &[Code::NotFound]);

/// One error code.
#[utoipa::path(get, path = "/docs/errors/{code}", tag = "Pages", operation_id = "error_code",
    params(("code" = String, Path, description = "The code.", example = "invalid_token")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show(visit: Visit, LastSegment(code): LastSegment<Code>) -> Response {
    let curl = curl(code, visit.accounts.public_url());
    visit.page(StatusCode::OK, "docs/error.html", context! { curl, ..values(code.entry()) })
}

/// A command that shows this error or a similar one.
fn curl(code: Code, url: &str) -> String {
    match code.entry().status {
        401 if code == Code::InvalidToken => format!("curl -i {url}/v1/me -H 'Authorization: Bearer wrong'"),
        401 if code == Code::AuthenticationRequired => format!("curl -i {url}/v1/me"),
        404 => format!("curl -i {url}/nowhere"),
        405 => format!("curl -i -X DELETE {url}/livez"),
        406 => format!("curl -i {url}/v1/me -H 'Accept: text/html'"),
        403 if code == Code::Forbidden => {
            format!("curl -i {url}/v1/admin/users -H \"Authorization: Bearer $ACCESS_TOKEN\"")
        }
        401 | 403 | 429 => {
            post(url, "/v1/login", r#"{"email":"ada@example.org","password":"not-the-password"}"#)
        }
        410 => post(url, "/v1/confirm", r#"{"token":"an-old-token","password":"violet-otter-maps-42"}"#),
        400 => post(url, "/v1/signup", r#"{"email":"#),
        415 => format!("curl -i {url}/v1/signup -d 'email=ada@example.org'"),
        500 | 503 => format!("curl -i {url}/readyz"),
        _ if code == Code::PasswordWrong => {
            let change = r#"{"email":"ada@example.com","password":"not-the-password"}"#;
            post(url, "/v1/me/email", change) + " -H \"Authorization: Bearer $ACCESS_TOKEN\""
        }
        _ => post(url, "/v1/signup", r#"{"email":"ada@example.org","password":"short"}"#),
    }
}

fn post(url: &str, path: &str, body: &str) -> String {
    format!("curl -i {url}{path} -H 'Content-Type: application/json' -d '{body}'")
}
