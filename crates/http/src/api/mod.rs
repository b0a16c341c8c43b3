//! The API: one file per resource, one handler per operation.

mod admin;
mod admin_user;
mod audit;
mod common;
mod confirm;
mod device;
mod email;
mod introspect;
mod invitation;
mod login;
mod me;
mod oauth;
mod outbox;
mod paging;
mod password;
mod registrations;
mod sessions;
mod setup;
mod signup;
mod stats;
mod token;
mod user;
mod verify;

pub(crate) use user::User;
pub(crate) use verify::VERIFY;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(signup::routes())
        .merge(confirm::routes())
        .merge(login::routes())
        .merge(token::routes())
        .merge(introspect::routes())
        .merge(verify::routes())
        .merge(me::routes())
        .merge(password::routes())
        .merge(email::routes())
        .merge(sessions::routes())
        .merge(admin::routes())
        .merge(registrations::routes())
        .merge(outbox::routes())
        .merge(admin_user::routes())
        .merge(invitation::routes())
        .merge(setup::routes())
        .merge(audit::routes())
        .merge(stats::routes())
}
