//! The table `webhook_deliveries`: events to send to endpoints, written in the transaction of their cause (M7).
//!
//! One row per event and endpoint, so that an endpoint that is down delays only itself. `due_at` works as in the
//! outbox: leasing a row moves it past the lease.
//!
//! An application that is to be told of the end of a session is an endpoint, too: `application:` and its id, which is the name of
//! no other, since those have no colon. Such a row names the session.

use crate::domain::ids::{EventId, SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// A delivery leased by a worker.
#[derive(Clone, Debug)]
pub(crate) struct Leased {
    pub(crate) event_id: EventId,
    pub(crate) endpoint: String,
    pub(crate) event: String,
    pub(crate) user_id: UserId,
    /// The session that has ended, if it is an application that is told.
    pub(crate) session_id: Option<SessionId>,
    pub(crate) created_at: Timestamp,
    /// Attempts, including this one: identifies the lease, since each has another number.
    pub(crate) attempts: i64,
    /// When it was leased.
    pub(crate) at: Timestamp,
}

pub(crate) fn push(
    tx: &mut Tx<'_>,
    id: EventId,
    endpoint: &str,
    event: &str,
    user: UserId,
    now: Timestamp,
) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO webhook_deliveries (event_id, endpoint, event, user_id, created_at, due_at, attempts) \
         VALUES ($1, $2, $3, $4, $5, $5, $6)",
        args![id, endpoint, event, user, now, 0_i64],
    )?;
    Ok(())
}

/// The event of an application.
const LOGOUT: &str = "logout";
/// What the endpoint of an application begins with.
const APPLICATION: &str = "application:";

/// The application that an endpoint is.
pub(crate) fn application_of(endpoint: &str) -> Option<&str> {
    endpoint.strip_prefix(APPLICATION)
}

/// Queues what an application is to be told: that a session of this user with it has ended.
pub(crate) fn push_logout(
    tx: &mut Tx<'_>,
    id: EventId,
    application: &str,
    user: UserId,
    session: SessionId,
    now: Timestamp,
) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO webhook_deliveries (event_id, endpoint, event, user_id, session_id, created_at, due_at, attempts) \
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        args![id, format!("{APPLICATION}{application}"), LOGOUT, user, session, now, 0_i64],
    )?;
    Ok(())
}

/// The endpoints of applications for which something is due, those that have waited longest first.
pub(crate) fn due_applications(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<String>, Fault> {
    let sql = "SELECT endpoint FROM webhook_deliveries WHERE session_id IS NOT NULL AND due_at <= $1 \
               GROUP BY endpoint ORDER BY MIN(due_at), endpoint LIMIT $2";
    tx.rows(sql, args![now, limit], |row| row.get(0))
}

/// When the next delivery to an application is due.
pub(crate) fn next_logout_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, Fault> {
    let sql =
        "SELECT MIN(due_at) FROM webhook_deliveries WHERE session_id IS NOT NULL AND due_at IS NOT NULL";
    Ok(tx.row(sql, &[], |row| row.get_opt(0))?.flatten())
}

/// Forgets a delivery that nobody is there for.
pub(crate) fn forget(tx: &mut Tx<'_>, delivery: &Leased) -> Result<(), Fault> {
    let sql = "DELETE FROM webhook_deliveries WHERE event_id = $1 AND endpoint = $2 AND attempts = $3 AND due_at IS NOT NULL";
    tx.execute(sql, args![delivery.event_id, delivery.endpoint, delivery.attempts])?;
    Ok(())
}

/// Leases what is due for this endpoint, oldest first. The outer condition is checked again for each row, as in the
/// outbox.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    endpoint: &str,
    now: Timestamp,
    lease: Timestamp,
    limit: i64,
) -> Result<Vec<Leased>, Fault> {
    tx.rows(
        "UPDATE webhook_deliveries SET due_at = $3, attempts = attempts + 1 \
         WHERE endpoint = $1 AND due_at <= $2 AND event_id IN (SELECT event_id FROM webhook_deliveries \
         WHERE endpoint = $1 AND due_at <= $2 ORDER BY due_at, event_id LIMIT $4) \
         RETURNING event_id, endpoint, event, user_id, session_id, created_at, attempts",
        args![endpoint, now, lease, limit],
        |row| leased(row, now),
    )
}

