//! What users see and change in their own accounts.

pub(crate) mod email;
pub(crate) mod me;
pub(crate) mod password;
mod sessions;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] = &[email::routes, me::routes, password::routes, sessions::routes];
