//! The columns of the table `sessions` that only the session of an application has.

use crate::domain::application::scope::Scopes;
use crate::domain::ids::SessionId;
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

/// How many sessions of one application that came from one browser's session are remembered, beside those whose access token
/// still works.
const KEPT: i64 = 16;

/// Lets the oldest sessions of an application expire whose access token has: without refresh tokens they are only there so that
/// the application hears of their end, and one that signs somebody in again and again would have thousands.
pub(crate) fn retire_surplus(
    tx: &mut Tx<'_>,
    of: &OfApplication,
    expired: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE sessions SET expires_at = $4 WHERE id IN (SELECT s.id FROM sessions s \
               WHERE s.parent_id = $1 AND s.application_id = $2 AND s.created_at <= $3 AND s.ended_at IS NULL \
               AND s.expires_at > $4 AND NOT EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.session_id = s.id) \
               ORDER BY s.id DESC LIMIT 1000 OFFSET $5)";
    tx.execute(sql, args![of.parent, of.id, expired, now, KEPT])?;
    Ok(())
}
