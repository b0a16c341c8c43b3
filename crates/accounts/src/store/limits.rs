//! The tables `limit_subjects` and `limit_events`: what was done lately, by whom or to which address.
//!
//! Counting events bounds any window of the given length, not only those that begin at full hours, and a count survives
//! restarts, resends and new sign-ups (C4). Who counts in order to decide holds the subject's lock, so that of many at
//! once no more pass than one after the other would.

use super::Tx;
use super::sql::args;
use crate::{Fault, Timestamp};

/// Who or what is counted: a keyed hash, so that no address of a stranger is kept.
pub(crate) type Subject = [u8; 16];

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A code was put into a mail to this address.
    Code,
    /// A guess of a code failed.
    CodeFailed,
    /// A mail to this address was asked for.
    MailRequested,
    /// A mail to this address was handed over.
    MailSent,
    /// The owner of this address was told that somebody signed up with it.
    Notice,
}

impl Rule {
    const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CodeFailed => "code_failed",
            Self::MailRequested => "mail_requested",
            Self::MailSent => "mail_sent",
            Self::Notice => "notice",
        }
    }
}

/// Makes everybody else who locks `subject` wait until this transaction ends.
pub(crate) fn lock(tx: &mut Tx<'_>, subject: &Subject, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO limit_subjects (subject, touched_at) VALUES ($1, $2) \
         ON CONFLICT (subject) DO UPDATE SET touched_at = $2",
        args![subject, now],
    )?;
    Ok(())
}

pub(crate) fn record(tx: &mut Tx<'_>, subject: &Subject, rule: Rule, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO limit_events (subject, rule, at) VALUES ($1, $2, $3)",
        args![subject, rule.name(), now],
    )?;
    Ok(())
}

/// How many there were after `since`, and when the newest and the oldest of them were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) number: i64,
    pub(crate) oldest: Option<Timestamp>,
    pub(crate) newest: Option<Timestamp>,
}

pub(crate) fn count(
    tx: &mut Tx<'_>,
    subject: &Subject,
    rule: Rule,
    since: Timestamp,
) -> Result<Counted, Fault> {
    let counted = tx.row(
        "SELECT COUNT(*), MIN(at), MAX(at) FROM limit_events WHERE subject = $1 AND rule = $2 AND at > $3",
        args![subject, rule.name(), since],
        |row| Ok(Counted { number: row.get(0)?, oldest: row.get_opt(1)?, newest: row.get_opt(2)? }),
    )?;
    Ok(counted.unwrap_or(Counted { number: 0, oldest: None, newest: None }))
}

/// Writes, to see whether the store takes it.
pub(crate) fn probe(tx: &mut Tx<'_>) -> Result<(), Fault> {
    lock(tx, b"ready check\0\0\0\0\0", Timestamp::from_millis(0))
}

/// Forgets events before `before`, and subjects that were not touched since.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, Fault> {
    let events = tx.execute("DELETE FROM limit_events WHERE at <= $1", args![before])?;
    let subjects = tx.execute("DELETE FROM limit_subjects WHERE touched_at <= $1", args![before])?;
    Ok(events + subjects)
}
