//! The number of a database file's last commit, noted in a file beside it.
//!
//! SQLite takes an emptied file for a new database, an old copy for the current one, and a log whose end is missing or
//! damaged for a shorter one. So every commit has a number, stored in the database, and the mark has that of the
//! newest: a database that is behind its mark lacks acknowledged commits.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// The number of a commit. The greatest is followed by 1; 0 is a database without any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Generation(u32);

impl Generation {
    /// The number of the last commit this connection sees, stored in a field that SQLite reserves for applications.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number: i32 =
            connection.prepare_cached("PRAGMA user_version")?.query_one([], |row| row.get(0))?;
        Ok(Self(number.cast_unsigned()))
    }

    /// Gives the open transaction the next number.
    pub(super) fn advance(connection: &Connection) -> rusqlite::Result<Self> {
        let next = Self::of(connection)?.next();
        connection.execute_batch(&format!("PRAGMA user_version = {}", next.0.cast_signed()))?;
        Ok(next)
    }

    const fn next(self) -> Self {
        match self.0.wrapping_add(1) {
            0 => Self(1),
            number => Self(number),
        }
    }

    /// Whether the database is behind `mark`. Numbers wrap around, so the shorter distance counts (RFC 1982).
    pub(super) const fn is_behind(self, mark: Self) -> bool {
        mark.0 != 0 && (self.0 == 0 || mark.0.wrapping_sub(self.0).cast_signed() > 0)
    }

    /// How many commits are missing up to `mark`.
    pub(super) const fn missing(self, mark: Self) -> u32 {
        mark.0.wrapping_sub(self.0)
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// The file beside the database.
#[derive(Debug)]
pub(super) struct Mark(File);

impl Mark {
    /// The path of a database's mark. It does not match `vestibule.db*`, so deleting those files keeps it.
    pub(super) fn path(database: &Path) -> PathBuf {
        let mut name = std::ffi::OsString::from("last-commit-of-");
        name.push(database.file_name().unwrap_or_default());
        database.with_file_name(name)
    }

    /// Reads the mark. If there is none, or a power cut tore it, nothing is known.
    pub(super) fn read(database: &Path) -> io::Result<Generation> {
        match std::fs::read_to_string(Self::path(database)) {
            Ok(text) => Ok(Generation(text.trim().parse().unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Generation::default()),
            Err(error) => Err(error),
        }
    }

    /// Opens the mark to note commits in it, readable by its owner only.
    pub(super) fn open(database: &Path) -> io::Result<Self> {
        let mut how = OpenOptions::new();
        how.write(true).create(true).truncate(false).mode(0o600).open(Self::path(database)).map(Self)
    }

    /// Notes a durable commit. The mark may reach the disk later: then it is behind, but not wrong.
    pub(super) fn note(&self, generation: Generation) -> io::Result<()> {
        // The length never changes, so a full disk does not matter.
        self.0.write_all_at(format!("{:010}\n", generation.0).as_bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_round_and_never_to_zero() {
        let behind = |found, mark| Generation(found).is_behind(Generation(mark));
        assert!(behind(1, 2) && behind(0, 1) && behind(0, u32::MAX) && behind(u32::MAX, 1));
        assert!(!behind(2, 1) && !behind(1, 1) && !behind(0, 0) && !behind(5, 0) && !behind(1, u32::MAX));
        assert_eq!(Generation(u32::MAX).next(), Generation(1));
        assert_eq!(Generation(7).missing(Generation(9)), 2);
    }

    #[test]
    fn the_database_keeps_the_number_and_the_file_repeats_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        assert!(Mark::read(&path).unwrap().is_none());
        let connection = Connection::open(&path).unwrap();
        let first = Generation::advance(&connection).unwrap();
        let second = Generation::advance(&connection).unwrap();
        assert!(first.is_behind(second));
        let mark = Mark::open(&path).unwrap();
        mark.note(second).unwrap();
        assert_eq!((Mark::read(&path).unwrap(), Generation::of(&connection).unwrap()), (second, second));
        std::fs::write(Mark::path(&path), "torn").unwrap();
        assert!(Mark::read(&path).unwrap().is_none());
    }
}
