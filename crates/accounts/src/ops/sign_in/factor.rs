//! A second factor is given: whether it may be tried, and what it comes to. Sign-in and step-up have this one way, so that
//! neither forgets a limit.
//!
//! Each kind of factor of an account has a counter of its own, so that wrong codes of an app hold up neither passkeys nor
//! recovery codes, and neither a right password nor a new one gives more guesses.

use std::time::Duration;

use crate::core::Core;
use crate::domain::access::amr::Method;
use crate::domain::access::client::Client;
use crate::domain::access::factor::Factor;
use crate::domain::access::recovery_code::RecoveryCode;
use crate::domain::access::totp_code::TotpCode;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::limits::{self, lockout, wait_after, wait_of};
use crate::ops::sign_in::passkey_check::{PasskeyAssertion, VerifiedPasskey, verify};
use crate::store::Tx;
use crate::store::tables::limits::{Failures, Rule, Subject, lock, lock_failures, record, set_failures};
use crate::store::tables::users::{self, Credentials};
use crate::store::tables::{authenticators, recovery_codes};
use crate::token::ceremony::For;
use crate::token::recovery;
use crate::token::subject;
use crate::token::totp::TotpSecret;
use crate::trail::Entry;

/// A second factor was given that was right, within the limits.
pub(crate) struct RightFactor {
    pub(super) user: UserId,
    pub(super) credential_version: i64,
    pub(super) factor: Factor,
    pub(super) method: Method,
    /// When the password was given before it, where it was.
    pub(super) password_at: Option<Timestamp>,
    pub(super) at: Timestamp,
    subject: Subject,
}

impl RightFactor {
    /// A passkey alone.
    pub(super) fn of_passkey(core: &Core, verified: &VerifiedPasskey) -> Self {
        Self {
            user: verified.user(),
            credential_version: verified.credential_version(),
            factor: Factor::Passkey,
            method: verified.method(),
            password_at: None,
            at: core.now(),
            subject: subject::factor(&core.root, verified.user(), Factor::Passkey),
        }
    }

    /// After the password of this time.
    pub(super) fn after_password(self, at: Timestamp) -> Self {
        Self { password_at: Some(at), ..self }
    }

    /// An admission forgets the failures of this kind of factor.
    pub(super) fn forget_failures(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        set_failures(tx, &self.subject, Failures::default())
    }
}

/// What a factor came to.
pub(crate) enum Judged {
    Right(RightFactor),
    Wrong { attempts_left: u32 },
    Limited { retry_after: Duration },
}

/// Whose factor of which kind is tried, and by whom.
pub(crate) struct FactorAttempt<'a> {
    user: &'a Credentials,
    factor: Factor,
    subject: Subject,
    client: Option<Subject>,
    from: &'a Client,
    now: Timestamp,
}

impl<'a> FactorAttempt<'a> {
    pub(crate) fn new(core: &Core, user: &'a Credentials, factor: Factor, from: &'a Client) -> Self {
        let subject = subject::factor(&core.root, user.account.id, factor);
        let client = limits::limited_client(core, from);
        Self { user, factor, subject, client, from, now: core.now() }
    }

