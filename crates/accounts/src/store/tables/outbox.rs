//! The table `outbox`: messages to send, written in the transaction of their cause (M7).
//!
//! `due_at` is when a message may next be leased. Leasing moves `due_at` past the lease, so the messages of a dead
//! worker become free by themselves, and a message that keeps failing queues behind all others.

use super::users::list::LOOKED_AT_MAX;
use crate::domain::email::Email;
use crate::domain::ids::{MailId, UserId};
use crate::domain::mail::kind::MailKind;
use crate::domain::mail::queued::{MailState, QueuedMail};
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// The columns of a [`QueuedMail`], in the order that [`queued`] reads them. A message is about a sign-up, a user or a
/// link; their ids never coincide.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.kind, o.created_at, o.due_at, o.attempts, o.last_error, o.sent_at, o.failed_at, ",
            "COALESCE(r.email, c.email, u.email), COALESCE(r.email_key, c.email_key, u.email_key) FROM outbox o ",
            "LEFT JOIN registrations r ON r.id = o.about LEFT JOIN users u ON u.id = COALESCE(o.user_id, o.about) ",
            "LEFT JOIN challenges c ON c.id = o.about ",
            $rest
        )
    };
}

/// A message leased by a worker.
#[derive(Clone, Debug)]
pub(crate) struct Leased {
    pub(crate) id: MailId,
    /// `None`: this program does not know it.
    pub(crate) kind: Option<MailKind>,
    /// The id of the registration or user it is about.
    pub(crate) about: [u8; 16],
    pub(crate) created_at: Timestamp,
    /// Attempts, including this one: identifies the lease, since each has another number.
    pub(crate) attempts: i64,
    /// When the message was allowed to carry a code, if it was.
    pub(crate) code_at: Option<Timestamp>,
    /// When it was leased.
    pub(crate) at: Timestamp,
}

/// Queues a message about a sign-up or an invitation, which has no user yet.
pub(crate) fn push(
    tx: &mut Tx<'_>,
    id: MailId,
    kind: MailKind,
    about: &[u8; 16],
    now: Timestamp,
) -> Result<(), Fault> {
    insert(tx, id, kind, about, None, [now, now])
}

/// The same, to be sent at `due` or later.
#[cfg(feature = "import")]
pub(crate) fn push_at(
    tx: &mut Tx<'_>,
    id: MailId,
    kind: MailKind,
    about: &[u8; 16],
    [now, due]: [Timestamp; 2],
) -> Result<(), Fault> {
    insert(tx, id, kind, about, None, [now, due])
}

/// When the last of all waiting messages is due.
#[cfg(feature = "import")]
pub(crate) fn last_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT due_at FROM outbox WHERE due_at IS NOT NULL ORDER BY due_at DESC LIMIT 1";
    tx.row(sql, args![], |row| row.get(0))
}

/// Queues a message to a user, about the user or a link of theirs.
pub(crate) fn push_to(
    tx: &mut Tx<'_>,
    id: MailId,
    kind: MailKind,
    about: &[u8; 16],
    user: UserId,
    now: Timestamp,
) -> Result<(), Fault> {
    insert(tx, id, kind, about, Some(user), [now, now])
}

fn insert(
    tx: &mut Tx<'_>,
    id: MailId,
    kind: MailKind,
    about: &[u8; 16],
    user: Option<UserId>,
    [now, due]: [Timestamp; 2],
) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO outbox (id, kind, about, user_id, created_at, due_at, attempts) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![id, kind.name(), about, user, now, due, 0_i64],
    )?;
    Ok(())
}

/// Assigns to a new user the messages about the sign-ups and the invitation of the address. Only decoys made by this
/// activation had messages sent about them.
pub(crate) fn inherit(tx: &mut Tx<'_>, user: &Account) -> Result<(), Fault> {
    tx.execute(
        "UPDATE outbox SET user_id = $2 WHERE user_id IS NULL AND sent_at IS NOT NULL AND about IN \
         (SELECT id FROM registrations WHERE email_key = $1 AND (decoy_at IS NULL OR decoy_at = $3) \
         UNION ALL SELECT id FROM invitations WHERE email_key = $1)",
        args![user.email.key(), user.id, user.created_at],
    )?;
    Ok(())
}

/// Assigns to the owner of an address a notice that someone else caused.
pub(crate) fn is_for(tx: &mut Tx<'_>, id: MailId, user: UserId) -> Result<(), Fault> {
    tx.execute("UPDATE outbox SET user_id = $2 WHERE id = $1", args![id, user])?;
    Ok(())
}

