//! The limits on codes, mails and passwords (security requirements C3–C5, L2, L3): counted per address, per client, and
//! for everybody.

use std::time::Duration;

use crate::accounts::Inner;
use crate::ops::audit::Entry;
use crate::policy::{ConfirmPolicy, Rate, SignInPolicy};
use crate::store::limits::{Failures, Rule, Subject, count, failures, lock, record, set_failures};
use crate::store::{Tx, limits, outbox, users};
use crate::token::device::device_of;
use crate::token::root::{Purpose, RootKeys};
use crate::{
    Account, AuditActor, AuditKind, Client, Email, Fault, MailId, RegistrationId, Timestamp, UserId, UserName,
};

pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);
/// The longest window: older events count nowhere.
pub(crate) const MONTH: Duration = Duration::from_hours(720);

/// Everybody together.
const ALL: Subject = *b"everybody\0\0\0\0\0\0\0";

/// The subject that stands for an address, whether it has an account or not.
pub(crate) fn address(root: &RootKeys, email: &Email) -> Subject {
    root.short_mac(Purpose::Address, &[email.key().as_bytes()])
}

/// What failed passwords of an account count for: the account, or, on a device where its user has signed in before, that
/// device, so that strangers cannot lock its owner out (L4).
pub(crate) fn account(inner: &Inner, account: &Account, from: &Client) -> Subject {
    known_device(inner, account.id, from).unwrap_or_else(|| address(&inner.root, &account.email))
}

/// What counts for the device that somebody asks from, if the user has signed in there before.
pub(crate) fn known_device(inner: &Inner, user: UserId, from: &Client) -> Option<Subject> {
    device_of(&inner.root, from.device_token.as_ref()?.expose(), user)
}

/// The subject that stands for whoever holds the link of a sign-up.
pub(crate) fn link(root: &RootKeys, id: RegistrationId) -> Subject {
    root.short_mac(Purpose::Address, &[b"link", id.as_bytes()])
}

/// The subject that stands for a user name that nobody has.
pub(crate) fn unknown_name(root: &RootKeys, name: &UserName) -> Subject {
    root.short_mac(Purpose::Address, &[b"name", name.key().as_bytes()])
}

/// The subject that stands for a client's network.
pub(crate) fn client(root: &RootKeys, client: &Client) -> Option<Subject> {
    client.prefix().map(|prefix| root.short_mac(Purpose::ClientPrefix, &[&prefix]))
}

/// Whether codes may be sent to and accepted for this address now; if not, links still work.
pub(crate) fn codes_allowed(
    tx: &mut Tx<'_>,
    address: &Subject,
    policy: &ConfirmPolicy,
    now: Timestamp,
) -> Result<bool, Fault> {
    let everybody = count(tx, &ALL, Rule::CodeFailed, now - HOUR)?.number;
    if everybody >= policy.failures_per_hour_of_all {
        tracing::warn!(failed_last_hour = everybody, "many wrong codes: links only until it is quiet again");
        return Ok(false);
    }
    Ok(count(tx, address, Rule::CodeFailed, now - DAY)?.number < policy.failures_per_day
        && count(tx, address, Rule::CodeFailed, now - MONTH)?.number < policy.failures_per_month)
}

/// How long this client must wait before it may guess again.
pub(crate) fn client_wait(
    tx: &mut Tx<'_>,
    client: &Subject,
    policy: &ConfirmPolicy,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    limits::lock(tx, client, now)?;
    let mut wait = None;
    for rate in policy.client_failures {
        wait = wait.max(wait_of(tx, client, Rule::CodeFailed, rate, now)?);
    }
    Ok(wait)
}

