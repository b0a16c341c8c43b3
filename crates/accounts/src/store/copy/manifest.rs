//! What a backup says of itself, and the secret key if it has it: tables of its own, beside those that it keeps.

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

const KEY_TABLE: &str = "backup_secret_key";

/// Puts the secret key beside it.
pub(crate) fn write_key(tx: &mut Tx<'_>, key: &str) -> Result<(), Fault> {
    tx.script("CREATE TABLE backup_secret_key (slot BIGINT NOT NULL PRIMARY KEY, text TEXT NOT NULL)")?;
    tx.execute("INSERT INTO backup_secret_key (slot, text) VALUES (1, $1)", args![key])?;
    Ok(())
}

/// The secret key, if the backup was made with it.
pub(crate) fn read_key(tx: &mut Tx<'_>) -> Result<Option<String>, Fault> {
    if !holds(tx, KEY_TABLE, "")? {
        return Ok(None);
    }
    tx.row("SELECT text FROM backup_secret_key", &[], |row| row.get(0))
}

/// The text; `None` if the file is no backup.
pub(crate) fn read(tx: &mut Tx<'_>) -> Result<Option<String>, Fault> {
    if !holds(tx, TABLE, "")? {
        return Ok(None);
    }
    tx.row("SELECT text FROM backup_manifest", &[], |row| row.get(0))
}
