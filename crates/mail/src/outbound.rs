//! What every request to another server has in common.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect};

const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A client that says who it is, does not wait for ever for a connection, and goes nowhere but where it was sent (O6).
pub(crate) fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_MAX)
}

/// Why there was no answer: the innermost cause. The outer ones name the URL.
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
