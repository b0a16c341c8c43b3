//! A password attempt: whether it is allowed, what it costs, and its verdict. Sign-in, confirmation, changes and
//! re-authentication share this one path, so that none forgets a limit (L1–L4).
//!
//! Whether a password may be tried is looked up before the hash, which is expensive, and decided after it, in the
//! transaction that acts on it: of many concurrent attempts no more get an answer than sequential ones would, right or
//! wrong. The result of a comparison can only be read through [`Compared::judge`].

use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::audit::AuditKind;
use crate::domain::ids::{MailId, UserId};
use crate::domain::mail::kind::MailKind;
use crate::domain::password::Password;
use crate::domain::time::{DAY, Timestamp};
use crate::fault::Fault;
use crate::hasher::Stages;
use crate::limits::{self, lockout, wait_after, wait_of};
use crate::mail::MailContent;
use crate::ops::draft::Draft;
use crate::store::Tx;
use crate::store::tables::limits::{
    Failures, Rule, Subject, count, failures, lock_failures, lock_known, record, set_failures,
};
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::users::{self, Credentials};
use crate::token::subject::address;
use crate::trail::Entry;

/// Whose password is tried, and by which client: what a wrong one is counted against.
#[derive(Clone, Debug)]
pub(crate) struct PasswordAttempt {
    account: Subject,
    client: Option<Subject>,
    /// The trail's entry for a wrong password.
    failed: Entry,
    now: Timestamp,
}

/// A password to be compared.
pub(crate) struct Candidate<T> {
    pub(crate) attempt: PasswordAttempt,
    /// The hashes to compare with. The number of stages is that of the hashes a wrong password costs, so it must not
    /// depend on what is in the store.
    pub(crate) stages: Stages,
    /// What else was looked up.
    pub(crate) found: T,
}

/// A compared password; only [`judge`](Self::judge) reveals the result.
#[derive(Clone)]
pub(crate) struct Compared {
    attempt: PasswordAttempt,
    matching: Vec<Vec<bool>>,
}

/// The result of an attempt.
pub(crate) enum Verdict {
    Right(RightPassword),
    Wrong,
    /// Too many attempts came before it, so the result is not revealed.
    Limited {
        retry_after: Duration,
    },
}

/// Proof that the right password was given, within the limits.
pub(crate) struct RightPassword {
    matching: Vec<Vec<bool>>,
    account: Subject,
    failures: i64,
}

/// Why a password was not even compared.
pub(crate) enum NotCompared {
    Limited { retry_after: Duration },
    Fault(Fault),
}

impl From<Fault> for NotCompared {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Accounts {
    /// Looks up the hashes to compare the password with, and compares it unless too many attempts came before.
    pub(crate) async fn compare<T, F>(
        &self,
        password: &Password,
        mut look_up: F,
    ) -> Result<(Compared, T), NotCompared>
    where
        F: FnMut(&mut Tx<'_>, &Core) -> Result<Candidate<T>, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let core: Arc<Core> = self.0.clone();
        let ask = move |tx: &mut Tx<'_>| -> Result<_, NotCompared> {
            let candidate = look_up(tx, &core)?;
            match candidate.attempt.wait(tx, &core)? {
                Some(retry_after) => Err(NotCompared::Limited { retry_after }),
                None => Ok(candidate),
            }
        };
        let Candidate { attempt, stages, found } = self.0.store.read(ask).await?;
        let matching = self.0.hasher.verify(password, stages).await?;
        Ok((Compared { attempt, matching }, found))
    }
}

impl RightPassword {
    /// Which hashes of this stage match the password.
    pub(crate) fn stage(&self, index: usize) -> &[bool] {
        self.matching.get(index).map_or(&[], Vec::as_slice)
    }

    /// A sign-in, or an equal proof, clears the failures of the account, but not those of the client.
    pub(crate) fn forget_failures(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        if self.failures > 0 {
            set_failures(tx, &self.account, Failures::default())?;
        }
        Ok(())
    }
}

