//! The mailbox of the development mode: what would have been sent, and switches that make sending fail. It is for
//! developers of applications, so it is in English like the documents.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use minijinja::context;
use serde_json::{Value, json};
use vestibule::Accounts;

use crate::app::{App, Site};
use crate::catalogue::Code;
use crate::extract::Pairs;
use crate::options::{DevFault, DevMail, DevMailbox};
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::{Visit, see_other};
use crate::problem::Problem;

/// The longest wait. It ends before the request's own time limit.
const WAIT_MAX: Duration = Duration::from_secs(29);

/// A mail is a document of its own: its styles work, everything else in it is inert, and only our page may frame it.
const MAIL_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox",
);

/// The page of one mail frames its HTML.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/dev/mail", get(list))
        .route("/dev/mail/latest", get(latest))
        .route("/dev/mail/state", get(state))
        .route("/dev/mail/fault", post(set_fault))
        .route("/dev/mail/clear", post(clear))
        .route("/dev/mail/{number}", get(show))
        .route("/dev/mail/{number}/html", get(html))
}

/// The mailbox; without it these routes do not exist.
fn mailbox(site: &Site) -> Result<&dyn DevMailbox, Problem> {
    site.dev.as_deref().ok_or(Problem::new(Code::NotFound))
}

/// The switches, with the names sent by the form.
const FAULTS: [(DevFault, &str, &str); 5] = [
    (DevFault::None, "none", "works"),
    (DevFault::Unreachable, "unreachable", "is not there"),
    (DevFault::Temporary, "temporary", "answers 4xx: try later"),
    (DevFault::Permanent, "permanent", "answers 5xx: refused"),
    (DevFault::Stall, "stall", "does not answer"),
];

async fn list(visit: Visit) -> Result<Response, Problem> {
    let mailbox = mailbox(&visit.site)?;
    let mails: Vec<_> = mailbox.list().iter().map(values).collect();
    let now = mailbox.fault();
    let fault = |(fault, name, words)| context! { name, words, current => fault == now };
    let faults: Vec<_> = FAULTS.into_iter().map(fault).collect();
    let waiting = visit.accounts.health().await?;
    let values = context! {
        newest => newest(mailbox), mails, faults, broken => now != DevFault::None,
        waiting => waiting.mails_waiting, failed => waiting.mails_failed, last_error => waiting.last_mail_error,
    };
    Ok(visit.page(StatusCode::OK, "dev/mail.html", values))
}

fn values(mail: &DevMail) -> minijinja::Value {
    let DevMail { number, to, subject, code, link, created_at, .. } = mail;
    context! { number, to, subject, code, link, created_at => created_at.to_string() }
}

fn newest(mailbox: &dyn DevMailbox) -> u64 {
    mailbox.list().first().map_or(0, |mail| mail.number)
}

fn find(site: &Site, number: &str) -> Result<DevMail, Problem> {
    let found = mailbox(site)?.list().into_iter().find(|mail| mail.number.to_string() == number);
    found.ok_or(Problem::new(Code::NotFound))
}

/// One mail, as HTML, text or source.
async fn show(visit: Visit, Path(number): Path<String>, uri: Uri) -> Result<Response, Problem> {
    let mail = find(&visit.site, &number)?;
    let asked = query(&uri).take("view").unwrap_or_default();
    let view = ["html", "text", "source"].into_iter().find(|view| *view == asked).unwrap_or("html");
    let shown = if view == "source" { &mail.source } else { &mail.text };
    let page = context! { view, shown, ..values(&mail) };
    Ok(visit.page_under(PAGE_POLICY, StatusCode::OK, "dev/mail_one.html", page))
}

async fn html(State(site): State<Arc<Site>>, Path(number): Path<String>) -> Result<Response, Problem> {
    let mut response = Html(find(&site, &number)?.html).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, MAIL_POLICY);
    response.headers_mut().insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    Ok(response)
}

/// Polled by the script.
async fn state(State(site): State<Arc<Site>>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "newest": newest(mailbox(&site)?) })))
}

async fn set_fault(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let form = form.accepted()?;
    let asked = form.value("fault").unwrap_or_default();
    let fault = FAULTS.into_iter().find(|(_, name, _)| *name == asked).map(|(fault, ..)| fault);
    let refused = || Problem::new(Code::InvalidRequest).detail("There is no such fault.");
    mailbox(&visit.site)?.set_fault(fault.ok_or_else(refused)?);
    Ok(see_other("/dev/mail"))
}

async fn clear(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    form.accepted()?;
    mailbox(&visit.site)?.clear();
    Ok(see_other("/dev/mail"))
}

async fn latest(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let mut query = Pairs::parse(uri.query().unwrap_or_default().as_bytes())?;
    let refused = |detail: &'static str| Problem::new(Code::InvalidRequest).detail(detail);
    let to = query.take("to").ok_or(refused("Say whose mail: `?to=ada@example.org`."))?;
    let wait = match query.take("wait") {
        None => Duration::ZERO,
        Some(text) => seconds(&text).ok_or(refused("`wait` is 0 to 30 seconds, such as `5` or `5s`."))?,
    };
    let mail = mailbox(&site)?.latest(&to, wait.min(WAIT_MAX)).await;
    let DevMail { subject, text, code, link, .. } =
        mail.ok_or_else(|| Problem::new(Code::NotFound).detail("There is no mail to this address."))?;
    until_noted(&accounts).await?;
    Ok(Json(json!({"subject": subject, "text": text, "code": code, "link": link})))
}

/// A code counts once its sending was recorded, milliseconds after the mail arrives here: too late for a program that
/// reads it and sends it back immediately. While another mail is stuck, the wait is short.
#[expect(clippy::disallowed_methods, reason = "a pause for people, in the development mode only")]
async fn until_noted(accounts: &Accounts) -> Result<(), Problem> {
    for _ in 0..20 {
        if accounts.health().await?.mails_waiting == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// `5` or `5s`, at most 30.
fn seconds(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s').unwrap_or(text);
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = number.parse().ok().filter(|_| digits)?;
    (seconds <= 30).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_written_with_or_without_its_unit() {
        assert_eq!(seconds("5"), Some(Duration::from_secs(5)));
        assert_eq!(seconds("30s"), Some(Duration::from_secs(30)));
        for text in ["", "s", "-1", "+1", "31", "5m", "5 s", "99999999999999999999"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
