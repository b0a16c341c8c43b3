//! Watches a database file from outside: whether it has every acknowledged commit when it is opened, and whether it is
//! still the one that others find while it is used.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::mark::{Generation, Mark};
use super::place::Files;
use super::refusal;
use crate::fault::Fault;
use crate::store::error::{DatabaseError, StoreError};

#[derive(Debug)]
pub(super) struct Watch {
    database: PathBuf,
    files: Files,
    mark: Mark,
}

impl Watch {
    /// The last commit noted, read before anything is opened or created: opening a missing database would create an
    /// empty one.
    pub(super) fn before(path: &Path) -> Result<Generation, StoreError> {
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let known = Mark::read(&place).map_err(|error| refusal::of_file(&Mark::path(&place), &error))?;
        // In this order: a marked database has a file, even while others are about to create it.
        let is_empty = std::fs::metadata(&place).map_or(true, |meta| meta.len() == 0);
        if is_empty && !known.is_none() {
            return Err(StoreError::Database(DatabaseError::Emptied(place.display().to_string())));
        }
        Ok(known)
    }

    /// Begins to watch the files that `connection` has open at `path`, whose last commit must not be behind `known`.
    pub(super) fn begin(path: &Path, known: Generation, connection: &Connection) -> Result<Self, StoreError> {
        let found = Generation::of(connection).map_err(|error| refusal::of(path, error))?;
        if found.is_behind(known) {
            let (place, missing) = (path.display().to_string(), found.missing(known));
            return Err(StoreError::Database(DatabaseError::Behind { place, missing }));
        }
        let in_file = |error| refusal::of_file(path, &error);
        let (files, mark) = (Files::at(path).map_err(in_file)?, Mark::open(path).map_err(in_file)?);
        if known.is_none() {
            mark.note(found).map_err(in_file)?;
        }
        Ok(Self { database: path.to_owned(), files, mark })
    }

    /// Refuses a change that would be written to a file no longer in place.
    pub(super) fn is_in_place(&self) -> Result<(), Fault> {
        let Some(gone) = self.files.missing() else { return Ok(()) };
        let (gone, database) = (gone.display(), self.database.display());
        Err(Fault::Unavailable(format!(
            "SQLite: {gone} was deleted or replaced while the server uses {database}; no change is accepted any more. Stop \
             the server, and restore the database"
        )))
    }

    /// A commit is durable.
    pub(super) fn note(&self, generation: Generation) {
        if let Err(error) = self.mark.note(generation) {
            tracing::error!(%error, "the mark of the last commit was not written");
        }
    }
}

/// Sets the mark to the database's last commit, however much it lacks. Without a database, the mark is deleted.
pub(super) fn accept(path: &Path) -> Result<(), StoreError> {
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match std::fs::remove_file(Mark::path(&place)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(refusal::of_file(&Mark::path(&place), &error))
        }
        _ => Ok(()),
    }
}
