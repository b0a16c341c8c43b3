//! What of a database that was restored no longer counts.

use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;

/// Recovery codes that were used after the backup was made would work again.
pub(crate) fn void_recovery_codes(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Fault> {
    tx.execute("UPDATE recovery_codes SET used_at = $1 WHERE used_at IS NULL", args![now])
}

/// Links and codes that were mailed, and what waits for a factor, a consent or a code of an application.
pub(crate) fn void_links(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Fault> {
    tx.execute("UPDATE challenges SET used_at = $1 WHERE used_at IS NULL", args![now])?;
    tx.execute("UPDATE invitations SET expires_at = $1 WHERE expires_at > $1", args![now])?;
    tx.execute("UPDATE setup_links SET expires_at = $1 WHERE expires_at > $1", args![now])?;
    let sql = "UPDATE registrations SET expires_at = $1, code_mail = NULL WHERE expires_at > $1";
    tx.execute(sql, args![now])?;
    tx.execute("DELETE FROM sign_in_challenges", &[])?;
    tx.execute("DELETE FROM authorization_codes", &[])?;
    tx.execute("DELETE FROM authorization_requests", &[])?;
    Ok(())
}

/// Messages and deliveries that wait become dead letters: most had left since. How many messages.
pub(crate) fn give_up_waiting(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Fault> {
    const WHY: &str = "restored from a backup: it may have been sent since";
    tx.execute(
        "UPDATE webhook_deliveries SET due_at = NULL, failed_at = $1, last_error = $2 WHERE due_at IS NOT NULL",
        args![now, WHY],
    )?;
    tx.execute(
        "UPDATE outbox SET due_at = NULL, failed_at = $1, last_error = $2 WHERE due_at IS NOT NULL",
        args![now, WHY],
    )
}
