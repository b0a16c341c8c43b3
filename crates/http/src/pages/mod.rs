//! Pages for people and answers for machines that are not part of the API proper.

mod address;
mod confirm;
pub(crate) mod dev_mail;
mod docs;
mod errors;
mod home;
mod join;
mod link;
mod login;
mod operations;
mod problems;
mod render;

use crate::App;
use crate::openapi::RoutesOf;
use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

/// The routes of the pages that are described, file by file.
pub(crate) const ROUTES: &[RoutesOf] = &[
    home::routes,
    confirm::routes,
    address::routes,
    link::routes,
    join::routes,
    login::routes,
    operations::routes,
    docs::routes,
    errors::routes,
];

/// Styles and scripts, which are part of the program: no path is ever made from a request (H5).
pub(crate) fn assets() -> Router<App> {
    Router::new()
        .route(
            "/assets/site.css",
            get(async || asset("text/css; charset=utf-8", include_str!("../assets/site.css"))),
        )
        .route(
            "/assets/confirm.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("../assets/confirm.js"))),
        )
        .route(
            "/assets/setup.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("../assets/setup.js"))),
        )
        .route(
            "/assets/docs.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("../assets/docs.js"))),
        )
        .route("/docs/assets/{file}", get(docs::asset))
}

fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "public, max-age=300")], text)
}
