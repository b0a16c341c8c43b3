//! The tables `sessions` and `refresh_tokens`.

pub(crate) mod ends;

use crate::domain::access::amr::Amr;
use crate::domain::access::session::{Proven, Session};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};
use crate::store::tables::application::sessions::OfApplication;

/// A sign-in that lasts.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) user_agent: Option<String>,
    pub(crate) ip: Option<String>,
    /// The hash of the cookie, if the session is a browser's.
    pub(crate) browser: Option<TokenHash>,
    /// What was proven.
    pub(crate) proven: Proven,
    /// Until when it may enrol a second factor that is due.
    pub(crate) enrol_until: Option<Timestamp>,
    /// The application whose session it is; `None`: this service's own.
    pub(crate) application: Option<OfApplication>,
}

/// Whose session it is, whether and until when it lives, and what was proven in it.
pub(crate) struct SessionState {
    pub(crate) user_id: UserId,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) enrol_until: Option<Timestamp>,
    pub(crate) proven: Proven,
    /// The application whose session it is; `None`: this service's own.
    pub(crate) application: Option<String>,
}

impl SessionState {
    /// When anything was last proven in it.
    pub(crate) fn auth_time(&self) -> Timestamp {
        self.proven.at().unwrap_or(self.created_at)
    }
}

/// The columns of a [`SessionState`], in the order that [`state`] reads them.
macro_rules! state_columns {
    () => {
        "sessions.user_id, sessions.created_at, sessions.expires_at, sessions.ended_at, sessions.enrol_until, sessions.amr, \
         sessions.password_at, sessions.factor_at, sessions.application_id"
    };
}
pub(super) use state_columns;

/// A browser's session.
pub(crate) struct OfBrowser {
    pub(crate) id: SessionId,
    pub(crate) last_seen_at: Timestamp,
    pub(crate) state: SessionState,
}

/// The SHA-256 of a refresh token: what is stored of it.
pub(crate) type TokenHash = [u8; 32];

