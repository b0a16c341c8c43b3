//! Step-up: whether somebody has proven lately who they are. Nobody else compares the times of proofs.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::session::{Proven, SignedIn};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::sessions;
use crate::store::tables::users::standing;

/// What a proof must be to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// The password or a second factor.
    Any,
    /// A second factor: the user has one, so the password is not enough.
    Factor,
}

/// A proof is needed that is younger, or stronger, than those of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this needs a proof of who you are that is only minutes old")]
pub struct StepUp {
    /// How old the proof may be.
    pub max_age: Duration,
    /// Whether it must be a second factor, because the user has one.
    pub factor: bool,
}

/// Whether a proof of this strength was given less than `max_age` ago.
pub(crate) fn recent(proven: Proven, max_age: Duration, strength: Strength, now: Timestamp) -> bool {
    let at = match strength {
        Strength::Any => proven.at(),
        Strength::Factor => proven.factor_at,
    };
    at.is_some_and(|at| now < at + max_age)
}

impl Accounts {
    /// Whether a session has proven enough for something: a second factor, and no longer ago than `max_age`, as far as each is asked
    /// for.
    ///
    /// # Errors
    /// [`StepUp`] where it has not.
    pub fn require_proof(
        &self,
        who: &SignedIn,
        max_age: Option<Duration>,
        factor: bool,
    ) -> Result<(), StepUp> {
        let strength = if factor { Strength::Factor } else { Strength::Any };
        let holds = match max_age {
            Some(max_age) => recent(who.proven, max_age, strength, self.now()),
            None => !factor || who.amr().is_multi_factor(),
        };
        let max_age = max_age.unwrap_or(self.policy().tokens.session_absolute);
        if holds { Ok(()) } else { Err(StepUp { max_age, factor }) }
    }
}

/// What this user must prove.
pub(crate) fn strength_for(tx: &mut Tx<'_>, with_passkeys: bool, user: UserId) -> Result<Strength, Fault> {
    let standing = standing::of(tx, user, with_passkeys)?;
    Ok(if standing.is_some_and(|standing| standing.has_factor()) { Strength::Factor } else { Strength::Any })
}

/// What a session must prove before factors change: asked in the transaction that changes them, of the session as it is
/// there.
pub(crate) fn demand(
    tx: &mut Tx<'_>,
    core: &Core,
    who: &SignedIn,
    now: Timestamp,
) -> Result<Result<(), StepUp>, Fault> {
    let strength = strength_for(tx, core.relying_party.is_some(), who.account.id)?;
    let max_age = core.policy().tokens.step_up;
    let session = sessions::alive(tx, who.account.id, who.session_id, now)?;
    let is_recent = session.is_some_and(|session| recent(session.proven, max_age, strength, now));
    Ok(if is_recent { Ok(()) } else { Err(StepUp { max_age, factor: strength == Strength::Factor }) })
}

/// The same where the password comes with the request: only a second factor may be missing.
pub(crate) fn demand_beside_password(
    tx: &mut Tx<'_>,
    core: &Core,
    who: &SignedIn,
    now: Timestamp,
) -> Result<Result<(), StepUp>, Fault> {
    match strength_for(tx, core.relying_party.is_some(), who.account.id)? {
        Strength::Any => Ok(Ok(())),
        Strength::Factor => demand(tx, core, who, now),
    }
}
