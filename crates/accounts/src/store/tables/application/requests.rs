//! The table `authorization_requests`: what waits until its user has signed in or answered.

use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;
use crate::store::tables::limits::Subject;

/// A request that waits.
pub(crate) struct Waiting {
    pub(crate) id: [u8; 16],
    /// The SHA-256 of what names its browser.
    pub(crate) holder: [u8; 32],
    /// The network that it came from.
    pub(crate) client: Option<Subject>,
    /// JSON.
    pub(crate) request: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) fn insert(tx: &mut Tx<'_>, new: &Waiting) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO authorization_requests (id, holder, client, request, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![new.id, new.holder, new.client, new.request, new.created_at, new.expires_at],
    )?;
    Ok(())
}

/// How many wait that came from this network, counted to `most`.
pub(crate) fn count_of_client(
    tx: &mut Tx<'_>,
    client: &Subject,
    now: Timestamp,
    most: i64,
) -> Result<i64, Fault> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM authorization_requests WHERE client = $1 AND expires_at > $2 LIMIT $3) \
               AS counted";
    tx.count(sql, args![client, now, most])
}

/// Forgets the oldest of a browser beyond so many.
pub(crate) fn keep_newest(tx: &mut Tx<'_>, holder: &[u8; 32], most: i64) -> Result<(), Fault> {
    let sql = "DELETE FROM authorization_requests WHERE id IN (SELECT id FROM authorization_requests \
               WHERE holder = $1 ORDER BY created_at DESC, id DESC LIMIT 100 OFFSET $2)";
    tx.execute(sql, args![holder, most])?;
    Ok(())
}

/// The request of this id, for its own browser only.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    id: &[u8; 16],
    holder: &[u8; 32],
    now: Timestamp,
) -> Result<Option<String>, Fault> {
    let sql = "SELECT request FROM authorization_requests WHERE id = $1 AND holder = $2 AND expires_at > $3";
    tx.row(sql, args![id, holder, now], |row| row.get(0))
}

/// Takes it: of two answers at once, one finds it.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    id: &[u8; 16],
    holder: &[u8; 32],
    now: Timestamp,
) -> Result<Option<String>, Fault> {
    let sql = "DELETE FROM authorization_requests WHERE id = $1 AND holder = $2 AND expires_at > $3 RETURNING request";
    tx.row(sql, args![id, holder, now], |row| row.get(0))
}

pub(crate) fn sweep(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM authorization_requests WHERE id IN \
         (SELECT id FROM authorization_requests WHERE expires_at <= $1 LIMIT $2)",
        args![now, limit],
    )
}
