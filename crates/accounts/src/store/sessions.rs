//! The tables `sessions` and `refresh_tokens`.

use super::Tx;
use super::sql::args;
use crate::{Fault, Session, SessionId, Timestamp, UserId};

/// A sign-in that lasts.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) user_agent: Option<String>,
    pub(crate) ip: Option<String>,
    /// What is stored of the cookie, where a browser holds the session.
    pub(crate) browser: Option<TokenHash>,
}

/// A browser's session that is alive.
pub(crate) struct OfBrowser {
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) created_at: Timestamp,
    pub(crate) last_seen_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// The SHA-256 of a refresh token: what is stored of it.
pub(crate) type TokenHash = [u8; 32];

pub(crate) fn insert(tx: &mut Tx<'_>, new: &NewSession) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO sessions (id, user_id, created_at, last_seen_at, expires_at, user_agent, ip, browser_hash) \
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7)",
        args![new.id, new.user_id, new.created_at, new.expires_at, new.user_agent, new.ip, new.browser],
    )?;
    Ok(())
}

pub(crate) fn insert_token(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    session: SessionId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        args![hash, session, now, expires_at],
    )?;
    Ok(())
}

/// Consumes a token and names its session: of callers that bring the same token at once, one gets it (R2).
pub(crate) fn consume_token(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<SessionId>, Fault> {
    tx.row(
        "UPDATE refresh_tokens SET consumed_at = $2 \
         WHERE hash = $1 AND consumed_at IS NULL AND expires_at > $2 RETURNING session_id",
        args![hash, now],
        |row| row.get(0),
    )
}

/// The session of a token that was consumed before, and when that was.
pub(crate) fn consumed_token(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
) -> Result<Option<(SessionId, Timestamp)>, Fault> {
    tx.row(
        "SELECT session_id, consumed_at FROM refresh_tokens WHERE hash = $1 AND consumed_at IS NOT NULL",
        args![hash],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// A session that is alive, seen now: its user, its beginning and its end.
pub(crate) fn touch(
    tx: &mut Tx<'_>,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<(UserId, Timestamp, Timestamp)>, Fault> {
    tx.row(
        "UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 \
         RETURNING user_id, created_at, expires_at",
        args![id, now],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

pub(crate) fn end(tx: &mut Tx<'_>, id: SessionId, now: Timestamp) -> Result<(), Fault> {
    tx.execute("UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL", args![id, now])?;
    Ok(())
}

/// Ends a session; its user, if it was alive.
pub(crate) fn end_alive(tx: &mut Tx<'_>, id: SessionId, now: Timestamp) -> Result<Option<UserId>, Fault> {
    let sql = "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 \
               RETURNING user_id";
    tx.row(sql, args![id, now], |row| row.get(0))
}

pub(crate) fn end_all(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL",
        args![user, now],
    )?;
    Ok(())
}

/// Deletes sessions that ended or expired before `before`; their tokens go with them.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2)",
        args![before, limit],
    )
}

/// The sessions of a user that are alive, newest first.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    user: UserId,
    now: Timestamp,
    idle: Timestamp,
) -> Result<Vec<Session>, Fault> {
    tx.rows(
        "SELECT id, user_agent, ip, created_at, last_seen_at, expires_at FROM sessions \
         WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen_at > $3 \
         ORDER BY id DESC LIMIT 200",
        args![user, now, idle],
        |row| {
            Ok(Session {
                id: row.get(0)?,
                user_agent: row.get_opt(1)?,
                ip: row.get_opt(2)?,
                created_at: row.get(3)?,
                last_seen_at: row.get(4)?,
                expires_at: row.get(5)?,
            })
        },
    )
}

/// Ends a session if it is this user's. `false`: it is not, or has ended.
pub(crate) fn end_of(tx: &mut Tx<'_>, user: UserId, id: SessionId, now: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE sessions SET ended_at = $3 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL";
    Ok(tx.execute(sql, args![id, user, now])? == 1)
}

/// Ends the sessions of a user but this one; how many there were.
pub(crate) fn end_others(
    tx: &mut Tx<'_>,
    user: UserId,
    but: SessionId,
    now: Timestamp,
) -> Result<u64, Fault> {
    let sql = "UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL";
    tx.execute(sql, args![user, but, now])
}

/// Ends the session of a refresh token; its user, if it was alive.
pub(crate) fn end_by_token(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<UserId>, Fault> {
    let sql = "UPDATE sessions SET ended_at = $2 WHERE ended_at IS NULL AND expires_at > $2 \
               AND id IN (SELECT session_id FROM refresh_tokens WHERE hash = $1) RETURNING user_id";
    tx.row(sql, args![hash, now], |row| row.get(0))
}

/// How many sessions are alive, counted to `most`.
pub(crate) fn count_live(tx: &mut Tx<'_>, now: Timestamp, idle: Timestamp, most: i64) -> Result<i64, Fault> {
    // The youngest first: those are alive, while of the old ones most are not used any more.
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM sessions WHERE expires_at > $1 AND ended_at IS NULL \
               AND last_seen_at > $2 ORDER BY expires_at DESC LIMIT $3) AS counted";
    tx.count(sql, args![now, idle, most])
}

/// The session that a browser's cookie names, unless it has ended or nobody has used it since `idle`.
pub(crate) fn of_browser(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    now: Timestamp,
    idle: Timestamp,
) -> Result<Option<OfBrowser>, Fault> {
    tx.row(
        "SELECT id, user_id, created_at, last_seen_at, expires_at FROM sessions \
         WHERE browser_hash = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen_at > $3",
        args![hash, now, idle],
        |row| {
            Ok(OfBrowser {
                id: row.get(0)?,
                user_id: row.get(1)?,
                created_at: row.get(2)?,
                last_seen_at: row.get(3)?,
                expires_at: row.get(4)?,
            })
        },
    )
}

/// Ends the session that a browser's cookie names.
pub(crate) fn end_of_browser(tx: &mut Tx<'_>, hash: &TokenHash, now: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE sessions SET ended_at = $2 WHERE browser_hash = $1 AND ended_at IS NULL";
    tx.execute(sql, args![hash, now])?;
    Ok(())
}
