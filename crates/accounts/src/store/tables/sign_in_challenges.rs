//! The table `sign_in_challenges`: right passwords that wait for their second factor.

use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// A right password that waits for its second factor.
pub(crate) struct SignInChallenge {
    pub(crate) id: [u8; 16],
    pub(crate) user: UserId,
    /// The user's when the password was right: the challenge dies with every change of password, address or factors.
    pub(crate) credential_version: i64,
    /// When the password was given.
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) fn insert(tx: &mut Tx<'_>, new: &SignInChallenge) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO sign_in_challenges (id, user_id, credential_version, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5)",
        args![new.id, new.user, new.credential_version, new.created_at, new.expires_at],
    )?;
    Ok(())
}

/// The one of this id that still waits.
pub(crate) fn find(tx: &mut Tx<'_>, id: &[u8; 16], now: Timestamp) -> Result<Option<SignInChallenge>, Fault> {
    tx.row(
        "SELECT id, user_id, credential_version, created_at, expires_at FROM sign_in_challenges \
         WHERE id = $1 AND expires_at > $2",
        args![id, now],
        challenge,
    )
}

/// Takes it. `false`: somebody else was faster, or it is too late.
pub(crate) fn take(tx: &mut Tx<'_>, id: &[u8; 16], now: Timestamp) -> Result<bool, Fault> {
    Ok(tx.execute("DELETE FROM sign_in_challenges WHERE id = $1 AND expires_at > $2", args![id, now])? == 1)
}

/// None of this user's waits any more.
pub(crate) fn void(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    tx.execute("DELETE FROM sign_in_challenges WHERE user_id = $1", args![user])?;
    Ok(())
}

/// Forgets the oldest of a user beyond so many: whoever asks again and again fills nothing.
pub(crate) fn keep_newest(tx: &mut Tx<'_>, user: UserId, most: i64) -> Result<(), Fault> {
    let sql = "DELETE FROM sign_in_challenges WHERE id IN (SELECT id FROM sign_in_challenges \
               WHERE user_id = $1 ORDER BY created_at DESC LIMIT 100 OFFSET $2)";
    tx.execute(sql, args![user, most])?;
    Ok(())
}

pub(crate) fn sweep(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM sign_in_challenges WHERE id IN \
         (SELECT id FROM sign_in_challenges WHERE expires_at <= $1 LIMIT $2)",
        args![now, limit],
    )
}

fn challenge(row: &Row<'_>) -> Result<SignInChallenge, Fault> {
    Ok(SignInChallenge {
        id: row.get(0)?,
        user: row.get(1)?,
        credential_version: row.get(2)?,
        created_at: row.get(3)?,
        expires_at: row.get(4)?,
    })
}
