//! Routes that create accounts: sign-up and its confirmation, invitations, the first administrator.

mod confirm;
pub(crate) mod invitation;
pub(crate) mod setup;
pub(crate) mod signup;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] = &[confirm::routes, invitation::routes, setup::routes, signup::routes];