fn leased(row: &Row<'_>, at: Timestamp) -> Result<Leased, Fault> {
    Ok(Leased {
        event_id: row.get(0)?,
        endpoint: row.get(1)?,
        event: row.get(2)?,
        user_id: row.get(3)?,
        session_id: row.get_opt(4)?,
        created_at: row.get(5)?,
        attempts: row.get(6)?,
        at,
    })
}

/// Extends the lease to `lease`. `false`: it ran out and another worker has the delivery.
pub(crate) fn renew(tx: &mut Tx<'_>, delivery: &Leased, lease: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE webhook_deliveries SET due_at = $4 WHERE event_id = $1 AND endpoint = $2 AND attempts = $3 AND due_at IS NOT NULL";
    Ok(tx.execute(sql, args![delivery.event_id, delivery.endpoint, delivery.attempts, lease])? == 1)
}

/// The endpoint has accepted it.
pub(crate) fn sent(tx: &mut Tx<'_>, delivery: &Leased, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "UPDATE webhook_deliveries SET due_at = NULL, sent_at = $4, last_error = NULL \
         WHERE event_id = $1 AND endpoint = $2 AND attempts = $3 AND due_at IS NOT NULL",
        args![delivery.event_id, delivery.endpoint, delivery.attempts, now],
    )?;
    Ok(())
}

/// Schedules another attempt at `due_at`.
pub(crate) fn delay(tx: &mut Tx<'_>, delivery: &Leased, due_at: Timestamp, cause: &str) -> Result<(), Fault> {
    tx.execute(
        "UPDATE webhook_deliveries SET due_at = $4, last_error = $5 \
         WHERE event_id = $1 AND endpoint = $2 AND attempts = $3 AND due_at IS NOT NULL",
        args![delivery.event_id, delivery.endpoint, delivery.attempts, due_at, cause],
    )?;
    Ok(())
}

/// Marks a dead letter.
pub(crate) fn fail(tx: &mut Tx<'_>, delivery: &Leased, now: Timestamp, cause: &str) -> Result<(), Fault> {
    tx.execute(
        "UPDATE webhook_deliveries SET due_at = NULL, failed_at = $4, last_error = $5 \
         WHERE event_id = $1 AND endpoint = $2 AND attempts = $3 AND due_at IS NOT NULL",
        args![delivery.event_id, delivery.endpoint, delivery.attempts, now, cause],
    )?;
    Ok(())
}

pub(crate) fn next_due(tx: &mut Tx<'_>, endpoint: &str) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT MIN(due_at) FROM webhook_deliveries WHERE endpoint = $1 AND due_at IS NOT NULL";
    Ok(tx.row(sql, args![endpoint], |row| row.get_opt(0))?.flatten())
}

/// Event, time and delivery of what endpoints received about a user, oldest first, at most 200.
pub(crate) fn about(
    tx: &mut Tx<'_>,
    user: UserId,
) -> Result<Vec<(String, Timestamp, Option<Timestamp>)>, Fault> {
    let sql = "SELECT event, created_at, sent_at FROM webhook_deliveries WHERE user_id = $1 \
               ORDER BY event_id, endpoint LIMIT 200";
    tx.rows(sql, args![user], |row| Ok((row.get(0)?, row.get(1)?, row.get_opt(2)?)))
}

/// Deletes what is older than `before`, delivered or not: what was not accepted by then is for an endpoint that is
/// gone.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM webhook_deliveries WHERE event_id IN \
         (SELECT event_id FROM webhook_deliveries WHERE created_at <= $1 LIMIT $2)",
        args![before, limit],
    )
}
