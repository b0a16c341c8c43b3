//! `/assets` and `/docs/assets`: the files of all pages, and what the reference comes back through; beside them what
//! search engines and home screens ask for.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;

use super::docs::reference;
use crate::app::{App, Site};
use crate::catalogue::Code;
use crate::pages::frame::look::assets::Asset;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/assets/{file}", get(serve))
        .route("/docs/assets/{file}", get(reference::asset))
        .route("/docs/signed-in", get(reference::signed_in))
        .route("/robots.txt", get(robots))
        .route("/manifest.webmanifest", get(manifest))
}

/// How long browsers keep what has a fixed name.
const FOR_A_DAY: (HeaderName, HeaderValue) =
    (CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));

/// Search engines find the ways in. Nothing behind them is for them, and links of mails least of all.
async fn robots() -> Response {
    let text = "User-agent: *\nAllow: /$\nAllow: /login$\nAllow: /signup$\nAllow: /assets/\nDisallow: /\n";
    ([(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")), FOR_A_DAY], text).into_response()
}

/// What a home screen shows (W3C, "Web Application Manifest").
async fn manifest(State(site): State<Arc<Site>>) -> Response {
    let icon = &site.assets.icon;
    let text = json!({
        "name": site.service_name, "short_name": site.service_name, "display": "browser", "start_url": site.base.on_host("/"),
        "background_color": "#f5f6f8", "theme_color": site.brand.accent.to_string(),
        "icons": [{"src": site.base.on_host(&icon.path()), "type": icon.content_type, "sizes": "any"}],
    });
    let content_type = HeaderValue::from_static("application/manifest+json");
    ([(CONTENT_TYPE, content_type), FOR_A_DAY], text.to_string()).into_response()
}

/// A file by its name; no file path is ever made from a request (H5).
async fn serve(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let Asset { content_type, content, .. } = site.assets.find(&name).ok_or(Problem::new(Code::NotFound))?;
    let mut response = content.answer(&asked);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}
