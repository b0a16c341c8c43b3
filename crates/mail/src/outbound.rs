//! Shared by all requests to other servers.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, redirect};
use vestibule::SendError;

const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A client that identifies itself, limits the wait for a connection, and follows no redirects (O6).
pub(crate) fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_MAX)
}

/// Why there was no answer: the innermost cause. The outer ones contain the URL.
pub(crate) fn not_reached(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
    format!("{what}: {}", innermost(error))
}

pub(crate) fn innermost(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map(ToString::to_string).unwrap_or_default()
}

/// How long the other side asks to wait (RFC 9110 §10.2.3): seconds, or a time, which is compared with its own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let given = text(RETRY_AFTER)?;
    if let Ok(seconds) = given.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text: &str| rfc2822::parse(text).ok().map(|time| time.timestamp().as_second());
    u64::try_from(time(given)? - time(text(DATE)?)?).ok().map(Duration::from_secs)
}

/// An error that may pass, with the requested wait.
pub(crate) fn throttled(error: SendError, headers: &HeaderMap) -> SendError {
    match (error, retry_after(headers)) {
        (SendError::Temporary(cause), Some(retry_after)) => SendError::Throttled { cause, retry_after },
        (error, _) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after: &str, date: &str) -> Option<Duration> {
        let headers =
            [(RETRY_AFTER, retry_after), (DATE, date)].map(|(name, value)| (name, value.parse().unwrap()));
        super::retry_after(&headers.into_iter().collect())
    }

    #[test]
    fn a_wait_is_seconds_or_a_time() {
        let date = "Fri, 31 Dec 1999 23:59:59 GMT";
        assert_eq!(asked("120", date), Some(Duration::from_mins(2)));
        assert_eq!(asked("Sat, 01 Jan 2000 00:01:59 GMT", date), Some(Duration::from_mins(2)));
        for (retry_after, date) in
            [("soon", date), ("-1", date), ("1.5", date), ("Fri, 31 Dec 1999 23:59:58 GMT", date), ("", "")]
        {
            assert_eq!(asked(retry_after, date), None, "{retry_after}");
        }
        assert_eq!(asked("Sat, 01 Jan 2000 00:01:59 GMT", "today"), None);
    }
}
