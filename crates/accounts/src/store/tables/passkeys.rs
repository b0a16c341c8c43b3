//! The tables `passkeys` and `spent_ceremonies`: the latter has the ceremonies that were answered, until they end.

use crate::domain::access::passkey::Passkey;
use crate::domain::ids::{PasskeyId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// A passkey that is being added.
pub(crate) struct NewPasskey {
    pub(crate) id: PasskeyId,
    pub(crate) user: UserId,
    pub(crate) credential_id: Vec<u8>,
    /// The `COSE_Key` as the authenticator gave it.
    pub(crate) public_key: Vec<u8>,
    pub(crate) algorithm: i64,
    pub(crate) sign_count: i64,
    pub(crate) aaguid: [u8; 16],
    pub(crate) transports: Vec<String>,
    pub(crate) backup_eligible: bool,
    pub(crate) backed_up: bool,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
}

/// What an assertion is checked against.
pub(crate) struct StoredPasskey {
    pub(crate) id: PasskeyId,
    pub(crate) user: UserId,
    pub(crate) public_key: Vec<u8>,
    pub(crate) sign_count: i64,
    pub(crate) backup_eligible: bool,
    pub(crate) name: String,
    /// The name of its user for authenticators.
    pub(crate) handle: Option<[u8; 64]>,
    /// What the owner's credentials were when it was read.
    pub(crate) credential_version: i64,
}

/// How a browser finds a passkey again.
pub(crate) struct PasskeyDescriptor {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) transports: Vec<String>,
}

/// `false`: somebody has a passkey of this credential id.
pub(crate) fn insert(tx: &mut Tx<'_>, new: &NewPasskey) -> Result<bool, Fault> {
    let rows = tx.execute(
        "INSERT INTO passkeys (id, user_id, credential_id, public_key, algorithm, sign_count, aaguid, transports, \
         uv_at_creation, backup_eligible, backed_up, name, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
        args![
            new.id,
            new.user,
            new.credential_id,
            new.public_key,
            new.algorithm,
            new.sign_count,
            new.aaguid,
            new.transports.join(" "),
            i64::from(new.backup_eligible),
            i64::from(new.backed_up),
            new.name,
            new.created_at
        ],
    )?;
    Ok(rows == 1)
}

/// Those of a user, oldest first.
pub(crate) fn of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Passkey>, Fault> {
    tx.rows(
        "SELECT id, name, created_at, last_used_at, backed_up, transports, aaguid FROM passkeys \
         WHERE user_id = $1 ORDER BY id",
        args![user],
        passkey,
    )
}

/// How a browser finds those of a user, oldest first.
pub(crate) fn descriptors(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<PasskeyDescriptor>, Fault> {
    let sql = "SELECT credential_id, transports FROM passkeys WHERE user_id = $1 ORDER BY id";
    tx.rows(sql, args![user], |row| {
        Ok(PasskeyDescriptor { credential_id: row.get(0)?, transports: words(&row.get::<String>(1)?) })
    })
}

/// Whose a credential is, and what checks it: the account comes from here only (B18).
pub(crate) fn by_credential(tx: &mut Tx<'_>, credential_id: &[u8]) -> Result<Option<StoredPasskey>, Fault> {
    tx.row(
        "SELECT p.id, p.user_id, p.public_key, p.sign_count, p.backup_eligible, p.name, u.webauthn_handle, \
         u.credential_version \
         FROM passkeys p JOIN users u ON u.id = p.user_id WHERE p.credential_id = $1",
        args![credential_id],
        |row| {
            Ok(StoredPasskey {
                id: row.get(0)?,
                user: row.get(1)?,
                public_key: row.get(2)?,
                sign_count: row.get(3)?,
                backup_eligible: row.get::<i64>(4)? != 0,
                name: row.get(5)?,
                handle: row.get_opt(6)?,
                credential_version: row.get(7)?,
            })
        },
    )
}

/// It was used. The counter never goes back here: one that did is reported by the caller.
pub(crate) fn record_use(
    tx: &mut Tx<'_>,
    id: PasskeyId,
    sign_count: i64,
    backed_up: bool,
    now: Timestamp,
) -> Result<(), Fault> {
    tx.execute(
        "UPDATE passkeys SET last_used_at = $2, backed_up = $4, \
         sign_count = CASE WHEN sign_count < $3 THEN $3 ELSE sign_count END WHERE id = $1",
        args![id, now, sign_count, i64::from(backed_up)],
    )?;
    Ok(())
}

/// The passkey under its new name; `None`: the user has none of this id.
pub(crate) fn rename(
    tx: &mut Tx<'_>,
    user: UserId,
    id: PasskeyId,
    name: &str,
) -> Result<Option<Passkey>, Fault> {
    tx.row(
        "UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2 \
         RETURNING id, name, created_at, last_used_at, backed_up, transports, aaguid",
        args![id, user, name],
        passkey,
    )
}

/// Its name; `None`: the user has none of this id.
pub(crate) fn remove(tx: &mut Tx<'_>, user: UserId, id: PasskeyId) -> Result<Option<String>, Fault> {
    let sql = "DELETE FROM passkeys WHERE id = $1 AND user_id = $2 RETURNING name";
    tx.row(sql, args![id, user], |row| row.get(0))
}

/// Those that were added at this time or later.
pub(crate) fn remove_younger(tx: &mut Tx<'_>, user: UserId, since: Timestamp) -> Result<(), Fault> {
    tx.execute("DELETE FROM passkeys WHERE user_id = $1 AND created_at >= $2", args![user, since])?;
    Ok(())
}

pub(crate) fn remove_all(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    tx.execute("DELETE FROM passkeys WHERE user_id = $1", args![user])?;
    Ok(())
}

/// Spends a ceremony. `false`: it was answered before.
pub(crate) fn spend_ceremony(tx: &mut Tx<'_>, id: &[u8; 16], expires_at: Timestamp) -> Result<bool, Fault> {
    let sql = "INSERT INTO spent_ceremonies (id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, args![id, expires_at])? == 1)
}

pub(crate) fn sweep_ceremonies(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM spent_ceremonies WHERE id IN \
         (SELECT id FROM spent_ceremonies WHERE expires_at <= $1 LIMIT $2)",
        args![now, limit],
    )
}

fn passkey(row: &Row<'_>) -> Result<Passkey, Fault> {
    Ok(Passkey {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        last_used_at: row.get_opt(3)?,
        backed_up: row.get::<i64>(4)? != 0,
        transports: words(&row.get::<String>(5)?),
        aaguid: row.get(6)?,
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}
