//! The limits on codes, mails and passwords (security requirements C3–C5, L2, L3): counted per address, per client, and
//! for everybody.

use std::time::Duration;

use crate::policy::{ConfirmPolicy, Policy, SignInPolicy};
use crate::store::limits::{Failures, Rule, Subject, count, failures, lock, record, set_failures};
use crate::store::{Tx, limits};
use crate::token::root::{Purpose, RootKeys};
use crate::{Client, Email, Fault, RegistrationId, Timestamp, UserName};

const MINUTES_5: Duration = Duration::from_mins(5);
pub(crate) const MINUTES_10: Duration = Duration::from_mins(10);
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
    let windows =
        [(MINUTES_10, policy.client_failures_per_10_minutes), (DAY, policy.client_failures_per_day)];
    let mut wait = None;
    for (window, most) in windows {
        let counted = count(tx, client, Rule::CodeFailed, now - window)?;
        if counted.number >= most {
            wait = wait.max(counted.oldest.map(|oldest| (oldest + window).since(now)));
        }
    }
    Ok(wait)
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
    pub(crate) now: Timestamp,
}

impl PasswordAttempt {
    pub(crate) fn new(
        root: &RootKeys,
        policy: &Policy,
        account: Subject,
        from: &Client,
        now: Timestamp,
    ) -> Self {
        Self { account, client: client(root, from).filter(|_| policy.client_limits), now }
    }

    /// How long to wait before any password is tried.
    pub(crate) fn wait(&self, tx: &mut Tx<'_>, policy: &SignInPolicy) -> Result<Option<Duration>, Fault> {
        let account = until(failures(tx, &self.account)?.free_at, self.now);
        let client = match &self.client {
            Some(client) => self.client_wait(tx, client, policy)?,
            None => None,
        };
        Ok(account.max(client))
    }

    /// The password was right. A success forgets the failures of the account, not those of the client.
    pub(crate) fn right(&self, tx: &mut Tx<'_>) -> Result<Option<Duration>, Fault> {
        let before = failures(tx, &self.account)?;
        let wait = until(before.free_at, self.now);
        if wait.is_none() && before.number > 0 {
            set_failures(tx, &self.account, Failures::default())?;
        }
        Ok(wait)
    }

    /// The password was wrong. `Some`: too many were before it, so even that is not told.
    pub(crate) fn wrong(&self, tx: &mut Tx<'_>, policy: &SignInPolicy) -> Result<Option<Duration>, Fault> {
        if let Some(client) = &self.client {
            lock(tx, client, self.now)?;
            if let Some(wait) = self.client_wait(tx, client, policy)? {
                return Ok(Some(wait));
            }
        }
        let before = lock(tx, &self.account, self.now)?;
        if let Some(wait) = until(before.free_at, self.now) {
            return Ok(Some(wait));
        }
        let number = before.number + 1;
        set_failures(tx, &self.account, Failures { number, free_at: self.now + wait_after(number, policy) })?;
        if let Some(client) = &self.client {
            record(tx, client, Rule::SignInFailed, self.now)?;
        }
        Ok(None)
    }

    fn client_wait(
        &self,
        tx: &mut Tx<'_>,
        client: &Subject,
        policy: &SignInPolicy,
    ) -> Result<Option<Duration>, Fault> {
        let counted = count(tx, client, Rule::SignInFailed, self.now - MINUTES_5)?;
        let full = counted.number >= policy.client_failures_per_5_minutes;
        Ok(counted.oldest.filter(|_| full).map(|oldest| (oldest + MINUTES_5).since(self.now)))
    }
}

fn until(free_at: Timestamp, now: Timestamp) -> Option<Duration> {
    (free_at > now).then(|| free_at.since(now))
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
