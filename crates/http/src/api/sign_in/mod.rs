//! Sign-in: by password, by passkey, with a second factor; and its check for others.

mod login;
pub(crate) mod passkey;
mod second_factor;
pub(crate) mod verify;

use crate::describe::routes::RoutesOf;

/// The routes of these files.
pub(super) const ROUTES: &[RoutesOf] =
    &[login::routes, passkey::routes, second_factor::routes, verify::routes];
