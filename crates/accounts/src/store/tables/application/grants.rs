//! The table `application_grants`.

use crate::domain::application::scope::Scopes;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// What a user has allowed an application.
#[derive(Clone, Debug)]
pub(crate) struct StoredGrant {
    pub(crate) application: String,
    pub(crate) scopes: Scopes,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
}

pub(crate) fn find(tx: &mut Tx<'_>, user: UserId, application: &str) -> Result<Option<StoredGrant>, Fault> {
    tx.row(
        "SELECT application_id, scopes, created_at, last_used_at FROM application_grants \
         WHERE user_id = $1 AND application_id = $2",
        args![user, application],
        grant,
    )
}

/// Of a user, those used last first, at most 200.
pub(crate) fn of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<StoredGrant>, Fault> {
    tx.rows(
        "SELECT application_id, scopes, created_at, last_used_at FROM application_grants \
         WHERE user_id = $1 ORDER BY last_used_at DESC, application_id LIMIT 200",
        args![user],
        grant,
    )
}

/// The user allows the application these scopes, whatever was allowed before. `true`: it is the first time.
pub(crate) fn allow(
    tx: &mut Tx<'_>,
    user: UserId,
    application: &str,
    scopes: &Scopes,
    now: Timestamp,
) -> Result<bool, Fault> {
    let scopes = scopes.to_string();
    let inserted = tx.execute(
        "INSERT INTO application_grants (user_id, application_id, scopes, created_at, last_used_at) \
         VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING",
        args![user, application, scopes, now],
    )?;
    if inserted == 0 {
        let sql = "UPDATE application_grants SET scopes = $3, last_used_at = $4 WHERE user_id = $1 AND application_id = $2";
        tx.execute(sql, args![user, application, scopes, now])?;
    }
    Ok(inserted == 1)
}

pub(crate) fn touch(tx: &mut Tx<'_>, user: UserId, application: &str, now: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE application_grants SET last_used_at = $3 WHERE user_id = $1 AND application_id = $2";
    tx.execute(sql, args![user, application, now])?;
    Ok(())
}

/// `false`: there is none.
pub(crate) fn delete(tx: &mut Tx<'_>, user: UserId, application: &str) -> Result<bool, Fault> {
    let sql = "DELETE FROM application_grants WHERE user_id = $1 AND application_id = $2";
    Ok(tx.execute(sql, args![user, application])? == 1)
}

/// Forgets what users allowed an application that is gone.
pub(crate) fn delete_all(tx: &mut Tx<'_>, application: &str) -> Result<(), Fault> {
    tx.execute("DELETE FROM application_grants WHERE application_id = $1", args![application])?;
    Ok(())
}

fn grant(row: &Row<'_>) -> Result<StoredGrant, Fault> {
    Ok(StoredGrant {
        application: row.get(0)?,
        scopes: Scopes::from_stored(&row.get::<String>(1)?),
        created_at: row.get(2)?,
        last_used_at: row.get(3)?,
    })
}
