//! Sign-in and its tokens: issued, refreshed, revoked, checked.

mod introspect;
mod login;
pub(crate) mod oauth;
mod token;
pub(crate) mod verify;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] = &[introspect::routes, login::routes, token::routes, verify::routes];
