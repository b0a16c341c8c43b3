//! How long the database takes, as those who wait for it feel it: with the time in queues, and with the commit.

use std::sync::atomic::AtomicU64;

use crate::domain::tally::Took;

/// The classes of work.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) reads: Took,
    pub(crate) writes: Took,
    pub(crate) surveys: Took,
}

/// How many changes were committed together (SQLite).
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) commits: AtomicU64,
    pub(crate) jobs: AtomicU64,
}
