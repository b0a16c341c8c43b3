//! Whether the store accepts writes, judged by the last ones. A full disk, a read-only replica and damaged pages still
//! answer reads.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::env::Stopwatch;

/// After this long without a successful write, the state is unknown.
const KNOWN_FOR: Duration = Duration::from_secs(10);

/// The outcome of the last write that says something.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    last: Mutex<Last>,
    /// Damaged pages do not heal, even if writes elsewhere succeed.
    is_damaged: AtomicBool,
}

#[derive(Debug, Default)]
enum Last {
    #[default]
    Unknown,
    Succeeded(Stopwatch),
    Failed,
}

/// The outcome of the statements of one job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statements {
    /// One of them changed rows.
    pub(super) changed: bool,
    /// The database could not execute one of them.
    pub(super) failed: bool,
    /// One of them met a damaged page.
    pub(super) damaged: bool,
}

thread_local! {
    /// Those of the job now running on this database thread.
    static STATEMENTS: Cell<Statements> = const { Cell::new(Statements { changed: false, failed: false, damaged: false }) };
}

/// Notes the outcome of a statement, and returns it.
pub(super) fn noted<T, E>(outcome: Result<T, E>, changed: impl FnOnce(&T) -> bool) -> Result<T, E> {
    let mut seen = STATEMENTS.get();
    match &outcome {
        Ok(value) => seen.changed |= changed(value),
        Err(_) => seen.failed = true,
    }
    STATEMENTS.set(seen);
    outcome
}

/// Notes that the database is damaged.
#[cfg(feature = "sqlite")]
pub(super) fn damaged() {
    STATEMENTS.set(Statements { damaged: true, ..STATEMENTS.get() });
}

/// What was noted since the last call.
pub(super) fn take_statements() -> Statements {
    STATEMENTS.take()
}

impl Pulse {
    /// A transaction has ended.
    pub(super) fn beat(&self, statements: Statements, is_committed: bool) {
        self.feel(statements);
        let last = match (statements.failed, is_committed) {
            (true, _) | (_, false) => Last::Failed,
            (false, true) if statements.changed => Last::Succeeded(Stopwatch::start()),
            // A job without changes says nothing about writes.
            (false, true) => return,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }

    /// Even statements that only read may have met damage.
    pub(super) fn feel(&self, statements: Statements) {
        if statements.damaged {
            self.is_damaged.store(true, Ordering::Relaxed);
        }
    }

    /// Whether damage was met since the start.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    /// Whether the last write succeeded, and recently. Otherwise one has to be tried.
    pub(crate) fn is_regular(&self) -> bool {
        match &*self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            Last::Succeeded(at) => at.elapsed() < KNOWN_FOR,
            Last::Unknown | Last::Failed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_write_that_changed_something_tells_that_writes_work() {
        let pulse = Pulse::default();
        let statements = |changed, failed| Statements { changed, failed, damaged: false };
        let after = |statements, is_committed| {
            pulse.beat(statements, is_committed);
            pulse.is_regular()
        };
        assert!(!pulse.is_regular());
        assert!(!after(statements(false, false), true));
        assert!(after(statements(true, false), true));
        assert!(after(statements(false, false), true));
        assert!(!after(statements(true, true), true));
        assert!(!after(statements(false, false), true));
        assert!(after(statements(true, false), true));
        assert!(!after(statements(true, false), false));
    }

    #[test]
    #[cfg(feature = "sqlite")]
    fn damage_is_not_forgotten() {
        let pulse = Pulse::default();
        damaged();
        pulse.feel(take_statements());
        pulse.beat(Statements { changed: true, ..Statements::default() }, true);
        assert!(pulse.is_damaged() && pulse.is_regular());
    }

    #[test]
    fn what_statements_came_to_is_told_once() {
        take_statements();
        let _ = noted(Ok::<u64, ()>(0), |rows| *rows > 0);
        assert_eq!(take_statements(), Statements::default());
        let _ = noted(Ok::<u64, ()>(1), |rows| *rows > 0);
        let _ = noted(Err::<u64, ()>(()), |rows| *rows > 0);
        assert_eq!(take_statements(), Statements { changed: true, failed: true, damaged: false });
        assert_eq!(take_statements(), Statements::default());
    }
}
