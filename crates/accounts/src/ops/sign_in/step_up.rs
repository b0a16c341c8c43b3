//! Step-up: whether a user has recently proven who they are. Nothing else compares the time of a sign-in.

use std::time::Duration;

use crate::domain::access::session::SignedIn;
use crate::domain::time::Timestamp;

/// Whether the password was given less than `max_age` ago.
pub(crate) fn recent(who: &SignedIn, max_age: Duration, now: Timestamp) -> bool {
    now < who.auth_time + max_age
}
