//! `/`: where everything is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use minijinja::context;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule::Accounts;

use super::render::page;
use crate::openapi::{EVERY, errors};
use crate::{App, Site};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(home))
}

errors!(HomeErrors: EVERY);

/// The addresses of this server: a page for browsers, plain text for everybody else.
#[utoipa::path(get, path = "/", tag = "Pages", operation_id = "home",
    responses((status = 200, description = "The addresses.", content(
        (String = "text/plain", example = "Vestibule\n\nSign up  POST https://accounts.example.org/v1/signup\n"),
        (String = "text/html"))), HomeErrors))]
async fn home(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Response {
    let url = accounts.public_url();
    let browser =
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|a| a.contains("text/html"));
    let mut response = if browser {
        let values = context! { service => site.service_name.as_str(), url, dev => site.dev.is_some() };
        page(StatusCode::OK, "home.html", values)
    } else {
        ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text(&site, url)).into_response()
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

fn text(site: &Site, url: &str) -> String {
    let mailbox = if site.dev.is_some() { format!("Mailbox   {url}/dev/mail\n") } else { String::new() };
    let name = &site.service_name;
    format!(
        "{name}\n\nSign up   POST {url}/v1/signup\nSign in   POST {url}/v1/login\nAPI docs  {url}/docs\n\
         Errors    {url}/docs/errors\n{mailbox}"
    )
}
