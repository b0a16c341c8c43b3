//! The limits that apply to an address, for administrators who help its owner.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::email::Email;
use crate::domain::reason::Reason;
use crate::domain::time::{DAY, MONTH, Timestamp};
use crate::domain::user::{Account, UserRef};
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::users::find;
use crate::store::Tx;
use crate::store::tables::limits::{Failures, Rule, Subject, count, failures, forget, lock, set_failures};
use crate::store::tables::registrations;
use crate::token::subject;
use crate::trail::Entry;

/// How often something happened recently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recently {
    /// In the last 24 hours.
    pub day: i64,
    /// In the last 30 days.
    pub month: i64,
}

/// What is counted for an address, with or without an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLimits {
    /// The address.
    pub email: Email,
    /// The account, if there is one.
    pub account: Option<Account>,
    /// Wrong passwords in a row, from unknown devices.
    pub failures: i64,
    /// Wrong passwords in a row at the links of its open sign-ups.
    pub link_failures: i64,
    /// When a password is accepted again; `None` if one is accepted now.
    pub closed_until: Option<Timestamp>,
    /// There were so many failures in a row that only a reset link, or clearing them, opens it again (L2).
    pub closed_for_good: bool,
    /// Mails with a code.
    pub codes_sent: Recently,
    /// Wrong codes.
    pub codes_failed: Recently,
    /// Requested mails: confirmations and reset links.
    pub mails_requested: Recently,
    /// Requested links to set a new password.
    pub resets_requested: Recently,
}

impl Accounts {
    /// The limits that apply to an account, or to an address without one.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`]; [`AdminError::NotFound`] for an unknown id or user name; [`AdminError::Fault`].
    pub async fn account_limits(
        &self,
        actor: Actor<'_>,
        whose: &UserRef,
    ) -> Result<AccountLimits, AdminError> {
        actor.must_be_admin()?;
        let (core, whose, now) = (self.0.clone(), whose.clone(), self.0.now());
        let read = move |tx: &mut Tx<'_>| -> Result<AccountLimits, AdminError> {
            let (email, account) = named(tx, &whose)?;
            Ok(read_limits(tx, &core, email, account, now)?)
        };
        self.0.store.read(read).await
    }

    /// Clears the wrong passwords and wrong codes of an address, so that its owner can try again immediately. The
    /// counts of mails and codes sent stay: they protect the mailbox. Returns what was cleared.
    ///
    /// # Errors
    /// As [`account_limits`](Self::account_limits).
    pub async fn clear_limits(
        &self,
        actor: Actor<'_>,
        whose: &UserRef,
        reason: Option<&Reason>,
    ) -> Result<AccountLimits, AdminError> {
        actor.must_be_admin()?;
        let (core, whose, now) = (self.0.clone(), whose.clone(), self.0.now());
        let entry = Entry::by(AuditKind::LimitsCleared, actor);
        let reason = reason.cloned();
        let clear = move |tx: &mut Tx<'_>| -> Result<AccountLimits, AdminError> {
            let (email, account) = named(tx, &whose)?;
            let address = subject::address(&core.root, &email);
            lock(tx, &address, now)?;
            let before = read_limits(tx, &core, email, account, now)?;
            for subject in [address].into_iter().chain(links(tx, &core, &before.email, now)?) {
                set_failures(tx, &subject, Failures::default())?;
            }
            forget(tx, &address, Rule::CodeFailed)?;
            let entry = before.account.as_ref().map_or_else(|| entry.clone(), |account| entry.about(account));
            let entry = entry.address(&before.email).detail(before.in_words());
            entry.because(reason.as_ref()).write(tx, &core, now)?;
            Ok(before)
        };
        self.0.store.write(clear).await
    }
}

impl AccountLimits {
    fn in_words(&self) -> String {
        let Self { failures, link_failures, codes_failed, .. } = self;
        let passwords = failures + link_failures;
        format!("forgot {passwords} wrong passwords and {} wrong codes", codes_failed.month)
    }
}

/// An address needs no account; an id and a name do.
fn named(tx: &mut Tx<'_>, whose: &UserRef) -> Result<(Email, Option<Account>), AdminError> {
    match (whose, find(tx, whose)) {
        (_, Ok(account)) => Ok((account.email.clone(), Some(account))),
        (UserRef::Email(email), Err(AdminError::NotFound)) => Ok((email.clone(), None)),
        (_, Err(error)) => Err(error),
    }
}

fn read_limits(
    tx: &mut Tx<'_>,
    core: &Core,
    email: Email,
    account: Option<Account>,
    now: Timestamp,
) -> Result<AccountLimits, Fault> {
    let address = subject::address(&core.root, &email);
    let counted = failures(tx, &address)?;
    let closed_for_good = counted.number >= core.limits().hard_stop;
    let mut link_failures = 0;
    for link in links(tx, core, &email, now)? {
        link_failures += failures(tx, &link)?.number;
    }
    let mut lately = |rule| -> Result<Recently, Fault> {
        let [day, month] = [DAY, MONTH].map(|window| count(tx, &address, rule, now - window));
        Ok(Recently { day: day?.number, month: month?.number })
    };
    Ok(AccountLimits {
        failures: counted.number,
        link_failures,
        closed_until: (counted.free_at > now).then_some(counted.free_at),
        closed_for_good,
        codes_sent: lately(Rule::Code)?,
        codes_failed: lately(Rule::CodeFailed)?,
        mails_requested: lately(Rule::MailRequested)?,
        resets_requested: lately(Rule::ResetRequested)?,
        email,
        account,
    })
}

/// The subjects that count wrong passwords at the links of an address's open sign-ups.
fn links(tx: &mut Tx<'_>, core: &Core, email: &Email, now: Timestamp) -> Result<Vec<Subject>, Fault> {
    let open = registrations::of_email(tx, email, now)?;
    Ok(open.iter().map(|registration| subject::link(&core.root, registration.id)).collect())
}
