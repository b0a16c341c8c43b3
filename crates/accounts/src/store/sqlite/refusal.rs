//! Why an SQLite file is not used; each cause has its own words, because its fix differs.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::store::error::{DatabaseError, StoreError};

/// The file exists, but SQLite refuses it.
pub(super) fn of(path: &Path, error: rusqlite::Error) -> StoreError {
    let (place, cause) = (path.display().to_string(), error.to_string());
    StoreError::Database(match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => DatabaseError::NotADatabase(place),
        Some(ErrorCode::DatabaseCorrupt) => DatabaseError::Damaged { place, cause },
        Some(ErrorCode::ReadOnly) => DatabaseError::NotWritable(place),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            DatabaseError::NotOpened { place, cause }
        }
        // Full, locked, out of memory: may pass.
        _ => return StoreError::Fault(error.into()),
    })
}

/// The file cannot be created or found.
pub(super) fn of_file(path: &Path, error: &io::Error) -> StoreError {
    let place = path.display().to_string();
    StoreError::Database(match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => DatabaseError::NotWritable(place),
        _ => DatabaseError::NotOpened { place, cause: error.to_string() },
    })
}
