//! `/login`: the mails name it; it says where to sign in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::context;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule::Accounts;

use super::render::page;
use crate::openapi::{EVERY, errors};
use crate::{App, Site};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(login))
}

errors!(LoginErrors: EVERY);

/// Says how to sign in.
#[utoipa::path(get, path = "/login", tag = "Pages", operation_id = "login_page",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), LoginErrors))]
async fn login(State(accounts): State<Accounts>, State(site): State<Arc<Site>>) -> Response {
    let values = context! { service => site.service_name.as_str(), url => accounts.public_url() };
    page(StatusCode::OK, "login.html", values)
}
