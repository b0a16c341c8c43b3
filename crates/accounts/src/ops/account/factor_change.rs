//! What every change of factors has in common: a proof that is only minutes old before it, and after it a notice, an entry in
//! the trail, and the end of whatever else was open.

use crate::core::Core;
use crate::domain::access::amr::Method;
use crate::domain::access::challenge::Purpose;
use crate::domain::access::client::Client;
use crate::domain::access::session::{Proven, SignedIn};
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::session_end;
use crate::ops::sign_in::passkey_check::PasskeyFormError;
use crate::ops::sign_in::step_up::{self, StepUp};
use crate::store::Tx;
use crate::store::tables::users::standing::{self, Standing};
use crate::store::tables::{challenges, sessions, sign_in_challenges, users};
use crate::trail::Entry;

/// Why the factors of an account were not changed.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// The session must prove again who it is.
    #[error(transparent)]
    StepUp(#[from] StepUp),
    /// The code is not of the new authenticator app.
    #[error("the code is wrong")]
    CodeInvalid,
    /// The user has this already.
    #[error("there is one already")]
    Exists,
    /// Somebody has this passkey already.
    #[error("somebody has this passkey already")]
    PasskeyExists,
    /// The user has none of this name, or nothing waits to be confirmed.
    #[error("there is no such factor")]
    NotFound,
    /// The user has as many passkeys as one may have.
    #[error("there are too many passkeys")]
    TooMany,
    /// The passkey was not made in this ceremony, or the ceremony is over.
    #[error(transparent)]
    PasskeyInvalid(#[from] PasskeyInvalid),
    /// Nobody could sign in any more, or a policy demands a second factor and this is the last.
    #[error("this is the last way to sign in, or the last second factor that is demanded")]
    LastWayIn,
    /// Passkeys are switched off, or browsers give none to this public address.
    #[error("there are no passkeys here")]
    Unavailable,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a new passkey was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyInvalid {
    /// The ceremony was begun for something else or in another session, or it is over.
    #[error("the ceremony is over, or is not of this session")]
    Ceremony,
    /// The ceremony has made a passkey before.
    #[error("the ceremony was answered before")]
    Answered,
    /// It breaks a rule of Web Authentication.
    #[error("the passkey cannot be used: {0}")]
    Refused(PasskeyFormError),
}

/// A change of factors by their owner.
#[derive(Clone)]
pub(crate) struct FactorChange {
    who: SignedIn,
    entry: Entry,
    now: Timestamp,
}

impl FactorChange {
    pub(crate) fn new(core: &Core, who: &SignedIn, kind: AuditKind, client: &Client) -> Self {
        let entry = Entry::new(kind, AuditActor::User(who.account.id), client).about(&who.account);
        Self { who: who.clone(), entry, now: core.now() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn user(&self) -> UserId {
        self.who.account.id
    }

    /// Lets nobody else change the user, and sees that the session has proven who it is.
    pub(crate) fn begin(&self, tx: &mut Tx<'_>, core: &Core) -> Result<Standing, FactorError> {
        users::lock(tx, self.user())?;
        step_up::demand(tx, core, &self.who, self.now)??;
        let standing = standing::of(tx, self.user(), core.relying_party.is_some())?;
        standing.ok_or(FactorError::NotFound)
    }

    /// Ends the other sessions and everything that waits, and tells the owner.
    pub(crate) fn finish(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        detail: Option<&str>,
    ) -> Result<(), FactorError> {
        let (user, now) = (self.user(), self.now);
        invalidate(tx, user)?;
        session_end::end_others(tx, core, user, self.who.session_id, now)?;
        let entry = detail.map_or_else(|| self.entry.clone(), |detail| self.entry.detail(detail));
        Ok(entry.write_and_notify(tx, core, now)?)
    }

    /// The first entry of several, which is not mailed by itself.
    pub(crate) fn note(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        kind: AuditKind,
        detail: &str,
    ) -> Result<(), Fault> {
        self.entry.kind(kind).detail(detail).write(tx, core, self.now)
    }

    /// The session has just given a second factor: the new one.
    pub(crate) fn proves(&self, tx: &mut Tx<'_>, method: Method) -> Result<(), Fault> {
        let Some(session) = sessions::hold(tx, self.user(), self.who.session_id, self.now)? else {
            return Ok(());
        };
        let amr = session.proven.amr.with(method);
        let proven = Proven { amr, factor_at: Some(self.now), ..session.proven };
        sessions::set_proven(tx, self.who.session_id, &proven)
    }
}

/// What was proven, asked or mailed before counts for nothing any more.
pub(crate) fn invalidate(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    users::change_credentials(tx, user)?;
    sign_in_challenges::void(tx, user)?;
    for purpose in [Purpose::PasswordReset, Purpose::EmailChange, Purpose::Enrolment] {
        challenges::void(tx, user, purpose)?;
    }
    Ok(())
}

/// Whether the user can do without a second factor, or without this passkey.
pub(crate) fn may_remove(core: &Core, after: &Standing) -> Result<(), FactorError> {
    let can_sign_in = after.has_password || after.passkeys > 0;
    let is_demanded = core.policy().second_factor.requires(&after.roles) && !after.has_factor();
    if can_sign_in && !is_demanded { Ok(()) } else { Err(FactorError::LastWayIn) }
}
