//! The least that a durable row costs in SQLite, and the way to fill a database that nobody serves.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error};

use crate::Result;

/// As many as there are connections in the benchmarks: the largest group there can be.
const GROUP: u32 = 64;
/// As for the server: each commit is on the disk.
const DURABLE: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";

/// Rows per second in grouped commits, each row with a random key of 32 bytes, as a refresh token has.
pub(crate) fn commits(folder: &Path, seconds: f64) -> Result<f64> {
    rows_per_second(folder, Duration::from_secs_f64(seconds)).map_err(|e| format!("the bare commits: {e}"))
}

fn rows_per_second(folder: &Path, length: Duration) -> std::result::Result<f64, Error> {
    let connection = Connection::open(folder.join("bare.db"))?;
    connection.execute_batch(DURABLE)?;
    connection.execute_batch(
        "CREATE TABLE bare (hash BLOB NOT NULL PRIMARY KEY, session_id BLOB NOT NULL, created_at INTEGER NOT NULL, \
         expires_at INTEGER NOT NULL, consumed_at INTEGER)",
    )?;
    let mut insert =
        connection.prepare("INSERT INTO bare VALUES (randomblob(32), randomblob(16), 1, 2, NULL)")?;
    let (start, mut rows) = (Instant::now(), 0_u32);
    while start.elapsed() < length {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..GROUP {
            insert.execute([])?;
        }
        connection.execute_batch("COMMIT")?;
        rows += GROUP;
    }
    Ok(f64::from(rows) / start.elapsed().as_secs_f64())
}

/// Runs statements on the database; it must exist.
pub(crate) fn execute(file: &Path, script: &str) -> Result {
    let run = || {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
        Connection::open_with_flags(file, flags)?.execute_batch(script)
    };
    run().map_err(|e| format!("{}: {e}", file.display()))
}
