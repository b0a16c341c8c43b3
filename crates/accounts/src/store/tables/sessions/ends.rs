//! How sessions end, for `ops/session_end.rs` alone: it tells whoever has to know.

use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};
use crate::store::tables::sessions::TokenHash;

/// One session that is to end.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    /// The one with this id.
    Id(SessionId),
    /// The one with this id, if it is this user's.
    Of(UserId, SessionId),
    /// That of a refresh token of this application, or of this service itself if the name is empty.
    Token(&'a TokenHash, &'a str),
    /// The one that a browser's cookie names.
    Browser(&'a TokenHash),
}

/// A session that has just ended.
pub(crate) struct Ended {
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    expires_at: Timestamp,
    /// The application whose session it was; `None`: this service's own.
    pub(crate) application: Option<String>,
}

impl Ended {
    /// Whether it had not expired before.
    pub(crate) fn was_alive(&self, now: Timestamp) -> bool {
        self.expires_at > now
    }
}

macro_rules! end_where {
    ($condition:literal) => {
        concat!(
            "UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL AND ",
            $condition,
            " RETURNING id, user_id, expires_at, application_id"
        )
    };
}

/// Ends a session. `None`: there is none, or it has ended.
pub(crate) fn one(tx: &mut Tx<'_>, which: Which<'_>, now: Timestamp) -> Result<Option<Ended>, Fault> {
    match which {
        Which::Id(id) => tx.row(end_where!("id = $2"), args![now, id], ended),
        Which::Of(user, id) => tx.row(end_where!("id = $2 AND user_id = $3"), args![now, id, user], ended),
        Which::Token(hash, application) => tx.row(
            end_where!(
                "COALESCE(application_id, '') = $3 AND id IN (SELECT session_id FROM refresh_tokens WHERE hash = $2)"
            ),
            args![now, hash, application],
            ended,
        ),
        Which::Browser(hash) => tx.row(end_where!("browser_hash = $2"), args![now, hash], ended),
    }
}

/// Ends the sessions of applications that came from this one and cannot go on without it. Those, and the ones that can: they
/// have refresh tokens.
pub(crate) fn children(tx: &mut Tx<'_>, parent: SessionId, now: Timestamp) -> Result<Vec<Ended>, Fault> {
    let mut found = tx.rows(
        end_where!(
            "parent_id = $2 AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = sessions.id)"
        ),
        args![now, parent],
        ended,
    )?;
    let sql = "SELECT id, user_id, expires_at, application_id FROM sessions \
               WHERE parent_id = $1 AND ended_at IS NULL AND expires_at > $2";
    found.extend(tx.rows(sql, args![parent, now], ended)?);
    Ok(found)
}

/// Ends every session of a user, also those at applications.
pub(crate) fn all(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<Vec<Ended>, Fault> {
    tx.rows(end_where!("user_id = $2"), args![now, user], ended)
}

/// Ends every session of a user but this one.
pub(crate) fn others(
    tx: &mut Tx<'_>,
    user: UserId,
    but: SessionId,
    now: Timestamp,
) -> Result<Vec<Ended>, Fault> {
    tx.rows(end_where!("user_id = $2 AND id <> $3"), args![now, user, but], ended)
}

/// Ends the sessions of everybody at all applications.
pub(crate) fn everywhere(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Ended>, Fault> {
    tx.rows(end_where!("application_id IS NOT NULL"), args![now], ended)
}

/// Ends the sessions of everybody at this service itself; how many were alive.
pub(crate) fn own(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Fault> {
    let sql = "UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL AND application_id IS NULL AND expires_at > $1";
    tx.execute(sql, args![now])
}

/// Ends the sessions of a user at an application.
pub(crate) fn at_application(
    tx: &mut Tx<'_>,
    user: UserId,
    application: &str,
    now: Timestamp,
) -> Result<Vec<Ended>, Fault> {
    tx.rows(end_where!("user_id = $2 AND application_id = $3"), args![now, user, application], ended)
}

/// Ends every session at an application that is gone.
pub(crate) fn all_at_application(tx: &mut Tx<'_>, application: &str, now: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE sessions SET ended_at = $2 WHERE application_id = $1 AND ended_at IS NULL";
    tx.execute(sql, args![application, now])?;
    Ok(())
}

fn ended(row: &Row<'_>) -> Result<Ended, Fault> {
    Ok(Ended { id: row.get(0)?, user_id: row.get(1)?, expires_at: row.get(2)?, application: row.get_opt(3)? })
}
