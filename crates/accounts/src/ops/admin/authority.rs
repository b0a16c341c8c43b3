//! What an actor may do.

use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::ops::admin::error::AdminError;
use crate::ops::sign_in::step_up::{StepUp, Strength, recent, strength_for};

impl Actor<'_> {
    /// The user, if the actor is one.
    pub(crate) fn user(self) -> Option<UserId> {
        match self {
            Self::Operator | Self::Application(..) => None,
            Self::User(user, _) => Some(user.account.id),
        }
    }

    /// The role is read with the token at each call, so demoting an administrator takes effect immediately (J5).
    pub(crate) fn must_be_admin(self) -> Result<(), AdminError> {
        match self {
            Self::Operator => Ok(()),
            Self::User(user, _) if user.is_admin() && user.must_enrol => Err(AdminError::EnrolmentRequired),
            Self::User(user, _) if user.is_admin() => Ok(()),
            Self::User(..) | Self::Application(..) => Err(AdminError::Forbidden),
        }
    }

    /// Power over others requires a recent proof: a session that was left open, or stolen, is not enough (O4). Where there
    /// is a second factor, the password is not enough either (B15).
    pub(crate) async fn must_be_fresh_admin(self, core: &Core, now: Timestamp) -> Result<(), AdminError> {
        self.must_be_admin()?;
        let Self::User(who, _) = self else { return Ok(()) };
        let (user, passkeys) = (who.account.id, core.relying_party.is_some());
        let strength =
            core.store.read(move |tx| strength_for(tx, passkeys, user)).await.map_err(AdminError::Fault)?;
        let max_age = core.policy().admin.reauthenticate_after;
        let is_recent = recent(who.proven, max_age, strength, now);
        is_recent
            .then_some(())
            .ok_or(AdminError::StepUp(StepUp { max_age, factor: strength == Strength::Factor }))
    }
}
