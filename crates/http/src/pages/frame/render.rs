//! Turns templates into answers.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use minijinja::value::Kwargs;
use minijinja::{Environment, Value, context};

use super::i18n::Language;
use super::look::assets::Asset;
use super::look::icons::{icon, with_drawings};
use crate::app::Site;
use crate::catalogue::Code;
use crate::problem::Problem;

/// The templates, named by their paths.
macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),+]
    };
}

const FILES: &[(&str, &str)] = templates![
    "account/account.html",
    "account/authenticator.html",
    "account/goodbye.html",
    "account/recovery_codes.html",
    "account/security.html",
    "account/verify.html",
    "admin/audit.html",
    "admin/client.html",
    "admin/client_forms.html",
    "admin/client_secret.html",
    "admin/clients.html",
    "admin/health.html",
    "admin/mail.html",
    "admin/new_client.html",
    "admin/overview.html",
    "admin/registrations.html",
    "admin/section.html",
    "admin/user.html",
    "admin/users.html",
    "dev/mail.html",
    "dev/mail_one.html",
    "docs/error.html",
    "docs/errors.html",
    "docs/reference.html",
    "docs/signed_in.html",
    "frame/base.html",
    "frame/forms.html",
    "frame/lists.html",
    "frame/factors.html",
    "frame/mark.html",
    "frame/problem.html",
    "frame/room.html",
    "home.html",
    "oauth/consent.html",
    "oauth/sign_out.html",
    "oauth/signed_out.html",
    "oauth/stopped.html",
    "sign_in/address.html",
    "sign_in/enrol.html",
    "sign_in/link.html",
    "sign_in/login.html",
    "sign_in/second_factor.html",
    "sign_up/check_mail.html",
    "sign_up/confirm.html",
    "sign_up/join.html",
    "sign_up/signup.html",
    "sign_up/terms.html",
];

/// One set for each language, so that macros find its texts as well.
static TEMPLATES: LazyLock<[Environment<'static>; 5]> = LazyLock::new(|| Language::ALL.map(templates));

fn templates(language: Language) -> Environment<'static> {
    let mut templates = Environment::new();
    templates.add_function("t", move |key: &str, values: Kwargs| language.html(key, &values));
    templates.add_function("to", |path: &str, values: Kwargs| to(path, &values));
    templates.add_function("icon", |name: &str, classes: Option<&str>| icon(name, classes));
    templates.add_filter("bdi", |value: Value| {
        Value::from_safe_string(format!("<bdi>{}</bdi>", minijinja::HtmlEscape(&value.to_string())))
    });
    templates.add_filter("code", |value: Value| {
        Value::from_safe_string(format!(
            "<code dir=\"ltr\">{}</code>",
            minijinja::HtmlEscape(&value.to_string())
        ))
    });
    templates.add_filter("prose", |text: &str| Value::from_safe_string(prose(text)));
    templates.add_filter("when", |time: Value| when(&time));
    for (name, text) in FILES {
        templates.add_template(name, text).expect("the templates in this crate are well-formed");
    }
    templates
}

/// A sentence for developers, in which what stands between backticks is code.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| {
            let part = minijinja::HtmlEscape(part);
            if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_string() }
        })
        .collect()
}

/// A link to one of our pages, with the parameters that have a value.
fn to(path: &str, values: &Kwargs) -> Result<Value, minijinja::Error> {
    let mut query = Vec::new();
    for name in values.args() {
        let value: Option<&str> = values.get(name)?;
        query.extend(value.map(|value| (name, value)));
    }
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    let address = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    Ok(Value::from_safe_string(address.replace('&', "&amp;")))
}

/// A time, which the script rewrites in the reader's zone and language.
fn when(time: &Value) -> Value {
    let rfc3339 = time.to_string();
    let shown = rfc3339.get(..16).unwrap_or_default().replace('T', " ");
    let attribute = minijinja::HtmlEscape(&rfc3339).to_string();
    Value::from_safe_string(format!("<time datetime=\"{attribute}\" dir=\"ltr\">{shown} UTC</time>"))
}

/// Our pages ask for passkeys, and for nothing else that browsers let a page ask for.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), display-capture=(), \
     geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
);

/// The values of every page.
fn frame(site: &Site, language: Language) -> Value {
    let brand = &site.brand;
    // The slashes in our own names need no escaping.
    let own = |asset: &Asset| Value::from_safe_string(asset.path());
    let link = |at: &str| if at.contains("://") { at.to_owned() } else { format!("mailto:{at}") };
    context! {
        service => site.service_name.as_str(),
        lang => language.tag(),
        dir => language.direction(),
        css => own(&site.assets.css),
        rooms_css => own(&site.assets.rooms_css),
        admin_css => own(&site.assets.admin_css),
        own_css => site.assets.own_css.as_ref().map(own),
        js => own(&site.assets.js),
        favicon => own(&site.assets.icon),
        favicon_type => site.assets.icon.content_type,
        touch_icon => site.assets.touch_icon.as_ref().map(own),
        logo => site.assets.logo.as_ref().map(own),
        logo_alone => brand.logo_alone,
        support => brand.support.as_deref().map(link),
        terms_url => brand.terms_url.as_deref(),
        privacy_url => brand.privacy_url.as_deref(),
        dev => site.dev.is_some(),
    }
}

/// No page of another site keeps a hold of a window with ours.
pub(crate) const OPENER_POLICY: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));

/// Renders a page: values are escaped, because the template's name ends in `.html`.
pub(crate) fn page(
    site: &Site,
    language: Language,
    policy: HeaderValue,
    status: StatusCode,
    template: &str,
    values: Value,
) -> Response {
    let templates = &TEMPLATES[language as usize];
    let values = context! { ..values, ..frame(site, language) };
    let rendered = templates.get_template(template).and_then(|template| template.render(values));
    let html = match rendered {
        Ok(html) => site.base.in_html(with_drawings(html)),
        Err(error) => {
            tracing::error!(%error, template, "a page was not rendered");
            return Problem::new(Code::InternalError).into_response();
        }
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, policy),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        OPENER_POLICY,
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ];
    (status, headers, Html(html)).into_response()
}
