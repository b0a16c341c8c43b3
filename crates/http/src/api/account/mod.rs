//! What users see and change in their own accounts.

mod authenticator;
pub(crate) mod data;
pub(crate) mod email;
mod grants;
pub(crate) mod me;
mod passkeys;
pub(crate) mod password;
mod sessions;
mod verify;
pub(crate) mod ways_in;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] = &[
    authenticator::routes,
    data::routes,
    email::routes,
    grants::routes,
    me::routes,
    passkeys::routes,
    password::routes,
    sessions::routes,
    verify::routes,
    ways_in::routes,
];