/// A client asks for something that costs a mail. `Some`: it must wait; else it is counted (ASVS 2.4.1). Whether a mail
/// goes depends on the address, and is not told; this limit does not.
pub(crate) fn take_mail(
    tx: &mut Tx<'_>,
    inner: &Inner,
    from: &Client,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    let Some(subject) = limited_client(inner, from) else { return Ok(None) };
    lock(tx, &subject, now)?;
    let wait = mail_wait(tx, inner, from, now)?;
    if wait.is_some() {
        return Ok(wait);
    }
    record(tx, &subject, Rule::MailAsked, now)?;
    if mail_wait(tx, inner, from, now)?.is_some() {
        Entry::new(AuditKind::LimitReached, AuditActor::Anonymous, from)
            .detail("client: too many requests that cost a mail")
            .write(tx, inner, now)?;
    }
    Ok(None)
}

/// How long this client must wait before it may ask for something that costs a mail.
pub(crate) fn mail_wait(
    tx: &mut Tx<'_>,
    inner: &Inner,
    from: &Client,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    let Some(client) = limited_client(inner, from) else { return Ok(None) };
    wait_of(tx, &client, Rule::MailAsked, inner.policy().sign_up.client_mails, now)
}

/// An administrator has a mail sent to this address. `Some`: it was sent too many today; else it is counted. The caller
/// holds the lock of the address.
pub(crate) fn take_admin_mail(
    tx: &mut Tx<'_>,
    inner: &Inner,
    address: &Subject,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    let rate = Rate::new(inner.policy().admin.mails_per_day, DAY);
    let wait = wait_of(tx, address, Rule::AdminMailed, rate, now)?;
    if wait.is_none() {
        record(tx, address, Rule::AdminMailed, now)?;
    }
    Ok(wait)
}

/// The subject of a client, where clients are limited at all.
fn limited_client(inner: &Inner, from: &Client) -> Option<Subject> {
    client(&inner.root, from).filter(|_| inner.policy().client_limits)
}

/// Counts a wrong guess against the address, the client, and everybody.
pub(crate) fn record_failed_guess(
    tx: &mut Tx<'_>,
    address: &Subject,
    client: Option<&Subject>,
    now: Timestamp,
) -> Result<(), Fault> {
    for subject in [Some(address), client, Some(&ALL)].into_iter().flatten() {
        record(tx, subject, Rule::CodeFailed, now)?;
    }
    Ok(())
}

/// Somebody gives a password. Whether it may be tried is looked up before the hash, which is dear, and decided after it,
/// in the transaction that also counts it: of many at once no more get an answer than one after the other would.
#[derive(Clone, Debug)]
pub(crate) struct PasswordAttempt {
    pub(crate) account: Subject,
    pub(crate) client: Option<Subject>,
    /// What the trail says when it is wrong.
    pub(crate) failed: Entry,
    pub(crate) now: Timestamp,
}

impl PasswordAttempt {
    pub(crate) fn new(inner: &Inner, account: Subject, failed: Entry, from: &Client, now: Timestamp) -> Self {
        Self { account, client: limited_client(inner, from), failed, now }
    }

