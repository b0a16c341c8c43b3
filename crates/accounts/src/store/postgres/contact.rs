//! The first contact with a PostgreSQL database: waits until it is up, and checks whether it can be used.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::failure::Failure;
use super::pool::Pool;
use super::session::Session;
use crate::env::Stopwatch;
use crate::store::error::DatabaseError;

/// The oldest supported release.
const OLDEST: u32 = 14;
/// The pause between two attempts while the database is not up yet.
const PAUSE: Duration = Duration::from_millis(250);
/// How often two connections are compared: by chance, a pooler may give each the same server process as before.
const COMPARISONS: usize = 3;

type Found = Result<(), DatabaseError>;

/// Finds out on a thread of its own whether the database can be used, waiting no longer than `patience`.
pub(super) fn begin(pool: &Arc<Pool>, patience: Duration) -> io::Result<oneshot::Receiver<Found>> {
    let (answer, answered) = oneshot::channel();
    let pool = Arc::clone(pool);
    let thread = std::thread::Builder::new().name("postgres-first".into());
    thread.spawn(move || {
        let found = wait(&pool, patience, &answer);
        // The caller may have gone away.
        let _ = answer.send(found);
    })?;
    Ok(answered)
}

fn wait(pool: &Pool, patience: Duration, asked: &oneshot::Sender<Found>) -> Found {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = Rc::new(runtime.map_err(|error| DatabaseError::Unreachable(error.to_string()))?);
    let since = Stopwatch::start();
    let mut has_told = false;
    loop {
        let failure = match look(pool, &runtime) {
            Ok(found) => return found,
            Err(failure) => failure,
        };
        let left = patience.saturating_sub(since.elapsed());
        if left.is_zero() || asked.is_closed() || failure.is_refusal() {
            return Err(failure.reason());
        }
        if !has_told {
            tracing::warn!(cause = failure.cause(), at_most = ?patience, "waiting for the database");
            has_told = true;
        }
        std::thread::park_timeout(PAUSE.min(left));
    }
}

/// Connects and checks. A failure may pass; a finding does not.
fn look(pool: &Pool, runtime: &Rc<Runtime>) -> Result<Found, Failure> {
    let order: Vec<usize> = (0..pool.hosts.len()).collect();
    let open = || Session::open(runtime, &pool.hosts, &order, pool.watch_hosts(), &pool.terms);
    let mut session = open()?;
    let version = session.text("SHOW server_version_num")?;
    let encoding = session.text("SHOW server_encoding")?;
    if let Err(error) = judge(&version, &encoding) {
        return Ok(Err(error));
    }
    // If no second connection is available, two connections cannot be mixed up.
    let Ok(mut other) = open() else { return Ok(Ok(())) };
    for _ in 0..COMPARISONS {
        if are_mixed_up(&mut session, &mut other)? {
            return Ok(Err(DatabaseError::TransactionPooling));
        }
    }
    Ok(Ok(()))
}

fn judge(version: &str, encoding: &str) -> Found {
    let major = version.parse().unwrap_or(0_u32) / 10_000;
    if major < OLDEST {
        return Err(DatabaseError::TooOld(major.to_string()));
    }
    if encoding != "UTF8" {
        return Err(DatabaseError::Encoding(encoding.to_owned()));
    }
    Ok(())
}

/// Whether one of the two gets another server process for each transaction, as with poolers that pool transactions:
/// what is set or prepared in one transaction is missing in the next.
fn are_mixed_up(one: &mut Session, other: &mut Session) -> Result<bool, Failure> {
    const PROCESS: &str = "SELECT pg_backend_pid()";
    let before = one.text(PROCESS)?;
    other.script("BEGIN")?;
    let meanwhile = other.text(PROCESS)?;
    if meanwhile == before {
        return Ok(true);
    }
    let after = one.text(PROCESS)?;
    other.script("ROLLBACK")?;
    Ok(after != before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_named() {
        assert_eq!(judge("140000", "UTF8"), Ok(()));
        assert_eq!(judge("180001", "UTF8"), Ok(()));
        assert_eq!(judge("130012", "UTF8"), Err(DatabaseError::TooOld("13".to_owned())));
        for encoding in ["LATIN1", "SQL_ASCII"] {
            assert_eq!(judge("150008", encoding), Err(DatabaseError::Encoding(encoding.to_owned())));
        }
    }
}