/// Leases what is due, oldest first. The outer condition is checked again for each row, so that of two workers that saw
/// the same row only one gets it (PostgreSQL re-reads a row it had to wait for).
pub(crate) fn take(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease: Timestamp,
    limit: i64,
) -> Result<Vec<Leased>, Fault> {
    tx.rows(
        "UPDATE outbox SET due_at = $2, attempts = attempts + 1 WHERE due_at <= $1 AND id IN \
         (SELECT id FROM outbox WHERE due_at <= $1 ORDER BY due_at, id LIMIT $3) \
         RETURNING id, kind, about, created_at, attempts, code_at",
        args![now, lease, limit],
        |row| leased(row, now),
    )
}

fn leased(row: &Row<'_>, at: Timestamp) -> Result<Leased, Fault> {
    Ok(Leased {
        id: row.get(0)?,
        kind: MailKind::from_name(&row.get::<String>(1)?),
        about: row.get(2)?,
        created_at: row.get(3)?,
        attempts: row.get(4)?,
        code_at: row.get_opt(5)?,
        at,
    })
}

/// The message may carry a code, now and in later attempts.
pub(crate) fn allow_code(tx: &mut Tx<'_>, id: MailId, now: Timestamp) -> Result<(), Fault> {
    tx.execute("UPDATE outbox SET code_at = $2 WHERE id = $1", args![id, now])?;
    Ok(())
}

/// Extends the lease to `lease`. `false`: it ran out and another worker has the message, or the message was marked
/// before.
pub(crate) fn renew(tx: &mut Tx<'_>, mail: &Leased, lease: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE outbox SET due_at = $3 WHERE id = $1 AND attempts = $2 AND due_at IS NOT NULL";
    Ok(tx.execute(sql, args![mail.id, mail.attempts, lease])? == 1)
}

/// Marks it sent. `false`: the lease ran out and another worker has the message, or it was marked before.
pub(crate) fn sent(tx: &mut Tx<'_>, mail: &Leased, now: Timestamp) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE outbox SET due_at = NULL, sent_at = $3, last_error = NULL WHERE id = $1 AND attempts = $2 AND due_at IS NOT NULL",
        args![mail.id, mail.attempts, now],
    )?;
    Ok(rows == 1)
}

/// Schedules another attempt at `due_at`. `false` as above.
pub(crate) fn delay(tx: &mut Tx<'_>, mail: &Leased, due_at: Timestamp, cause: &str) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE outbox SET due_at = $3, last_error = $4 WHERE id = $1 AND attempts = $2 AND due_at IS NOT NULL",
        args![mail.id, mail.attempts, due_at, cause],
    )?;
    Ok(rows == 1)
}

/// Marks a dead letter. `false` as above.
pub(crate) fn fail(tx: &mut Tx<'_>, mail: &Leased, now: Timestamp, cause: &str) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE outbox SET due_at = NULL, failed_at = $3, last_error = $4 WHERE id = $1 AND attempts = $2 AND due_at IS NOT NULL",
        args![mail.id, mail.attempts, now, cause],
    )?;
    Ok(rows == 1)
}

/// Makes failed messages due after `from` due now; returns how many. Leased messages are due before that.
pub(crate) fn hasten(tx: &mut Tx<'_>, now: Timestamp, from: Timestamp, limit: u64) -> Result<u64, Fault> {
    tx.execute(
        "UPDATE outbox SET due_at = $1 WHERE due_at > $2 AND id IN \
         (SELECT id FROM outbox WHERE due_at > $2 AND last_error IS NOT NULL ORDER BY due_at LIMIT $3)",
        args![now, from, i64::try_from(limit).unwrap_or(i64::MAX)],
    )
}

/// Deletes a message that is no longer needed.
pub(crate) fn drop(tx: &mut Tx<'_>, mail: &Leased) -> Result<(), Fault> {
    tx.execute(
        "DELETE FROM outbox WHERE id = $1 AND attempts = $2 AND due_at IS NOT NULL",
        args![mail.id, mail.attempts],
    )?;
    Ok(())
}

/// Whether a message about this id waits to be sent.
pub(crate) fn waits(tx: &mut Tx<'_>, about: &[u8; 16]) -> Result<bool, Fault> {
    Ok(tx.count("SELECT COUNT(*) FROM outbox WHERE about = $1 AND due_at IS NOT NULL", args![about])? > 0)
}