impl Compared {
    /// Decides in the transaction that acts on the answer. Beyond a limit the result is not revealed, right or wrong; a
    /// wrong password is counted.
    pub(crate) fn judge(&self, tx: &mut Tx<'_>, core: &Core) -> Result<Verdict, Fault> {
        let right = self.matching.iter().flatten().any(|matches| *matches);
        let Self { attempt, matching } = self;
        let hold = |tx: &mut Tx<'_>, subject| {
            if right { lock_known(tx, subject, attempt.now) } else { lock_failures(tx, subject, attempt.now) }
        };
        if let Some(client) = &attempt.client {
            hold(tx, client)?;
            if let Some(retry_after) = attempt.client_wait(tx, core, client)? {
                return Ok(Verdict::Limited { retry_after });
            }
        }
        let before = hold(tx, &attempt.account)?;
        if let Some(retry_after) = lockout(before, core, attempt.now) {
            return Ok(Verdict::Limited { retry_after });
        }
        if right {
            let (matching, account) = (matching.clone(), attempt.account);
            return Ok(Verdict::Right(RightPassword { matching, account, failures: before.number }));
        }
        attempt.count(tx, core, before.number + 1)?;
        Ok(Verdict::Wrong)
    }

    /// The password was right, but access is refused: records why in the trail.
    pub(crate) fn note_refusal(&self, tx: &mut Tx<'_>, core: &Core, why: &str) -> Result<(), Fault> {
        self.attempt.failed.clone().detail(why).write(tx, core, self.attempt.now)
    }
}

impl PasswordAttempt {
    /// The time of the attempt.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// An attempt that counts against `account` and the client's network.
    pub(crate) fn new(core: &Core, account: Subject, failed: Entry, from: &Client) -> Self {
        Self { account, client: limits::limited_client(core, from), failed, now: core.now() }
    }

    /// An attempt on a user: on a known device, it counts against that device alone, so that neither strangers who try
    /// the account nor neighbours in the network lock its owner out (L4).
    pub(crate) fn on_user(core: &Core, user: &Credentials, failed: Entry, from: &Client) -> Self {
        let strange = Self::new(core, address(&core.root, &user.account.email), failed, from);
        match limits::known_device(core, user, from) {
            Some(device) => {
                Self { account: device.failures, client: strange.client.map(|_| device.client), ..strange }
            }
            None => strange,
        }
    }

    /// How long to wait before any password is tried.
    fn wait(&self, tx: &mut Tx<'_>, core: &Core) -> Result<Option<Duration>, Fault> {
        let account = lockout(failures(tx, &self.account)?, core, self.now);
        let client = match &self.client {
            Some(client) => self.client_wait(tx, core, client)?,
            None => None,
        };
        Ok(account.max(client))
    }

    /// Counts a wrong password: the `number`th in a row.
    fn count(&self, tx: &mut Tx<'_>, core: &Core, number: i64) -> Result<(), Fault> {
        let policy = &core.policy().sign_in;
        set_failures(tx, &self.account, Failures { number, free_at: self.now + wait_after(number, policy) })?;
        self.failed.write(tx, core, self.now)?;
        if number == policy.free_failures || number == core.limits().hard_stop {
            self.tell_of_limit(tx, core, &format!("account: {number} wrong passwords"))?;
        }
        if number == policy.failures_to_notice {
            self.tell_owner(tx, core)?;
        }
        if let Some(client) = &self.client {
            record(tx, client, Rule::SignInFailed, self.now)?;
            if self.client_wait(tx, core, client)?.is_some() {
                self.tell_of_limit(tx, core, "client: too many wrong passwords")?;
            }
        }
        Ok(())
    }

    fn client_wait(&self, tx: &mut Tx<'_>, core: &Core, client: &Subject) -> Result<Option<Duration>, Fault> {
        wait_of(tx, client, Rule::SignInFailed, core.limits().sign_in, self.now)
    }

    fn tell_of_limit(&self, tx: &mut Tx<'_>, core: &Core, detail: &str) -> Result<(), Fault> {
        self.failed.kind(AuditKind::LimitReached).detail(detail).write(tx, core, self.now)
    }

    /// Notifies the owner of the account, at most once a day (L4). For an address without an account a message is
    /// queued as well, for nobody, which the worker drops: the tenth failure costs as much there (L1).
    fn tell_owner(&self, tx: &mut Tx<'_>, core: &Core) -> Result<(), Fault> {
        let Some(email) = self.failed.email() else { return Ok(()) };
        let subject = address(&core.root, email);
        if count(tx, &subject, Rule::FailureNotice, self.now - DAY)?.number > 0 {
            return Ok(());
        }
        record(tx, &subject, Rule::FailureNotice, self.now)?;
        let env = &core.settings.env;
        let owner = users::by_email(tx, email)?.map(|found| found.account.id);
        let user = owner.unwrap_or_else(|| UserId::from_bytes(env.new_id(self.now)));
        let mail = MailId::from_bytes(env.new_id(self.now));
        outbox::push_to(tx, mail, MailKind::FailedSignIns, user.as_bytes(), user, self.now)
    }
}

/// A notice that many passwords were wrong.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased) -> Result<Draft, Fault> {
    let content = |place| MailContent::FailedSignIns { place, forgot: core.page("forgot") };
    Draft::notice_from(tx, core, leased, &[AuditKind::SignInFailed], content)
}
