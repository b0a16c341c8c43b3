//! `/account`: what people see and change in their own accounts.

mod changes;
mod data;
mod page;

use axum::routing::{get, post};

use crate::app::App;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/account", get(page::show))
        .route("/account/profile", post(changes::change_profile))
        .route("/account/email", post(changes::change_email))
        .route("/account/email/cancel", post(changes::cancel_email))
        .route("/account/password", post(changes::change_password))
        .route("/account/sessions/end", post(changes::end_sessions))
        .route("/account/export", get(data::export))
        .route("/account/delete", post(data::delete))
        .route("/.well-known/change-password", get(page::to_password))
}
