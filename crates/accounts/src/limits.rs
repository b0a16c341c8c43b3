//! The limits on codes, mails and passwords (security requirements C3–C5, L2, L3): counted per address, per client, and
//! for all clients together.

use std::time::Duration;

use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::time::{DAY, HOUR, MONTH, SKEW, Timestamp};
use crate::fault::Fault;
use crate::policy::limits::Limits;
use crate::policy::{ConfirmPolicy, Rate, SignInPolicy};
use crate::store::Tx;
use crate::store::tables::limits::{self, Failures, Rule, Subject, count, lock, record};
use crate::store::tables::users::Credentials;
use crate::token::device::Device;
use crate::token::subject::client;
use crate::trail::Entry;

/// All clients together.
const ALL: Subject = *b"everybody\0\0\0\0\0\0\0";

/// The device a client uses, if the user has signed in on it with the current password and address.
pub(crate) fn known_device(core: &Core, user: &Credentials, from: &Client) -> Option<Device> {
    let device = Device::of_user(&core.root, from.device_token.as_ref()?.expose(), user.account.id)?;
    (device.credential_version == user.credential_version).then_some(device)
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

/// How long this client must wait before its next guess.
pub(crate) fn client_wait(
    tx: &mut Tx<'_>,
    client: &Subject,
    allowed: &Limits,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    limits::lock(tx, client, now)?;
    let mut wait = None;
    for rate in allowed.codes {
        wait = wait.max(wait_of(tx, client, Rule::CodeFailed, rate, now)?);
    }
    Ok(wait)
}

/// A client requests something that costs a mail. `Some`: it must wait; otherwise the request is counted (ASVS 2.4.1).
/// Whether a mail is sent depends on the address and must stay secret; this limit does not depend on it.
pub(crate) fn take_mail(
    tx: &mut Tx<'_>,
    core: &Core,
    from: &Client,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    let Some(subject) = limited_client(core, from) else { return Ok(None) };
    lock(tx, &subject, now)?;
    let wait = mail_wait(tx, core, from, now)?;
    if wait.is_some() {
        return Ok(wait);
    }
    record(tx, &subject, Rule::MailAsked, now)?;
    if mail_wait(tx, core, from, now)?.is_some() {
        Entry::new(AuditKind::LimitReached, AuditActor::Anonymous, from)
            .detail("client: too many requests that cost a mail")
            .write(tx, core, now)?;
    }
    Ok(None)
}

/// How long this client must wait before it may request something that costs a mail.
pub(crate) fn mail_wait(
    tx: &mut Tx<'_>,
    core: &Core,
    from: &Client,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    let Some(client) = limited_client(core, from) else { return Ok(None) };
    wait_of(tx, &client, Rule::MailAsked, core.limits().mails, now)
}

/// What may still be mailed to an address at a stranger's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailsLeft {
    /// Any mail.
    Some,
    /// The last mail of the day, reserved for the one whose link lets the owner choose a password.
    Last,
    /// Nothing more today (M5).
    None,
}

/// What is left of the mails of an address today. The caller has its lock.
pub(crate) fn mails_left(
    tx: &mut Tx<'_>,
    core: &Core,
    address: &Subject,
    now: Timestamp,
) -> Result<MailsLeft, Fault> {
    let requested = count(tx, address, Rule::MailRequested, now - DAY)?.number;
    let left = core.policy().sign_up.mails_per_day - requested;
    Ok(match left {
        2.. => MailsLeft::Some,
        1 => MailsLeft::Last,
        _ => MailsLeft::None,
    })
}

/// Whether the wait since the last requested mail is over: one minute after the first, then longer.
pub(crate) fn waited(
    tx: &mut Tx<'_>,
    core: &Core,
    address: &Subject,
    rule: Rule,
    now: Timestamp,
) -> Result<bool, Fault> {
    let waits = &core.policy().sign_up.resend_waits;
    let lately = count(tx, address, rule, now - DAY)?;
    let rank = usize::try_from(lately.number).unwrap_or(usize::MAX).min(waits.len());
    let wait = rank.checked_sub(1).and_then(|index| waits.get(index)).copied();
    Ok(lately.newest.zip(wait).is_none_or(|(newest, wait)| newest + wait <= now))
}

/// An administrator has a mail sent to this address. `Some`: it was sent too many today; otherwise it is counted. The
/// caller has the lock of the address.
pub(crate) fn take_admin_mail(
    tx: &mut Tx<'_>,
    core: &Core,
    address: &Subject,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    let rate = Rate::new(core.policy().admin.mails_per_day, DAY);
    let wait = wait_of(tx, address, Rule::AdminMailed, rate, now)?;
    if wait.is_none() {
        record(tx, address, Rule::AdminMailed, now)?;
    }
    Ok(wait)
}

/// The subject of a client, if clients are limited at all.
pub(crate) fn limited_client(core: &Core, from: &Client) -> Option<Subject> {
    client(&core.root, from).filter(|_| core.limits().limits(from.ip))
}

/// Counts a wrong guess against the address, the client, and all clients together.
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

/// How long a subject must wait until another event of this kind stays within its rate.
pub(crate) fn wait_of(
    tx: &mut Tx<'_>,
    subject: &Subject,
    rule: Rule,
    rate: Rate,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    let counted = count(tx, subject, rule, now - rate.window)?;
    let full = counted.number >= rate.most;
    // Never longer than the rule says, even if the clock was set back.
    Ok(counted.oldest.filter(|_| full).map(|oldest| (oldest + rate.window).since(now).min(rate.window)))
}

/// How long after these failures nothing more may be tried. After the hard stop only what clears the failures opens it
/// again (L2).
pub(crate) fn lockout(before: Failures, core: &Core, now: Timestamp) -> Option<Duration> {
    if before.number >= core.limits().hard_stop {
        Some(DAY)
    } else {
        pause(before, &core.policy().sign_in, now)
    }
}

fn pause(before: Failures, policy: &SignInPolicy, now: Timestamp) -> Option<Duration> {
    let (wait, rule) = (before.free_at.since(now), wait_after(before.number, policy));
    // Much longer than the rule says: the clock went back, and nobody waits for it to come again.
    let is_due = wait <= rule + SKEW;
    // Another instance may be a moment ahead: a failure that costs no wait costs none there either.
    Some(wait.min(rule)).filter(|wait| is_due && !wait.is_zero())
}

/// Nothing for the free failures, then 1 s, 2 s, 4 s … up to the longest wait.
pub(crate) fn wait_after(failures: i64, policy: &SignInPolicy) -> Duration {
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

    #[test]
    fn a_moment_between_two_clocks_is_no_wait() {
        let (policy, at) = (SignInPolicy::default(), Timestamp::from_millis);
        let one = Failures { number: 1, free_at: at(1_003) };
        assert_eq!(pause(one, &policy, at(1_000)), None);
        let five = Failures { number: 5, free_at: at(2_003) };
        assert_eq!(pause(five, &policy, at(1_000)), Some(Duration::from_secs(1)));
        assert_eq!(pause(five, &policy, at(2_003)), None);
    }

    // L2
    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let policy = SignInPolicy::default();
        let waits: Vec<u64> = (1..=16).map(|n| wait_after(n, &policy).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(wait_after(i64::MAX, &policy), policy.longest_wait);
    }
}
