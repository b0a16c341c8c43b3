//! The table `authenticators`: one authenticator app for each user.

use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// An authenticator app, with its secret as it is stored.
pub(crate) struct StoredAuthenticator {
    pub(crate) user: UserId,
    /// Encrypted.
    pub(crate) secret: Vec<u8>,
    pub(crate) created_at: Timestamp,
    /// `None`: no code of it has been given yet, so it proves nothing.
    pub(crate) confirmed_at: Option<Timestamp>,
}

/// Keeps a new secret until its first code confirms it. `false`: the user has an authenticator that is confirmed.
pub(crate) fn put(tx: &mut Tx<'_>, new: &StoredAuthenticator, sealed_with: [u8; 8]) -> Result<bool, Fault> {
    let rows = tx.execute(
        "INSERT INTO authenticators (user_id, secret, sealed_with, created_at, last_step) VALUES ($1, $2, $3, $4, 0) \
         ON CONFLICT (user_id) DO UPDATE SET secret = $2, sealed_with = $3, created_at = $4, last_step = 0 \
         WHERE authenticators.confirmed_at IS NULL",
        args![new.user, new.secret, sealed_with, new.created_at],
    )?;
    Ok(rows == 1)
}

pub(crate) fn of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Option<StoredAuthenticator>, Fault> {
    let sql = "SELECT user_id, secret, created_at, confirmed_at FROM authenticators WHERE user_id = $1";
    tx.row(sql, args![user], authenticator)
}

/// Spends the code of a step. `false`: a code of this step, or of a later one, was spent before (B20).
pub(crate) fn spend(tx: &mut Tx<'_>, user: UserId, step: i64) -> Result<bool, Fault> {
    let sql = "UPDATE authenticators SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
    Ok(tx.execute(sql, args![user, step])? == 1)
}

/// From now on it proves who its user is. `false`: it did before, or is gone.
pub(crate) fn confirm(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE authenticators SET confirmed_at = $2 WHERE user_id = $1 AND confirmed_at IS NULL";
    Ok(tx.execute(sql, args![user, now])? == 1)
}

/// `false`: there was none that is confirmed.
pub(crate) fn remove(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Fault> {
    tx.execute("DELETE FROM authenticators WHERE user_id = $1 AND confirmed_at IS NULL", args![user])?;
    Ok(tx.execute("DELETE FROM authenticators WHERE user_id = $1", args![user])? == 1)
}

/// Some of those whose secret is encrypted under another key.
pub(crate) fn sealed_otherwise(
    tx: &mut Tx<'_>,
    seal: [u8; 8],
    limit: i64,
) -> Result<Vec<StoredAuthenticator>, Fault> {
    tx.rows(
        "SELECT user_id, secret, created_at, confirmed_at FROM authenticators \
         WHERE sealed_with < $1 OR sealed_with > $1 LIMIT $2",
        args![seal, limit],
        authenticator,
    )
}

/// The same secret, encrypted under another key, unless it was replaced meanwhile.
pub(crate) fn reseal(
    tx: &mut Tx<'_>,
    old: &StoredAuthenticator,
    secret: &[u8],
    seal: [u8; 8],
) -> Result<u64, Fault> {
    let sql = "UPDATE authenticators SET secret = $3, sealed_with = $4 WHERE user_id = $1 AND secret = $2";
    tx.execute(sql, args![old.user, old.secret, secret, seal])
}

fn authenticator(row: &Row<'_>) -> Result<StoredAuthenticator, Fault> {
    Ok(StoredAuthenticator {
        user: row.get(0)?,
        secret: row.get(1)?,
        created_at: row.get(2)?,
        confirmed_at: row.get_opt(3)?,
    })
}
