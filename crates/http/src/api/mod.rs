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

use crate::openapi::RoutesOf;

/// The routes of the API, file by file.
pub(crate) const ROUTES: &[RoutesOf] = &[
    signup::routes,
    confirm::routes,
    login::routes,
    token::routes,
    introspect::routes,
    verify::routes,
    me::routes,
    password::routes,
    email::routes,
    sessions::routes,
    admin::routes,
    registrations::routes,
    outbox::routes,
    admin_user::routes,
    invitation::routes,
    setup::routes,
    audit::routes,
    stats::routes,
];
