//! The table `authorization_codes`: SHA-256 of codes that applications exchange for tokens.

use crate::domain::access::amr::Amr;
use crate::domain::access::session::Proven;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;
use crate::store::tables::sessions::TokenHash;

/// A code that was issued.
pub(crate) struct IssuedCode {
    pub(crate) user: UserId,
    /// The browser's session that it was issued in.
    pub(crate) parent: SessionId,
    pub(crate) credential_version: i64,
    /// JSON of the request that it answers.
    pub(crate) request: String,
    /// What was proven in the browser's session.
    pub(crate) proven: Proven,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) fn insert(tx: &mut Tx<'_>, hash: &TokenHash, new: &IssuedCode) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO authorization_codes (hash, user_id, parent_id, credential_version, request, amr, password_at, factor_at, \
         created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            hash,
            new.user,
            new.parent,
            new.credential_version,
            new.request,
            new.proven.amr.to_string(),
            new.proven.password_at,
            new.proven.factor_at,
            new.created_at,
            new.expires_at
        ],
    )?;
    Ok(())
}

/// Whose it is.
pub(crate) fn user_of(tx: &mut Tx<'_>, hash: &TokenHash) -> Result<Option<UserId>, Fault> {
    tx.row("SELECT user_id FROM authorization_codes WHERE hash = $1", args![hash], |row| row.get(0))
}

/// Uses it up, whatever becomes of the rest: of concurrent callers with the same code, one gets it.
pub(crate) fn consume(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<IssuedCode>, Fault> {
    tx.row(
        "UPDATE authorization_codes SET consumed_at = $2 WHERE hash = $1 AND consumed_at IS NULL AND expires_at > $2 \
         RETURNING user_id, parent_id, credential_version, request, amr, password_at, factor_at, created_at, expires_at",
        args![hash, now],
        |row| {
            Ok(IssuedCode {
                user: row.get(0)?,
                parent: row.get(1)?,
                credential_version: row.get(2)?,
                request: row.get(3)?,
                proven: Proven {
                    amr: Amr::from_stored(&row.get::<String>(4)?),
                    password_at: row.get_opt(5)?,
                    factor_at: row.get_opt(6)?,
                },
                created_at: row.get(7)?,
                expires_at: row.get(8)?,
            })
        },
    )
}

/// Remembers the session that a code began, for the case that it comes again.
pub(crate) fn began(tx: &mut Tx<'_>, hash: &TokenHash, session: SessionId) -> Result<(), Fault> {
    let sql = "UPDATE authorization_codes SET session_id = $2 WHERE hash = $1";
    tx.execute(sql, args![hash, session])?;
    Ok(())
}

/// The session that a used code began.
pub(crate) fn session_of_used(tx: &mut Tx<'_>, hash: &TokenHash) -> Result<Option<SessionId>, Fault> {
    let sql = "SELECT session_id FROM authorization_codes WHERE hash = $1 AND consumed_at IS NOT NULL";
    Ok(tx.row(sql, args![hash], |row| row.get_opt(0))?.flatten())
}

pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM authorization_codes WHERE hash IN \
         (SELECT hash FROM authorization_codes WHERE expires_at <= $1 LIMIT $2)",
        args![before, limit],
    )
}
