//! Templates become answers.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use minijinja::{Environment, Value};

use crate::catalogue::Code;
use crate::problem::Problem;

/// Our own scripts and styles, forms to ourselves, nothing else, inside no frame (B1).
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    let files = [
        ("base.html", include_str!("../templates/base.html")),
        ("home.html", include_str!("../templates/home.html")),
        ("forms.html", include_str!("../templates/forms.html")),
        ("login.html", include_str!("../templates/login.html")),
        ("address.html", include_str!("../templates/address.html")),
        ("join.html", include_str!("../templates/join.html")),
        ("link.html", include_str!("../templates/link.html")),
        ("confirm.html", include_str!("../templates/confirm.html")),
        ("docs.html", include_str!("../templates/docs.html")),
        ("errors.html", include_str!("../templates/errors.html")),
        ("error.html", include_str!("../templates/error.html")),
        ("dev_mail.html", include_str!("../templates/dev_mail.html")),
    ];
    for (name, text) in files {
        templates.add_template(name, text).expect("the templates in this crate are well-formed");
    }
    templates
});

/// A page: values in it are escaped, because its name ends in `.html`.
pub(crate) fn page(status: StatusCode, template: &str, values: Value) -> Response {
    page_under(POLICY, status, template, values)
}

/// A page with a content security policy of its own.
pub(crate) fn page_under(policy: HeaderValue, status: StatusCode, template: &str, values: Value) -> Response {
    let rendered = TEMPLATES.get_template(template).and_then(|template| template.render(values));
    let html = match rendered {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, template, "a page was not rendered");
            return Problem::new(Code::InternalError).into_response();
        }
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, policy),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (status, headers, Html(html)).into_response()
}
