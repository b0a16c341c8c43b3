//! The routes of `OAuth` 2: tokens issued, revoked, looked at.

mod introspect;
pub(crate) mod refusal;
mod token;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] = &[introspect::routes, token::routes];