pub(crate) fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, Fault> {
    let due = tx.row("SELECT MIN(due_at) FROM outbox WHERE due_at IS NOT NULL", &[], |row| row.get_opt(0))?;
    Ok(due.flatten())
}

/// How many wait, since when the oldest does, and how many are dead letters: counted up to `most`, those due first
/// first. One statement, so no message is seen twice.
pub(crate) fn counts(tx: &mut Tx<'_>, most: i64) -> Result<(i64, Option<Timestamp>, i64), Fault> {
    let counted = tx.row(
        "SELECT COUNT(*), MIN(created_at), \
         (SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE failed_at IS NOT NULL LIMIT $1) AS failed) \
         FROM (SELECT created_at FROM outbox WHERE due_at IS NOT NULL ORDER BY due_at LIMIT $1) AS waiting",
        args![most],
        |row| Ok((row.get(0)?, row.get_opt(1)?, row.get(2)?)),
    )?;
    Ok(counted.unwrap_or((0, None, 0)))
}

/// Moves messages queued later than `after` to be queued and due at `now`.
pub(crate) fn bring_back(
    tx: &mut Tx<'_>,
    after: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<u64, Fault> {
    tx.execute(
        "UPDATE outbox SET created_at = $2, due_at = CASE WHEN due_at > $2 THEN $2 ELSE due_at END WHERE id IN \
         (SELECT id FROM outbox WHERE created_at > $1 LIMIT $3)",
        args![after, now, limit],
    )
}

/// Deletes what was sent, or failed, before `before`.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM outbox WHERE id IN \
         (SELECT id FROM outbox WHERE created_at <= $1 AND due_at IS NULL LIMIT $2)",
        args![before, limit],
    )
}

/// Whether the message was allowed a code.
pub(crate) fn carries_code(tx: &mut Tx<'_>, id: MailId) -> Result<bool, Fault> {
    Ok(tx.count("SELECT COUNT(*) FROM outbox WHERE id = $1 AND code_at IS NOT NULL", args![id])? > 0)
}

/// Kind, queueing and sending times of the messages to a user, oldest first, at most 200.
pub(crate) fn of_user(
    tx: &mut Tx<'_>,
    user: UserId,
) -> Result<Vec<(String, Timestamp, Option<Timestamp>)>, Fault> {
    let sql = "SELECT kind, created_at, sent_at FROM outbox WHERE user_id = $1 ORDER BY id LIMIT 200";
    tx.rows(sql, args![user], |row| Ok((row.get(0)?, row.get(1)?, row.get_opt(2)?)))
}

/// Messages to a user, newest first, at most 50.
pub(crate) fn to_user(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<QueuedMail>, Fault> {
    tx.rows(select!("WHERE o.user_id = $1 ORDER BY o.id DESC LIMIT 50"), args![user], queued)
}

/// When messages about this id were queued, oldest first, at most 200.
pub(crate) fn queued_at(tx: &mut Tx<'_>, about: &[u8; 16]) -> Result<Vec<Timestamp>, Fault> {
    let sql = "SELECT created_at FROM outbox WHERE about = $1 ORDER BY id LIMIT 200";
    tx.rows(sql, args![about], |row| row.get(0))
}

/// The position after a message in a list.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) due: Timestamp,
    pub(crate) id: MailId,
}

impl Place {
    /// Before the first message: the newest, or, of waiting ones, the next in turn.
    pub(crate) fn start(state: Option<MailState>) -> Self {
        let first = if state == Some(MailState::Waiting) { [0; 16] } else { [0xff; 16] };
        Self { due: Timestamp::from_millis(0), id: MailId::from_bytes(first) }
    }
}

/// Messages after `from`, and where to continue if the stretch looked at contains no more. Waiting ones come in the
/// order of their turn, for which there is an index.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    state: Option<MailState>,
    from: Place,
    limit: i64,
) -> Result<(Vec<QueuedMail>, Option<Place>), Fault> {
    let sql = match state {
        None => select!("WHERE o.id < $1 ORDER BY o.id DESC LIMIT $2"),
        Some(MailState::Sent) => {
            let sql = "SELECT id FROM outbox WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
            let end: Option<MailId> = tx.row(sql, args![from.id, LOOKED_AT_MAX - 1], |row| row.get(0))?;
            let last = end.unwrap_or(MailId::from_bytes([0; 16]));
            let sql = select!(
                "WHERE o.id < $1 AND o.id >= $2 AND o.sent_at IS NOT NULL ORDER BY o.id DESC LIMIT $3"
            );
            let found = tx.rows(sql, args![from.id, last, limit], queued)?;
            return Ok((found, end.map(|id| Place { due: Timestamp::from_millis(0), id })));
        }
        Some(MailState::Failed) => {
            select!("WHERE o.id < $1 AND o.failed_at IS NOT NULL ORDER BY o.id DESC LIMIT $2")
        }
        Some(MailState::Waiting) => {
            let sql = select!(
                "WHERE o.due_at >= $1 AND (o.due_at > $1 OR o.id > $2) ORDER BY o.due_at, o.id LIMIT $3"
            );
            return Ok((tx.rows(sql, args![from.due, from.id, limit], queued)?, None));
        }
    };
    Ok((tx.rows(sql, args![from.id, limit], queued)?, None))
}

