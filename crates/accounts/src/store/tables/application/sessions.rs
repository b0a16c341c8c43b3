//! The columns of the table `sessions` that only the session of an application has.

use crate::domain::application::scope::Scopes;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// What the session of an application is for.
#[derive(Clone, Debug)]
pub(crate) struct OfApplication {
    pub(crate) id: String,
    /// The browser's session that it came from.
    pub(crate) parent: SessionId,
    pub(crate) scopes: Scopes,
    /// The resource that its tokens are for.
    pub(crate) resource: Option<String>,
}

/// What the session of an application is for; `None`: it is this service's own, or gone.
pub(crate) fn of_application(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<OfApplication>, Fault> {
    let sql = "SELECT application_id, parent_id, scopes, resource FROM sessions WHERE id = $1 AND application_id IS NOT NULL";
    tx.row(sql, args![id], read_application)
}

/// What the session of a refresh token is for, if it is an application's.
pub(crate) fn of_token(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<OfApplication>, Fault> {
    let sql = "SELECT s.application_id, s.parent_id, s.scopes, s.resource FROM refresh_tokens r \
               JOIN sessions s ON s.id = r.session_id WHERE r.hash = $1 AND s.application_id IS NOT NULL";
    tx.row(sql, args![hash], read_application)
}

fn read_application(row: &Row<'_>) -> Result<OfApplication, Fault> {
    Ok(OfApplication {
        id: row.get(0)?,
        parent: row.get(1)?,
        scopes: Scopes::from_stored(&row.get::<String>(2)?),
        resource: row.get_opt(3)?,
    })
}

/// Ends the sessions of a user at an application.
pub(crate) fn end_at_application(
    tx: &mut Tx<'_>,
    user: UserId,
    application: &str,
    now: Timestamp,
) -> Result<u64, Fault> {
    let sql =
        "UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND application_id = $2 AND ended_at IS NULL";
    tx.execute(sql, args![user, application, now])
}

/// Ends every session at an application that is gone.
pub(crate) fn end_all_at_application(
    tx: &mut Tx<'_>,
    application: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE sessions SET ended_at = $2 WHERE application_id = $1 AND ended_at IS NULL";
    tx.execute(sql, args![application, now])?;
    Ok(())
}
