//! How much the hash threads have to do.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::tally::Took;
use crate::env::Stopwatch;
use crate::fault::Fault;

/// What was asked of the hash threads since the start.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) waiting: AtomicU64,
    pub(crate) refused: AtomicU64,
    /// With the time in the queue.
    pub(crate) answered: Took,
}

/// One request while it waits; also when nobody waits for it any more.
pub(super) struct Waiting<'a> {
    load: &'a Load,
    since: Stopwatch,
}

impl Load {
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting { load: self, since: Stopwatch::start() }
    }

    /// Counts a refusal of the queue.
    pub(super) fn admitted(&self, pushed: Result<(), Fault>) -> Result<(), Fault> {
        pushed.inspect_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
        })
    }
}

impl Waiting<'_> {
    pub(super) fn answered(&self) {
        self.load.answered.note(self.since.elapsed());
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.load.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
