//! The origins of applications, as they are remembered for a few seconds.

use std::collections::HashSet;
use std::time::Duration;

use crate::domain::time::Timestamp;

/// How old what is known of them may be: browsers ask often, and registrations rarely change.
const AGE_MAX: Duration = Duration::from_secs(5);

/// The origins as they were read last.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    known: HashSet<String>,
    /// When they were read, or were to be read; `None`: not yet.
    read_at: Option<Timestamp>,
}

impl Origins {
    /// Whether they are to be read again; the next caller is told that somebody does.
    pub(crate) fn are_due(&mut self, now: Timestamp) -> bool {
        let due = self.read_at.is_none_or(|at| now < at || now.since(at) >= AGE_MAX);
        if due {
            self.read_at = Some(now);
        }
        due
    }

    /// They were read.
    pub(crate) fn become_known(&mut self, known: HashSet<String>) {
        self.known = known;
    }

    /// Whether this is one of them.
    pub(crate) fn has(&self, origin: &str) -> bool {
        self.known.contains(origin)
    }
}
