//! The table `challenges`: links mailed to existing users.

use crate::domain::access::challenge::{Challenge, Purpose};
use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

pub(crate) fn insert(tx: &mut Tx<'_>, new: &Challenge) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO challenges (id, purpose, user_id, session_id, email, email_key, credential_version, created_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            new.id,
            new.purpose.name(),
            new.user_id,
            new.session_id,
            new.email.as_str(),
            new.email.key(),
            new.credential_version,
            new.created_at,
            new.expires_at
        ],
    )?;
    Ok(())
}

pub(crate) fn by_id(tx: &mut Tx<'_>, id: &[u8; 16]) -> Result<Option<Challenge>, Fault> {
    let found = tx.row(
        "SELECT id, purpose, user_id, session_id, email, email_key, credential_version, created_at, expires_at, used_at \
         FROM challenges WHERE id = $1",
        args![id],
        challenge,
    )?;
    Ok(found.flatten())
}

/// Uses it up. `false`: it is gone, expired, or was used before (T4).
pub(crate) fn consume(tx: &mut Tx<'_>, id: &[u8; 16], now: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE challenges SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
    Ok(tx.execute(sql, args![id, now])? == 1)
}

/// Deletes the unused ones of a purpose: a new one voids the earlier ones (T2).
pub(crate) fn void(tx: &mut Tx<'_>, user: UserId, purpose: Purpose) -> Result<(), Fault> {
    let sql = "DELETE FROM challenges WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL";
    tx.execute(sql, args![user, purpose.name()])?;
    Ok(())
}

/// Deletes the unused ones of the same user and purpose that are no older than this one.
pub(crate) fn void_younger(tx: &mut Tx<'_>, than: &Challenge) -> Result<(), Fault> {
    let sql = "DELETE FROM challenges WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL \
               AND created_at >= $3 AND id <> $4";
    tx.execute(sql, args![than.user_id, than.purpose.name(), than.created_at, than.id])?;
    Ok(())
}

/// The newest unused one of a purpose.
pub(crate) fn waiting(
    tx: &mut Tx<'_>,
    user: UserId,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<Challenge>, Fault> {
    let found = tx.row(
        "SELECT id, purpose, user_id, session_id, email, email_key, credential_version, created_at, expires_at, used_at \
         FROM challenges WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 \
         ORDER BY id DESC LIMIT 1",
        args![user, purpose.name(), now],
        challenge,
    )?;
    Ok(found.flatten())
}

pub(crate) fn sweep(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE expires_at <= $1 LIMIT $2)",
        args![now, limit],
    )
}

fn challenge(row: &Row<'_>) -> Result<Option<Challenge>, Fault> {
    let Some(purpose) = Purpose::from_name(&row.get::<String>(1)?) else { return Ok(None) };
    Ok(Some(Challenge {
        id: row.get(0)?,
        purpose,
        user_id: row.get(2)?,
        session_id: row.get_opt(3)?,
        email: Email::from_stored(row.get(4)?, row.get(5)?),
        credential_version: row.get(6)?,
        created_at: row.get(7)?,
        expires_at: row.get(8)?,
        used_at: row.get_opt(9)?,
    }))
}
