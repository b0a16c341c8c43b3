//! `/account`: what people see and change in their own accounts.

mod applications;
mod authenticator;
mod changes;
mod data;
mod page;
mod passkeys;
mod recovery_codes;
pub(super) mod security;
pub(super) mod step_up;
mod verify;

use axum::routing::{get, post};

use crate::app::App;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/account", get(page::show))
        .route("/account/profile", post(changes::change_profile))
        .route("/account/email", post(changes::change_email))
        .route("/account/email/cancel", post(changes::cancel_email))
        .route("/account/password", post(changes::change_password))
        .route("/account/password/remove", post(changes::remove_password))
        .route("/account/sessions/end", post(changes::end_sessions))
        .route("/account/applications/disconnect", post(applications::disconnect))
        .route("/account/export", get(data::export))
        .route("/account/delete", post(data::delete))
        .route("/.well-known/change-password", get(page::to_password))
        .route("/.well-known/passkey-endpoints", get(passkeys::endpoints))
        .merge(authenticator::routes())
        .merge(passkeys::routes())
        .merge(recovery_codes::routes())
        .merge(verify::routes())
}
