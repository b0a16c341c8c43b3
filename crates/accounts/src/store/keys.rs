//! The tables `signing_keys` and `idempotency_keys`.

use super::Tx;
use super::sql::args;
use crate::{Fault, Timestamp};

/// A signing key as it is stored: its private part encrypted.
#[derive(Clone, Debug)]
pub(crate) struct StoredKey {
    pub(crate) id: String,
    pub(crate) algorithm: String,
    pub(crate) private_key: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
}

/// The keys that verify, newest first; the newest signs.
pub(crate) fn signing(tx: &mut Tx<'_>) -> Result<Vec<StoredKey>, Fault> {
    tx.rows(
        "SELECT id, algorithm, private_key, public_key FROM signing_keys WHERE retired_at IS NULL \
         ORDER BY created_at DESC, id DESC",
        &[],
        |row| {
            Ok(StoredKey {
                id: row.get(0)?,
                algorithm: row.get(1)?,
                private_key: row.get(2)?,
                public_key: row.get(3)?,
            })
        },
    )
}

pub(crate) fn insert_signing(tx: &mut Tx<'_>, key: &StoredKey, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO signing_keys (id, algorithm, private_key, public_key, created_at) VALUES ($1, $2, $3, $4, $5)",
        args![key.id, key.algorithm, key.private_key, key.public_key, now],
    )?;
    Ok(())
}

/// What is known of an idempotency key.
pub(crate) enum Idempotency {
    /// It is new, and from now on known.
    New,
    /// It was used at that time, with this fingerprint of the request.
    Known { fingerprint: [u8; 32], at: Timestamp },
}

/// Remembers a key, or finds it. Of two at once, the second waits for the first to commit.
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

pub(crate) fn sweep_idempotency(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, Fault> {
    tx.execute("DELETE FROM idempotency_keys WHERE created_at <= $1", args![before])
}
