//! `/admin`: how it goes.

use axum::response::Response;
use axum::routing::get;
use minijinja::context;

use super::Admin;
use crate::App;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/admin", get(show))
}

async fn show(admin: Admin) -> Result<Response, Problem> {
    let stats = admin.visit().accounts.stats(admin.actor()).await?;
    Ok(admin.page("overview", "admin_overview.html", context! { users_active => stats.users_active }))
}
