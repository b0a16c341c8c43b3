//! The tables `limit_subjects` and `limit_events`: recent events, by client or by address.
//!
//! Counting events bounds any window of the given length, not only those that begin on the hour, and a count survives
//! restarts, resends and new sign-ups (C4). Code that counts in order to decide has the subject's lock, so that no more
//! concurrent requests pass than sequential ones would.

use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;

/// The client or address that is counted: a keyed hash, so that no stranger's address is stored.
pub(crate) type Subject = [u8; 16];

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A code was put into a mail to this address.
    Code,
    /// A guess of a code failed.
    CodeFailed,
    /// A password was wrong.
    SignInFailed,
    /// A client requested something that costs a mail.
    MailAsked,
    /// A mail to this address was requested.
    MailRequested,
    /// A mail to this address was sent.
    MailSent,
    /// A link to set a new password was requested.
    ResetRequested,
    /// An administrator had a mail sent to this address.
    AdminMailed,
    /// The owner of this address was informed that someone signed up with it.
    Notice,
    /// The owner of this address was informed of failed sign-ins.
    FailureNotice,
    /// A link to enrol a second factor was mailed to this address.
    EnrolmentMailed,
}

impl Rule {
    const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CodeFailed => "code_failed",
            Self::SignInFailed => "sign_in_failed",
            Self::MailAsked => "mail_asked",
            Self::MailRequested => "mail_requested",
            Self::MailSent => "mail_sent",
            Self::ResetRequested => "reset_requested",
            Self::AdminMailed => "admin_mailed",
            Self::Notice => "notice",
            Self::FailureNotice => "failure_notice",
            Self::EnrolmentMailed => "enrolment_mailed",
        }
    }
}

/// Failed sign-ins of a subject since the last success.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    pub(crate) number: i64,
    /// No password is accepted before this time.
    pub(crate) free_at: Timestamp,
}

/// Locks `subject` until this transaction ends.
pub(crate) fn lock(tx: &mut Tx<'_>, subject: &Subject, now: Timestamp) -> Result<(), Fault> {
    tx.lock_rows(
        "INSERT INTO limit_subjects (subject, touched_at, failures, free_at) VALUES ($1, $2, $3, $3) \
         ON CONFLICT (subject) DO UPDATE SET touched_at = $2",
        args![subject, now, 0_i64],
    )
}

/// The same, and records it if it is not known, so that its failures can be set.
pub(crate) fn lock_failures(tx: &mut Tx<'_>, subject: &Subject, now: Timestamp) -> Result<Failures, Fault> {
    let failures = tx.row(
        "INSERT INTO limit_subjects (subject, touched_at, failures, free_at) VALUES ($1, $2, $3, $3) \
         ON CONFLICT (subject) DO UPDATE SET touched_at = $2 RETURNING failures, free_at",
        args![subject, now, 0_i64],
        |row| Ok(Failures { number: row.get(0)?, free_at: row.get(1)? }),
    )?;
    Ok(failures.unwrap_or_default())
}

/// Locks the subject if it is known; an unknown one has no failures, and is not recorded.
pub(crate) fn lock_known(tx: &mut Tx<'_>, subject: &Subject, now: Timestamp) -> Result<Failures, Fault> {
    let failures = tx.row(
        "UPDATE limit_subjects SET touched_at = $2 WHERE subject = $1 RETURNING failures, free_at",
        args![subject, now],
        |row| Ok(Failures { number: row.get(0)?, free_at: row.get(1)? }),
    )?;
    Ok(failures.unwrap_or_default())
}

/// What is recorded of a subject, without a lock.
pub(crate) fn failures(tx: &mut Tx<'_>, subject: &Subject) -> Result<Failures, Fault> {
    let sql = "SELECT failures, free_at FROM limit_subjects WHERE subject = $1";
    let failures =
        tx.row(sql, args![subject], |row| Ok(Failures { number: row.get(0)?, free_at: row.get(1)? }))?;
    Ok(failures.unwrap_or_default())
}

pub(crate) fn set_failures(tx: &mut Tx<'_>, subject: &Subject, failures: Failures) -> Result<(), Fault> {
    tx.execute(
        "UPDATE limit_subjects SET failures = $2, free_at = $3 WHERE subject = $1",
        args![subject, failures.number, failures.free_at],
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

/// The number of events after `since`, and when the newest and the oldest of them were.
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

/// Deletes all events of a rule.
pub(crate) fn forget(tx: &mut Tx<'_>, subject: &Subject, rule: Rule) -> Result<(), Fault> {
    tx.execute("DELETE FROM limit_events WHERE subject = $1 AND rule = $2", args![subject, rule.name()])?;
    Ok(())
}

/// Writes, to see whether the store accepts it.
pub(crate) fn probe(tx: &mut Tx<'_>) -> Result<(), Fault> {
    lock_failures(tx, b"ready check\0\0\0\0\0", Timestamp::from_millis(0)).map(drop)
}

/// Moves events later than `after` to `now`, the latest first.
pub(crate) fn bring_back(
    tx: &mut Tx<'_>,
    after: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<u64, Fault> {
    tx.execute(
        "UPDATE limit_events SET at = $2 WHERE at > $1 AND at >= (SELECT MIN(at) FROM \
         (SELECT at FROM limit_events WHERE at > $1 ORDER BY at DESC LIMIT $3) AS latest)",
        args![after, now, limit],
    )
}

/// Deletes events before `before`, the oldest first. They have no ids: those with the same time are deleted together.
pub(crate) fn sweep_events(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM limit_events WHERE at <= (SELECT MAX(at) FROM \
         (SELECT at FROM limit_events WHERE at <= $1 ORDER BY at LIMIT $2) AS oldest)",
        args![before, limit],
    )
}

/// Deletes subjects not touched since `before`, except those that have reached `hard_stop`.
pub(crate) fn sweep_subjects(
    tx: &mut Tx<'_>,
    before: Timestamp,
    hard_stop: i64,
    limit: i64,
) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM limit_subjects WHERE touched_at <= $1 AND failures < $2 AND subject IN \
         (SELECT subject FROM limit_subjects WHERE touched_at <= $1 AND failures < $2 LIMIT $3)",
        args![before, hard_stop, limit],
    )
}