pub(crate) fn by_id(tx: &mut Tx<'_>, id: MailId) -> Result<Option<QueuedMail>, Fault> {
    tx.row(select!("WHERE o.id = $1"), args![id], queued)
}

/// Makes it due now, whatever happened before. `false`: it was sent, or is gone.
pub(crate) fn retry(tx: &mut Tx<'_>, id: MailId, now: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE outbox SET due_at = $2, failed_at = NULL WHERE id = $1 AND sent_at IS NULL";
    Ok(tx.execute(sql, args![id, now])? == 1)
}

/// Makes dead letters after `after` due now.
pub(crate) fn retry_failed(
    tx: &mut Tx<'_>,
    after: MailId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<MailId>, Fault> {
    let sql = "UPDATE outbox SET due_at = $2, failed_at = NULL WHERE failed_at IS NOT NULL AND id IN \
               (SELECT id FROM outbox WHERE failed_at IS NOT NULL AND id > $1 ORDER BY id LIMIT $3) RETURNING id";
    tx.rows(sql, args![after, now, limit], |row| row.get(0))
}

/// Deletes a message. `false`: it was sent, or is gone.
pub(crate) fn remove(tx: &mut Tx<'_>, id: MailId) -> Result<bool, Fault> {
    Ok(tx.execute("DELETE FROM outbox WHERE id = $1 AND sent_at IS NULL", args![id])? == 1)
}

/// How many wait, counted up to `most`, and since when the oldest of them does.
pub(crate) fn count_waiting(tx: &mut Tx<'_>, most: i64) -> Result<(i64, Option<Timestamp>), Fault> {
    let sql = "SELECT COUNT(*), MIN(created_at) FROM \
               (SELECT created_at FROM outbox WHERE due_at IS NOT NULL ORDER BY due_at LIMIT $1) AS counted";
    Ok(tx.row(sql, args![most], |row| Ok((row.get(0)?, row.get_opt(1)?)))?.unwrap_or_default())
}

/// Why a waiting message could not be sent, among the `most` last in turn, where those already tried are.
pub(crate) fn waiting_error(tx: &mut Tx<'_>, most: i64) -> Result<Option<String>, Fault> {
    let sql = "SELECT last_error FROM (SELECT last_error, due_at FROM outbox WHERE due_at IS NOT NULL \
               ORDER BY due_at DESC LIMIT $1) AS looked_at WHERE last_error IS NOT NULL ORDER BY due_at DESC LIMIT 1";
    tx.row(sql, args![most], |row| row.get(0))
}

/// How many dead letters there are, counted up to `most`.
pub(crate) fn count_failed(tx: &mut Tx<'_>, most: i64) -> Result<i64, Fault> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE failed_at IS NOT NULL LIMIT $1) AS counted";
    tx.count(sql, args![most])
}

fn queued(row: &Row<'_>) -> Result<QueuedMail, Fault> {
    let due_at: Option<Timestamp> = row.get_opt(3)?;
    let sent_at: Option<Timestamp> = row.get_opt(6)?;
    let state = match (sent_at, due_at) {
        (Some(_), _) => MailState::Sent,
        (None, Some(_)) => MailState::Waiting,
        (None, None) => MailState::Failed,
    };
    let email: Option<String> = row.get_opt(8)?;
    Ok(QueuedMail {
        id: row.get(0)?,
        kind: row.get(1)?,
        state,
        to: email.zip(row.get_opt(9)?).map(|(email, key)| Email::from_stored(email, key)),
        created_at: row.get(2)?,
        due_at,
        attempts: row.get(4)?,
        last_error: row.get_opt(5)?,
        sent_at,
        failed_at: row.get_opt(7)?,
    })
}
