//! Counts the work of a thread's statements, for tests that bound it.

use std::cell::Cell;

use rusqlite::{Statement, StatementStatus};

thread_local!(static STEPS: Cell<i64> = const { Cell::new(0) });
thread_local!(static COMPILED_AGAIN: Cell<i64> = const { Cell::new(0) });

pub(super) fn count(statement: &Statement<'_>) {
    STEPS.set(STEPS.get() + i64::from(statement.reset_status(StatementStatus::VmStep)));
    let again = i64::from(statement.reset_status(StatementStatus::RePrepare));
    COMPILED_AGAIN.set(COMPILED_AGAIN.get() + again);
}

/// Statements that SQLite recompiled since the last call.
pub(crate) fn take_compiled_again() -> i64 {
    COMPILED_AGAIN.take()
}

/// Steps of SQLite's virtual machine since the last call.
pub(crate) fn take() -> i64 {
    STEPS.take()
}