    /// Decides in the transaction that acts on the answer: beyond a limit nothing is looked at, and what `check` does not
    /// know is counted.
    pub(crate) fn judge(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        check: impl FnOnce(&mut Tx<'_>) -> Result<Option<Method>, Fault>,
    ) -> Result<Judged, Fault> {
        if let Some(client) = &self.client {
            lock(tx, client, self.now)?;
            if let Some(retry_after) =
                wait_of(tx, client, Rule::SignInFailed, core.limits().sign_in, self.now)?
            {
                return Ok(Judged::Limited { retry_after });
            }
        }
        let before = lock_failures(tx, &self.subject, self.now)?;
        if let Some(retry_after) = lockout(before, core, self.now) {
            return Ok(Judged::Limited { retry_after });
        }
        match check(tx)? {
            Some(method) => Ok(Judged::Right(self.right(method))),
            None => self.count(tx, core, before.number + 1),
        }
    }

    fn right(&self, method: Method) -> RightFactor {
        RightFactor {
            user: self.user.account.id,
            credential_version: self.user.credential_version,
            factor: self.factor,
            method,
            password_at: None,
            at: self.now,
            subject: self.subject,
        }
    }

    fn count(&self, tx: &mut Tx<'_>, core: &Core, number: i64) -> Result<Judged, Fault> {
        let policy = &core.policy().sign_in;
        let failures = Failures { number, free_at: self.now + wait_after(number, policy) };
        set_failures(tx, &self.subject, failures)?;
        if let Some(client) = &self.client {
            record(tx, client, Rule::SignInFailed, self.now)?;
        }
        let entry =
            self.entry(AuditKind::SecondFactorFailed, AuditActor::Anonymous).detail(self.factor.name());
        // Whoever gets here knows the password, or holds a session.
        if number == policy.free_failures {
            entry.write_and_notify(tx, core, self.now)?;
        } else {
            entry.write(tx, core, self.now)?;
        }
        if number == policy.free_failures || number == core.limits().hard_stop {
            let detail = format!("{}: {number} wrong answers", self.factor.name());
            self.entry(AuditKind::LimitReached, AuditActor::Anonymous)
                .detail(detail)
                .write(tx, core, self.now)?;
        }
        let attempts_left = u32::try_from((policy.free_failures - number).max(0)).unwrap_or(0);
        Ok(Judged::Wrong { attempts_left })
    }

    fn entry(&self, kind: AuditKind, actor: AuditActor) -> Entry {
        Entry::new(kind, actor, self.from).about(&self.user.account)
    }

    /// Whether this is a code of the user's authenticator app, of which each counts once.
    pub(crate) fn judge_totp(&self, tx: &mut Tx<'_>, core: &Core, given: &TotpCode) -> Result<Judged, Fault> {
        self.judge(tx, core, |tx| {
            let id = self.user.account.id;
            users::lock(tx, id)?;
            let Some(stored) = authenticators::of_user(tx, id)?.filter(|it| it.confirmed_at.is_some()) else {
                return Ok(None);
            };
            Ok(spend(tx, core, &stored, given, self.now)?.then_some(Method::OneTimeCode))
        })
    }

    /// Whether this is one of the user's passkeys, used for this.
    pub(crate) fn judge_passkey(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        given: &PasskeyAssertion,
        what: For,
    ) -> Result<Judged, Fault> {
        self.judge(tx, core, |tx| {
            let verified = verify(tx, core, given, what, self.from)?.ok();
            let own = verified.filter(|verified| verified.user() == self.user.account.id);
            Ok(own.map(|verified| verified.method()))
        })
    }

    /// Whether this is one of the user's recovery codes, of which each counts once. The owner is told.
    pub(crate) fn judge_recovery_code(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        given: &RecoveryCode,
    ) -> Result<Judged, Fault> {
        self.judge(tx, core, |tx| {
            let account = &self.user.account;
            let hash = recovery::hash(&core.root, account.id, given);
            users::lock(tx, account.id)?;
            if !recovery_codes::spend(tx, account.id, &hash, self.now)? {
                return Ok(None);
            }
            let left = recovery_codes::count_left(tx, account.id)?;
            let entry = self
                .entry(AuditKind::RecoveryCodeUsed, AuditActor::User(account.id))
                .detail(format!("{left} left"));
            entry.write_and_notify(tx, core, self.now)?;
            Ok(Some(Method::OneTimeCode))
        })
    }
}

/// Whether this code is of the app, and was not spent before.
pub(crate) fn spend(
    tx: &mut Tx<'_>,
    core: &Core,
    stored: &authenticators::StoredAuthenticator,
    given: &TotpCode,
    now: Timestamp,
) -> Result<bool, Fault> {
    let secret = TotpSecret::unseal(&core.root, stored.user, &stored.secret).ok_or_else(|| {
        Fault::Unavailable(
            "an authenticator secret does not open with the secret key of this instance".into(),
        )
    })?;
    match secret.step_of(given, now) {
        Some(step) => authenticators::spend(tx, stored.user, step),
        None => Ok(false),
    }
}
