//! What a backup says of itself: a table of its own, beside those that it keeps.

use crate::fault::Fault;
use crate::store::Tx;
use crate::store::migrations::holds;
use crate::store::sql::args;

const TABLE: &str = "backup_manifest";

/// Writes the text, in place of the one that is there.
pub(crate) fn write(tx: &mut Tx<'_>, text: &str) -> Result<(), Fault> {
    tx.script(
        "DROP TABLE IF EXISTS backup_manifest; CREATE TABLE backup_manifest (slot BIGINT NOT NULL PRIMARY KEY, text TEXT NOT NULL)",
    )?;
    tx.execute("INSERT INTO backup_manifest (slot, text) VALUES (1, $1)", args![text])?;
    Ok(())
}

/// The text; `None` if the file is no backup.
pub(crate) fn read(tx: &mut Tx<'_>) -> Result<Option<String>, Fault> {
    if !holds(tx, TABLE, "")? {
        return Ok(None);
    }
    tx.row("SELECT text FROM backup_manifest", &[], |row| row.get(0))
}
