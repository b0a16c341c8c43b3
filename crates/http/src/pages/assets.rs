//! `/assets` and `/docs/assets`: the files of all pages, and what the reference comes back through.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::docs::reference;
use crate::app::{App, Site};
use crate::catalogue::Code;
use crate::pages::frame::assets::Asset;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/assets/{file}", get(serve))
        .route("/docs/assets/{file}", get(reference::asset))
        .route("/docs/signed-in", get(reference::signed_in))
}

/// A file by its name; no file path is ever made from a request (H5).
async fn serve(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Result<Response, Problem> {
    let Asset { content_type, bytes, .. } = site.assets.find(&name).ok_or(Problem::new(Code::NotFound))?;
    let mut response = bytes.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}
