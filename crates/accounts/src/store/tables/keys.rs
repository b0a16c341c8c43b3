//! The tables `signing_keys`, `wrapped_keys` and `idempotency_keys`.

use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};
use crate::token::algorithm::SigningAlgorithm;

/// A signing key as stored: its private part is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) id: String,
    pub(crate) algorithm: SigningAlgorithm,
    /// Empty once the key is retired.
    pub(crate) private_key: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
    pub(crate) created_at: Timestamp,
    /// When it begins to sign, unless a newer one does.
    pub(crate) signs_at: Timestamp,
    /// When its signatures stop being valid; may be in the future.
    pub(crate) retired_at: Option<Timestamp>,
}

impl StoredKey {
    /// Whether its signatures are valid.
    pub(crate) fn lives(&self, now: Timestamp) -> bool {
        self.retired_at.is_none_or(|at| at > now)
    }
}

/// The index of the key that signs now: the newest valid one whose time has come. If a clock that was set back leaves
/// none, the oldest valid key signs.
pub(crate) fn signing_now(keys: &[StoredKey], now: Timestamp) -> Option<usize> {
    let begun = keys.iter().rposition(|key| key.lives(now) && key.signs_at <= now);
    begun.or_else(|| keys.iter().position(|key| key.lives(now)))
}

fn stored_key(row: &Row<'_>) -> Result<StoredKey, Fault> {
    let algorithm: String = row.get(1)?;
    Ok(StoredKey {
        id: row.get(0)?,
        algorithm: algorithm.parse().map_err(|error| Fault::Unavailable(format!("{algorithm}: {error}")))?,
        private_key: row.get(2)?,
        public_key: row.get(3)?,
        created_at: row.get(4)?,
        signs_at: row.get(5)?,
        retired_at: row.get_opt(6)?,
    })
}

/// All signing keys, in the order in which they sign.
pub(crate) fn signing(tx: &mut Tx<'_>) -> Result<Vec<StoredKey>, Fault> {
    tx.rows(
        "SELECT id, algorithm, private_key, public_key, created_at, signs_at, retired_at FROM signing_keys \
         ORDER BY signs_at, id",
        &[],
        stored_key,
    )
}

pub(crate) fn insert_signing(tx: &mut Tx<'_>, key: &StoredKey) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO signing_keys (id, algorithm, private_key, public_key, created_at, signs_at, retired_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            key.id,
            key.algorithm.name(),
            key.private_key,
            key.public_key,
            key.created_at,
            key.signs_at,
            key.retired_at
        ],
    )?;
    Ok(())
}

/// Updates what may change in a signing key: when it signs, when it ends, how it is encrypted.
pub(crate) fn update_signing(tx: &mut Tx<'_>, key: &StoredKey) -> Result<(), Fault> {
    tx.execute(
        "UPDATE signing_keys SET signs_at = $2, retired_at = $3, private_key = $4 WHERE id = $1",
        args![key.id, key.signs_at, key.retired_at, key.private_key],
    )?;
    Ok(())
}

/// Erases the private parts of retired keys, and deletes those that ended before `forgotten`.
pub(crate) fn sweep_signing(tx: &mut Tx<'_>, now: Timestamp, forgotten: Timestamp) -> Result<u64, Fault> {
    let nothing: [u8; 0] = [];
    let sql = "UPDATE signing_keys SET private_key = $1 WHERE retired_at <= $2 AND length(private_key) > 0";
    let erased = tx.execute(sql, args![nothing, now])?;
    Ok(erased + tx.execute("DELETE FROM signing_keys WHERE retired_at <= $1", args![forgotten])?)
}

/// Another key that is stored encrypted.
pub(crate) fn wrapped(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    tx.row("SELECT wrapped_key FROM wrapped_keys WHERE name = $1", args![name], |row| row.get(0))
}

pub(crate) fn put_wrapped(tx: &mut Tx<'_>, name: &str, key: &[u8], now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO wrapped_keys (name, wrapped_key, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET wrapped_key = excluded.wrapped_key",
        args![name, key, now],
    )?;
    Ok(())
}

/// The state of an idempotency key.
pub(crate) enum Idempotency {
    /// It is new, and has been recorded.
    New,
    /// It was used at that time, with this fingerprint of the request.
    Known { fingerprint: [u8; 32], at: Timestamp },
}

/// Records a key, or finds it. Of two concurrent calls, the second waits for the first to commit.
pub(crate) fn remember(
    tx: &mut Tx<'_>,
    key: &[u8; 32],
    fingerprint: &[u8; 32],
    now: Timestamp,
    forgotten: Timestamp,
) -> Result<Idempotency, Fault> {
    tx.execute("DELETE FROM idempotency_keys WHERE key = $1 AND created_at <= $2", args![key, forgotten])?;
    let rows = tx.execute(
        "INSERT INTO idempotency_keys (key, fingerprint, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        args![key, fingerprint, now],
    )?;
    if rows == 1 {
        return Ok(Idempotency::New);
    }
    let sql = "SELECT fingerprint, created_at FROM idempotency_keys WHERE key = $1";
    let known =
        tx.row(sql, args![key], |row| Ok(Idempotency::Known { fingerprint: row.get(0)?, at: row.get(1)? }))?;
    Ok(known.unwrap_or(Idempotency::New))
}

/// Deletes a key whose request changed nothing.
pub(crate) fn forget(tx: &mut Tx<'_>, key: &[u8; 32]) -> Result<(), Fault> {
    tx.execute("DELETE FROM idempotency_keys WHERE key = $1", args![key])?;
    Ok(())
}

pub(crate) fn sweep_idempotency(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM idempotency_keys WHERE key IN \
         (SELECT key FROM idempotency_keys WHERE created_at <= $1 LIMIT $2)",
        args![before, limit],
    )
}
