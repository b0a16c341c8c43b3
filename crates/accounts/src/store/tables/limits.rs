//! The tables `limit_subjects` and `limit_events`: what was done lately, by whom or to which address.
//!
//! Counting events bounds any window of the given length, not only those that begin at full hours, and a count survives
//! restarts, resends and new sign-ups (C4). Who counts in order to decide holds the subject's lock, so that of many at
//! once no more pass than one after the other would.

use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;

/// Who or what is counted: a keyed hash, so that no address of a stranger is kept.
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
    /// A client asked for something that costs a mail.
    MailAsked,
    /// A mail to this address was asked for.
    MailRequested,
    /// A mail to this address was handed over.
    MailSent,
    /// A link to set a new password was asked for.
    ResetRequested,
    /// An administrator had a mail sent to this address.
    AdminMailed,
    /// The owner of this address was told that somebody signed up with it.
    Notice,
    /// The owner of this address was told of failed sign-ins.
    FailureNotice,
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
        }
    }
}

/// Failed sign-ins of a subject since the last success.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    pub(crate) number: i64,
    /// Until then no password is accepted.
    pub(crate) free_at: Timestamp,
}

/// Makes everybody else who locks `subject` wait until this transaction ends.
pub(crate) fn lock(tx: &mut Tx<'_>, subject: &Subject, now: Timestamp) -> Result<Failures, Fault> {
    let failures = tx.row(
        "INSERT INTO limit_subjects (subject, touched_at, failures, free_at) VALUES ($1, $2, $3, $3) \
         ON CONFLICT (subject) DO UPDATE SET touched_at = $2 RETURNING failures, free_at",
        args![subject, now, 0_i64],
        |row| Ok(Failures { number: row.get(0)?, free_at: row.get(1)? }),
    )?;
    Ok(failures.unwrap_or_default())
}

/// Makes the others wait where the subject is known; one that is not has no failures, and is not written down.
pub(crate) fn lock_known(tx: &mut Tx<'_>, subject: &Subject, now: Timestamp) -> Result<Failures, Fault> {
    let failures = tx.row(
        "UPDATE limit_subjects SET touched_at = $2 WHERE subject = $1 RETURNING failures, free_at",
        args![subject, now],
        |row| Ok(Failures { number: row.get(0)?, free_at: row.get(1)? }),
    )?;
    Ok(failures.unwrap_or_default())
}

/// What is known of a subject, without a lock.
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

/// Forgets all events of a rule.
pub(crate) fn forget(tx: &mut Tx<'_>, subject: &Subject, rule: Rule) -> Result<(), Fault> {
    tx.execute("DELETE FROM limit_events WHERE subject = $1 AND rule = $2", args![subject, rule.name()])?;
    Ok(())
}

/// Writes, to see whether the store takes it.
pub(crate) fn probe(tx: &mut Tx<'_>) -> Result<(), Fault> {
    lock(tx, b"ready check\0\0\0\0\0", Timestamp::from_millis(0)).map(drop)
}

/// Lets events that happened later than `after` have happened at `now`, the latest first.
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

/// Forgets events before `before`, the oldest first. They have no names: those go together that are of one moment.
pub(crate) fn sweep_events(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM limit_events WHERE at <= (SELECT MAX(at) FROM \
         (SELECT at FROM limit_events WHERE at <= $1 ORDER BY at LIMIT $2) AS oldest)",
        args![before, limit],
    )
}

/// Forgets subjects that were not touched since `before`, but those that have reached `hard_stop`.
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
