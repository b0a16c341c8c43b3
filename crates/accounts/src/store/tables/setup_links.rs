//! The table `setup_links`: the single link that creates the first administrator.

use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;

/// The right to create the first administrator.
#[derive(Clone, Debug)]
pub(crate) struct SetupRight {
    pub(crate) id: [u8; 16],
    pub(crate) expires_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}

/// Issues a new link. `false`: the previous one still works and stays.
pub(crate) fn renew(
    tx: &mut Tx<'_>,
    id: &[u8; 16],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, Fault> {
    let rows = tx.execute(
        "INSERT INTO setup_links (slot, id, expires_at) VALUES (1, $1, $2) ON CONFLICT (slot) DO UPDATE \
         SET id = $1, expires_at = $2, used_at = NULL \
         WHERE setup_links.expires_at <= $3 OR setup_links.used_at IS NOT NULL",
        args![id, expires_at, now],
    )?;
    Ok(rows == 1)
}

pub(crate) fn current(tx: &mut Tx<'_>) -> Result<Option<SetupRight>, Fault> {
    tx.row("SELECT id, expires_at, used_at FROM setup_links WHERE slot = 1", &[], |row| {
        Ok(SetupRight { id: row.get(0)?, expires_at: row.get(1)?, used_at: row.get_opt(2)? })
    })
}

/// Uses it up. `false`: it is expired, replaced, or was used before (T4).
pub(crate) fn claim(tx: &mut Tx<'_>, id: &[u8; 16], now: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE setup_links SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
    Ok(tx.execute(sql, args![id, now])? == 1)
}
