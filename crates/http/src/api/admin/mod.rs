//! The routes of administrators.

mod app_data;
pub(crate) mod audit;
pub(crate) mod client;
mod clients;
mod grants;
pub(crate) mod outbox;
pub(crate) mod registrations;
pub(crate) mod stats;
pub(crate) mod user;
pub(crate) mod user_query;
mod users;
mod ways_in;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] = &[
    app_data::routes,
    audit::routes,
    clients::routes,
    grants::routes,
    outbox::routes,
    registrations::routes,
    stats::routes,
    user::routes,
    users::routes,
    ways_in::routes,
];
