//! The API: one file per resource, one handler per operation.

pub(crate) mod admin;
pub(crate) mod admin_user;
pub(crate) mod audit;
mod common;
mod confirm;
pub(crate) mod device;
pub(crate) mod email;
mod introspect;
pub(crate) mod invitation;
mod login;
pub(crate) mod me;
mod oauth;
pub(crate) mod outbox;
mod paging;
pub(crate) mod password;
pub(crate) mod registrations;
mod sessions;
pub(crate) mod setup;
pub(crate) mod signup;
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