pub(crate) fn insert(tx: &mut Tx<'_>, new: &NewSession) -> Result<(), Fault> {
    let of = new.application.as_ref();
    tx.execute(
        "INSERT INTO sessions (id, user_id, created_at, last_seen_at, expires_at, user_agent, ip, browser_hash, amr, \
         password_at, factor_at, enrol_until, application_id, parent_id, scopes, resource) \
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        args![
            new.id,
            new.user_id,
            new.created_at,
            new.expires_at,
            new.user_agent,
            new.ip,
            new.browser,
            new.proven.amr.to_string(),
            new.proven.password_at,
            new.proven.factor_at,
            new.enrol_until,
            of.map(|of| of.id.as_str()),
            of.map(|of| of.parent),
            of.map(|of| of.scopes.to_string()),
            of.and_then(|of| of.resource.as_deref())
        ],
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

/// Uses up an unused token of this application, or of this service itself if the name is empty, and returns its session: of
/// concurrent callers with the same token, one succeeds (R2).
pub(crate) fn use_token(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    application: &str,
    successor: &TokenHash,
    now: Timestamp,
) -> Result<Option<SessionId>, Fault> {
    tx.row(
        "UPDATE refresh_tokens SET consumed_at = $2, successor = $3 \
         WHERE hash = $1 AND consumed_at IS NULL AND voided_at IS NULL AND expires_at > $2 AND $4 = \
         (SELECT COALESCE(s.application_id, '') FROM sessions s WHERE s.id = session_id) RETURNING session_id",
        args![hash, now, successor, application],
        |row| row.get(0),
    )
}

/// A token that can no longer be used as new.
pub(crate) struct UsedToken {
    pub(crate) session: SessionId,
    /// `None`: it was voided without having been used.
    pub(crate) consumed_at: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
    pub(crate) successor: Option<TokenHash>,
    pub(crate) successor_is_unused: bool,
}

pub(crate) fn used_token(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    application: &str,
) -> Result<Option<UsedToken>, Fault> {
    tx.row(
        "SELECT t.session_id, t.consumed_at, t.expires_at, t.successor, \
         (SELECT COUNT(*) FROM refresh_tokens s WHERE s.hash = t.successor AND s.consumed_at IS NULL AND s.voided_at IS NULL) \
         FROM refresh_tokens t WHERE t.hash = $1 AND (t.consumed_at IS NOT NULL OR t.voided_at IS NOT NULL) \
         AND $2 = (SELECT COALESCE(o.application_id, '') FROM sessions o WHERE o.id = t.session_id)",
        args![hash, application],
        |row| {
            Ok(UsedToken {
                session: row.get(0)?,
                consumed_at: row.get_opt(1)?,
                expires_at: row.get(2)?,
                successor: row.get_opt(3)?,
                successor_is_unused: row.get::<i64>(4)? == 1,
            })
        },
    )
}

/// Gives a used token another successor. `false`: another request has, since it was read.
pub(crate) fn use_token_again(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    looked_at: &UsedToken,
    successor: &TokenHash,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "UPDATE refresh_tokens SET consumed_at = $4, successor = $3 WHERE hash = $1 AND successor = $2";
    Ok(tx.execute(sql, args![hash, looked_at.successor, successor, now])? == 1)
}

/// Voids an unused token. `false`: it was used.
pub(crate) fn void_token(tx: &mut Tx<'_>, hash: Option<TokenHash>, now: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE refresh_tokens SET voided_at = $2 WHERE hash = $1 AND consumed_at IS NULL AND voided_at IS NULL";
    Ok(tx.execute(sql, args![hash, now])? == 1)
}

/// A session that is alive, seen now.
pub(crate) fn touch(tx: &mut Tx<'_>, id: SessionId, now: Timestamp) -> Result<Option<SessionState>, Fault> {
    tx.row(
        concat!(
            "UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 RETURNING ",
            state_columns!()
        ),
        args![id, now],
        |row| state(row, 0),
    )
}

/// The session of this user, if it is alive.
pub(crate) fn alive(
    tx: &mut Tx<'_>,
    user: UserId,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<SessionState>, Fault> {
    tx.row(
        concat!(
            "SELECT ",
            state_columns!(),
            " FROM sessions WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3"
        ),
        args![id, user, now],
        |row| state(row, 0),
    )
}

/// The session of this user, if it is alive, as nobody else changes it until this transaction ends.
pub(crate) fn hold(
    tx: &mut Tx<'_>,
    user: UserId,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<SessionState>, Fault> {
    tx.row(
        concat!(
            "UPDATE sessions SET last_seen_at = last_seen_at \
             WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 RETURNING ",
            state_columns!()
        ),
        args![id, user, now],
        |row| state(row, 0),
    )
}

/// Something was proven in a session.
pub(crate) fn set_proven(tx: &mut Tx<'_>, id: SessionId, proven: &Proven) -> Result<(), Fault> {
    let sql = "UPDATE sessions SET amr = $2, password_at = $3, factor_at = $4 WHERE id = $1";
    tx.execute(sql, args![id, proven.amr.to_string(), proven.password_at, proven.factor_at])?;
    Ok(())
}

/// The state that these columns hold.
pub(super) fn state(row: &Row<'_>, first: usize) -> Result<SessionState, Fault> {
    Ok(SessionState {
        user_id: row.get(first)?,
        created_at: row.get(first + 1)?,
        expires_at: row.get(first + 2)?,
        ended_at: row.get_opt(first + 3)?,
        enrol_until: row.get_opt(first + 4)?,
        proven: Proven {
            amr: Amr::from_stored(&row.get::<String>(first + 5)?),
            password_at: row.get_opt(first + 6)?,
            factor_at: row.get_opt(first + 7)?,
        },
        application: row.get_opt(first + 8)?,
    })
}

/// Deletes tokens of the sessions that expired longest ago: a session can have thousands.
pub(crate) fn sweep_tokens(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM refresh_tokens WHERE hash IN (SELECT r.hash FROM sessions s \
         JOIN refresh_tokens r ON r.session_id = s.id WHERE s.expires_at <= $1 ORDER BY s.expires_at LIMIT $2)",
        args![before, limit],
    )
}

/// Deletes sessions that expired before `before`, once their tokens are gone.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM sessions WHERE id IN \
         (SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) \
         AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = sessions.id)",
        args![before, limit],
    )
}

/// The sessions of a user with this service itself that are alive, newest first.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    user: UserId,
    now: Timestamp,
    idle: Timestamp,
) -> Result<Vec<Session>, Fault> {
    tx.rows(
        "SELECT id, user_agent, ip, created_at, last_seen_at, expires_at, amr FROM sessions \
         WHERE user_id = $1 AND application_id IS NULL AND ended_at IS NULL AND expires_at > $2 AND last_seen_at > $3 \
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
                amr: Amr::from_stored(&row.get::<String>(6)?),
            })
        },
    )
}

/// How many sessions with this service itself are alive, counted to `most`.
pub(crate) fn count_live(tx: &mut Tx<'_>, now: Timestamp, idle: Timestamp, most: i64) -> Result<i64, Fault> {
    // The youngest first: those are alive, while most old ones are no longer used.
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM sessions WHERE expires_at > $1 AND ended_at IS NULL \
               AND last_seen_at > $2 AND application_id IS NULL ORDER BY expires_at DESC LIMIT $3) AS counted";
    tx.count(sql, args![now, idle, most])
}

/// The session that a browser's cookie names, unless nobody has used it since `idle`.
pub(crate) fn of_browser(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    idle: Timestamp,
) -> Result<Option<OfBrowser>, Fault> {
    tx.row(
        concat!(
            "SELECT sessions.id, sessions.last_seen_at, ",
            state_columns!(),
            " FROM sessions WHERE browser_hash = $1 AND last_seen_at > $2"
        ),
        args![hash, idle],
        |row| Ok(OfBrowser { id: row.get(0)?, last_seen_at: row.get(1)?, state: state(row, 2)? }),
    )
}
