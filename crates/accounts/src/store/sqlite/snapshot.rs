//! A file that no server uses: a backup that is made, or read.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::refusal;
use super::tx::Tx;
use crate::fault::Fault;
use crate::store::error::StoreError;
use crate::store::sql;

/// The only connection to such a file.
#[derive(Debug)]
pub(crate) struct Snapshot(Connection);

impl Snapshot {
    /// Copies the database at `from`, as it is at this moment, into the file `to`, which must not exist. Others go on
    /// reading and writing meanwhile.
    pub(super) fn take(from: &Path, to: &Path) -> Result<(), Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(from, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute("VACUUM INTO ?1", [to.as_os_str().to_string_lossy()])?;
        Ok(())
    }

    /// Opens a file to read it; it stays as it is.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// Opens a file that is being made.
    pub(crate) fn open_to_write(path: &Path) -> Result<Self, StoreError> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let opened = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let connection = opened.map_err(|error| refusal::of(path, error))?;
        connection.set_prepared_statement_cache_capacity(256);
        // Whether it is a database shows at the first look.
        let look = connection.execute_batch("PRAGMA trusted_schema=OFF; SELECT COUNT(*) FROM sqlite_schema;");
        look.map_err(|error| refusal::of(path, error))?;
        Ok(Self(connection))
    }

    /// Runs statements that read.
    pub(crate) fn read<T, E>(&self, work: impl FnOnce(&mut sql::Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        work(&mut sql::Tx::Sqlite(Tx(&self.0)))
    }

    /// Runs statements in a transaction.
    pub(crate) fn write<T, E: From<Fault>>(
        &self,
        work: impl FnOnce(&mut sql::Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.0.execute_batch("BEGIN IMMEDIATE").map_err(Fault::from)?;
        let done = self.read(work);
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.0.execute_batch(end).map_err(Fault::from);
        let value = done?;
        ended?;
        Ok(value)
    }

    /// What is wrong with the pages and indexes of the file, each with its place.
    pub(crate) fn defects(&self) -> Result<Vec<String>, Fault> {
        let mut check = self.0.prepare("PRAGMA integrity_check(10)")?;
        let found = check.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// Leaves one file, without a log beside it.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        self.0.execute_batch("PRAGMA journal_mode=DELETE;")?;
        Ok(self.0.close().map_err(|(_, error)| error)?)
    }
}
