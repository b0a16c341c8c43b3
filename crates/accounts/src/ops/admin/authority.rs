//! What an actor may do.

use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::ops::admin::error::AdminError;
use crate::ops::sign_in::step_up::recent;

impl Actor<'_> {
    /// The user, if the actor is one.
    pub(crate) fn user(self) -> Option<UserId> {
        match self {
            Self::Operator => None,
            Self::User(user, _) => Some(user.account.id),
        }
    }

    /// The role is read with the token at each call, so demoting an administrator takes effect immediately (J5).
    pub(crate) fn must_be_admin(self) -> Result<(), AdminError> {
        match self {
            Self::Operator => Ok(()),
            Self::User(user, _) if user.is_admin() => Ok(()),
            Self::User(..) => Err(AdminError::Forbidden),
        }
    }

    /// Power over others requires a recently entered password: a session that was left open, or stolen, is not enough
    /// (O4).
    pub(crate) fn must_be_fresh_admin(self, core: &Core, now: Timestamp) -> Result<(), AdminError> {
        self.must_be_admin()?;
        match self {
            Self::User(user, _) if !recent(user, core.policy().admin.reauthenticate_after, now) => {
                Err(AdminError::Stale)
            }
            Self::Operator | Self::User(..) => Ok(()),
        }
    }
}
