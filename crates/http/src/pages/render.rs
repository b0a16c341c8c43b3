//! Templates become answers.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use minijinja::value::Kwargs;
use minijinja::{Environment, Value};

use super::i18n::Language;
use crate::catalogue::Code;
use crate::problem::Problem;

/// Our own scripts and styles, forms to ourselves, nothing else, inside no frame (B1).
pub(crate) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

const FILES: &[(&str, &str)] = &[
    ("account.html", include_str!("../templates/account.html")),
    ("address.html", include_str!("../templates/address.html")),
    ("admin.html", include_str!("../templates/admin.html")),
    ("admin_audit.html", include_str!("../templates/admin_audit.html")),
    ("admin_mail.html", include_str!("../templates/admin_mail.html")),
    ("admin_overview.html", include_str!("../templates/admin_overview.html")),
    ("admin_registrations.html", include_str!("../templates/admin_registrations.html")),
    ("admin_user.html", include_str!("../templates/admin_user.html")),
    ("admin_users.html", include_str!("../templates/admin_users.html")),
    ("base.html", include_str!("../templates/base.html")),
    ("check_mail.html", include_str!("../templates/check_mail.html")),
    ("confirm.html", include_str!("../templates/confirm.html")),
    ("dev_mail.html", include_str!("../templates/dev_mail.html")),
    ("dev_mail_one.html", include_str!("../templates/dev_mail_one.html")),
    ("docs.html", include_str!("../templates/docs.html")),
    ("error.html", include_str!("../templates/error.html")),
    ("errors.html", include_str!("../templates/errors.html")),
    ("forms.html", include_str!("../templates/forms.html")),
    ("goodbye.html", include_str!("../templates/goodbye.html")),
    ("home.html", include_str!("../templates/home.html")),
    ("join.html", include_str!("../templates/join.html")),
    ("link.html", include_str!("../templates/link.html")),
    ("lists.html", include_str!("../templates/lists.html")),
    ("login.html", include_str!("../templates/login.html")),
    ("mark.html", include_str!("../templates/mark.html")),
    ("problem.html", include_str!("../templates/problem.html")),
    ("signup.html", include_str!("../templates/signup.html")),
];

/// One set for each language, so that macros find its texts, too.
static TEMPLATES: LazyLock<[Environment<'static>; 5]> = LazyLock::new(|| Language::ALL.map(templates));

fn templates(language: Language) -> Environment<'static> {
    let mut templates = Environment::new();
    templates.add_function("t", move |key: &str, values: Kwargs| language.html(key, &values));
    templates.add_filter("bdi", |value: Value| {
        Value::from_safe_string(format!("<bdi>{}</bdi>", minijinja::HtmlEscape(&value.to_string())))
    });
    templates.add_filter("when", |time: Value| when(&time));
    for (name, text) in FILES {
        templates.add_template(name, text).expect("the templates in this crate are well-formed");
    }
    templates
}

/// A time that the script writes in the reader's zone and language.
fn when(time: &Value) -> Value {
    let rfc3339 = time.to_string();
    let shown = rfc3339.get(..16).unwrap_or_default().replace('T', " ");
    let attribute = minijinja::HtmlEscape(&rfc3339).to_string();
    Value::from_safe_string(format!("<time datetime=\"{attribute}\" dir=\"ltr\">{shown} UTC</time>"))
}

/// A page: values in it are escaped, because its name ends in `.html`.
pub(crate) fn page(
    language: Language,
    policy: HeaderValue,
    status: StatusCode,
    template: &str,
    values: Value,
) -> Response {
    let templates = &TEMPLATES[language as usize];
    let rendered = templates.get_template(template).and_then(|template| template.render(values));
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
