//! Sign-in and its tokens: issued, refreshed, revoked, checked.

mod introspect;
mod login;
pub(crate) mod oauth;
pub(crate) mod passkey;
mod second_factor;
mod token;
pub(crate) mod verify;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] = &[
    introspect::routes,
    login::routes,
    passkey::routes,
    second_factor::routes,
    token::routes,
    verify::routes,
];
