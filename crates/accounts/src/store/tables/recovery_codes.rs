//! The table `recovery_codes`: keyed hashes of codes, each good once.

use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;

/// A keyed hash of a code and its user.
pub(crate) type RecoveryHash = [u8; 32];

/// These are the user's codes from now on, and no others.
pub(crate) fn replace(
    tx: &mut Tx<'_>,
    user: UserId,
    hashes: &[RecoveryHash],
    now: Timestamp,
) -> Result<(), Fault> {
    remove(tx, user)?;
    for hash in hashes {
        let sql = "INSERT INTO recovery_codes (hash, user_id, created_at) VALUES ($1, $2, $3)";
        tx.execute(sql, args![hash, user, now])?;
    }
    Ok(())
}

/// Spends a code. `false`: it is none of the user's, or was spent before.
pub(crate) fn spend(
    tx: &mut Tx<'_>,
    user: UserId,
    hash: &RecoveryHash,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "UPDATE recovery_codes SET used_at = $3 WHERE hash = $1 AND user_id = $2 AND used_at IS NULL";
    Ok(tx.execute(sql, args![hash, user, now])? == 1)
}

/// How many are left.
pub(crate) fn count_left(tx: &mut Tx<'_>, user: UserId) -> Result<i64, Fault> {
    tx.count("SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL", args![user])
}

/// Those that were made at this time or later.
pub(crate) fn remove_younger(tx: &mut Tx<'_>, user: UserId, since: Timestamp) -> Result<(), Fault> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1 AND created_at >= $2", args![user, since])?;
    Ok(())
}

pub(crate) fn remove(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", args![user])?;
    Ok(())
}
