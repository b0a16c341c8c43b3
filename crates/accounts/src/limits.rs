//! The limits on codes and mails (security requirements C3–C5): counted per address, per client, and for everybody.

use std::time::Duration;

use crate::policy::ConfirmPolicy;
use crate::store::limits::{Rule, Subject, count, record};
use crate::store::{Tx, limits};
use crate::token::root::{Purpose, RootKeys};
use crate::{Client, Email, Fault, Timestamp};

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