    /// How long to wait before any password is tried.
    pub(crate) fn wait(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<Option<Duration>, Fault> {
        let account = self.refusal(failures(tx, &self.account)?, &inner.policy().sign_in);
        let client = match &self.client {
            Some(client) => self.client_wait(tx, client, &inner.policy().sign_in)?,
            None => None,
        };
        Ok(account.max(client))
    }

    /// The password was right. A success forgets the failures of the account, not those of the client.
    pub(crate) fn right(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<Option<Duration>, Fault> {
        let before = failures(tx, &self.account)?;
        let wait = self.refusal(before, &inner.policy().sign_in);
        if wait.is_none() && before.number > 0 {
            set_failures(tx, &self.account, Failures::default())?;
        }
        Ok(wait)
    }

    /// The password was wrong. `Some`: too many were before it, so even that is not told.
    pub(crate) fn wrong(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<Option<Duration>, Fault> {
        let policy = &inner.policy().sign_in;
        if let Some(client) = &self.client {
            lock(tx, client, self.now)?;
            if let Some(wait) = self.client_wait(tx, client, policy)? {
                return Ok(Some(wait));
            }
        }
        let before = lock(tx, &self.account, self.now)?;
        if let Some(wait) = self.refusal(before, policy) {
            return Ok(Some(wait));
        }
        let number = before.number + 1;
        set_failures(tx, &self.account, Failures { number, free_at: self.now + wait_after(number, policy) })?;
        self.failed.write(tx, inner, self.now)?;
        if number == policy.free_failures || number == policy.hard_stop {
            self.tell_of_limit(tx, inner, &format!("account: {number} wrong passwords"))?;
        }
        if number == policy.failures_to_notice {
            self.tell_owner(tx, inner)?;
        }
        if let Some(client) = &self.client {
            record(tx, client, Rule::SignInFailed, self.now)?;
            if self.client_wait(tx, client, policy)?.is_some() {
                self.tell_of_limit(tx, inner, "client: too many wrong passwords")?;
            }
        }
        Ok(None)
    }

    /// How long the account is closed to passwords. After the hard stop only a reset link opens it again (L2).
    fn refusal(&self, before: Failures, policy: &SignInPolicy) -> Option<Duration> {
        if before.number >= policy.hard_stop {
            return Some(DAY);
        }
        (before.free_at > self.now).then(|| before.free_at.since(self.now))
    }

    fn client_wait(
        &self,
        tx: &mut Tx<'_>,
        client: &Subject,
        policy: &SignInPolicy,
    ) -> Result<Option<Duration>, Fault> {
        wait_of(tx, client, Rule::SignInFailed, policy.client_failures, self.now)
    }

    fn tell_of_limit(&self, tx: &mut Tx<'_>, inner: &Inner, detail: &str) -> Result<(), Fault> {
        self.failed.kind(AuditKind::LimitReached).detail(detail).write(tx, inner, self.now)
    }

    /// Tells the owner of the account, at most once a day (L4). For an address without an account a message is queued
    /// all the same, about nobody, which the worker drops: the tenth failure costs as much there (L1).
    fn tell_owner(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<(), Fault> {
        let Some(email) = self.failed.email() else { return Ok(()) };
        let subject = address(&inner.root, email);
        if count(tx, &subject, Rule::FailureNotice, self.now - DAY)?.number > 0 {
            return Ok(());
        }
        record(tx, &subject, Rule::FailureNotice, self.now)?;
        let env = &inner.settings.env;
        let owner = users::by_email(tx, email)?.map(|found| found.account.id);
        let user = owner.unwrap_or_else(|| UserId::from_bytes(env.new_id(self.now)));
        let mail = MailId::from_bytes(env.new_id(self.now));
        outbox::push_to(tx, mail, "failed_sign_ins", user.as_bytes(), user, self.now)
    }
}

/// How long a subject must wait until one more event of this kind keeps its rate.
pub(crate) fn wait_of(
    tx: &mut Tx<'_>,
    subject: &Subject,
    rule: Rule,
    rate: Rate,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    let counted = count(tx, subject, rule, now - rate.window)?;
    let full = counted.number >= rate.most;
    Ok(counted.oldest.filter(|_| full).map(|oldest| (oldest + rate.window).since(now)))
}

/// Nothing for the free failures, then 1 s, 2 s, 4 s … up to the longest wait.
fn wait_after(failures: i64, policy: &SignInPolicy) -> Duration {
    match u32::try_from(failures - policy.free_failures) {
        Ok(doublings) => {
            policy.first_wait.saturating_mul(2_u32.saturating_pow(doublings)).min(policy.longest_wait)
        }
        Err(_) if failures > policy.free_failures => policy.longest_wait,
        Err(_) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // L2
    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let policy = SignInPolicy::default();
        let waits: Vec<u64> = (1..=16).map(|n| wait_after(n, &policy).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(wait_after(i64::MAX, &policy), policy.longest_wait);
    }
}
