//! `/metrics`, on a listener of its own: what an operator's Prometheus reads. Off unless `metrics.listen` is set.

pub(super) mod counts;
mod process;
mod scrape;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use subtle::ConstantTimeEq as _;
use tokio::task::AbortHandle;
use vestibule::Secret;

use super::answers::Answers;
use super::connections::{Connections, Front, Rules, Usage};
use super::listener::Listener;
use crate::config::settings::Config;
use crate::failure::Failure;
use scrape::{Format, Scrape};

/// Scrapers are few.
const CONNECTIONS_MOST: usize = 32;

/// The running listener. Dropping the value ends it.
pub(super) struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Binds the listener, where one is wanted.
pub(super) async fn bind(config: &Config) -> Result<Option<Listener>, Failure> {
    let Some(metrics) = &config.metrics else { return Ok(None) };
    let fix = "choose another place with metrics.listen or VESTIBULE_METRICS_LISTEN";
    Listener::bind(&metrics.listen).await.map(Some).map_err(|failure| failure.fix(fix))
}

/// Serves `/metrics` until the returned value is dropped.
pub(super) fn serve(listener: Listener, config: &Config, answers: &Answers, usage: &Usage) -> Running {
    tracing::info!(address = %listener.address(), "metrics");
    let token = config.metrics.as_ref().and_then(|metrics| metrics.token.clone());
    let scrape = Scrape::new(answers, usage.clone());
    let router = Router::new().route("/metrics", get(answer)).with_state(Arc::new((scrape, token)));
    let connections = Connections::new(CONNECTIONS_MOST, Front::new(router, Rules::of_few(CONNECTIONS_MOST)));
    Running(tokio::spawn(async move { connections.accept(&listener).await }).abort_handle())
}

async fn answer(State(state): State<Arc<(Scrape, Option<Secret>)>>, headers: HeaderMap) -> Response {
    let (scrape, token) = &*state;
    if token.as_ref().is_some_and(|token| !is_given(token, &headers)) {
        let challenge = [(WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, challenge, "the token of metrics.token is missing or wrong\n")
            .into_response();
    }
    let format = Format::of(headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default());
    match scrape.text(format).await {
        Ok(text) => {
            ([(CONTENT_TYPE, format.content_type()), (CACHE_CONTROL, "no-store")], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the metrics were not written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn is_given(token: &Secret, headers: &HeaderMap) -> bool {
    let given = headers.get(AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
    let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
    bool::from(given.ct_eq(token.expose().as_bytes()))
}
