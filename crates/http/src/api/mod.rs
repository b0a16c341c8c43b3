//! The API: one file per resource, one handler per operation.

pub(crate) mod account;
pub(crate) mod admin;
mod common;
pub(crate) mod device;
mod doctor;
pub(crate) mod oauth;
mod operations;
mod paging;
pub(crate) mod readiness;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
mod user;

use crate::describe::routes::RoutesOf;

/// The routes of the API, file by file.
pub(crate) const ROUTES: &[&[RoutesOf]] = &[
    sign_up::ROUTES,
    sign_in::ROUTES,
    oauth::ROUTES,
    account::ROUTES,
    admin::ROUTES,
    &[operations::routes, doctor::routes],
];
