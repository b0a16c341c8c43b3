//! The routes of `OAuth` 2 and `OpenID` Connect: tokens issued, looked at and given back, and what clients may know.

mod client;
mod client_grant;
mod introspect;
pub(crate) mod metadata;
mod own_grant;
pub(crate) mod refusal;
mod revoke;
mod token;
mod user_info;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] =
    &[introspect::routes, metadata::routes, revoke::routes, token::routes, user_info::routes];
