//! The mailbox of the development mode.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use minijinja::context;
use serde_json::{Value, json};
use vestibule::Accounts;

use super::render::page;
use crate::catalogue::Code;
use crate::extract::Pairs;
use crate::problem::Problem;
use crate::{App, DevMail, Site};

/// The longest wait. It ends before the request's own time does.
const WAIT_MAX: Duration = Duration::from_secs(29);

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/dev/mail", get(list)).route("/dev/mail/latest", get(latest))
}

async fn list(State(site): State<Arc<Site>>) -> Response {
    let mails = site.dev.as_ref().map(|mailbox| mailbox.list()).unwrap_or_default();
    let mails: Vec<_> = mails.iter().map(values).collect();
    page(StatusCode::OK, "dev_mail.html", context! { service => site.service_name.as_str(), mails })
}

fn values(mail: &DevMail) -> minijinja::Value {
    let DevMail { to, subject, text, code, link } = mail;
    context! { to, subject, text, code, link }
}

async fn latest(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    uri: axum::http::Uri,
) -> Result<Json<Value>, Problem> {
    let mut query = Pairs::parse(uri.query().unwrap_or_default().as_bytes())?;
    let refused = |detail: &'static str| Problem::new(Code::InvalidRequest).detail(detail);
    let to = query.take("to").ok_or(refused("Say whose mail: `?to=ada@example.org`."))?;
    let wait = match query.take("wait") {
        None => Duration::ZERO,
        Some(text) => seconds(&text).ok_or(refused("`wait` is 0 to 30 seconds, such as `5` or `5s`."))?,
    };
    let mailbox = site.dev.as_ref().ok_or(Problem::new(Code::NotFound))?;
    let mail = mailbox.latest(&to, wait.min(WAIT_MAX)).await;
    let DevMail { subject, text, code, link, .. } =
        mail.ok_or_else(|| Problem::new(Code::NotFound).detail("There is no mail to this address."))?;
    until_noted(&accounts).await?;
    Ok(Json(json!({"subject": subject, "text": text, "code": code, "link": link})))
}

/// A code counts once its hand-over was noted, milliseconds after the mail is here: too soon for a program that reads it
/// and sends it back at once. While another mail is stuck, the wait is short.
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
