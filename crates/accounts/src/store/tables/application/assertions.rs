//! The table `application_assertions`: assertions that were used, by the SHA-256 of their `jti`.

use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;
use crate::store::tables::sessions::TokenHash;

/// Notes that an application has used an assertion. `false`: it had before; of concurrent callers, one is the first.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    application: &str,
    jti_hash: &TokenHash,
    expires_at: Timestamp,
) -> Result<bool, Fault> {
    let rows = tx.execute(
        "INSERT INTO application_assertions (application_id, jti_hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        args![application, jti_hash, expires_at],
    )?;
    Ok(rows == 1)
}

/// Forgets those of an application.
pub(crate) fn delete_all(tx: &mut Tx<'_>, application: &str) -> Result<(), Fault> {
    tx.execute("DELETE FROM application_assertions WHERE application_id = $1", args![application])?;
    Ok(())
}

pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM application_assertions WHERE (application_id, jti_hash) IN \
         (SELECT application_id, jti_hash FROM application_assertions WHERE expires_at <= $1 LIMIT $2)",
        args![before, limit],
    )
}
