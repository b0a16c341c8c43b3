//! What is wrong with a setting, and how to fix it.

use std::fmt;

/// A setting that keeps the program from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where and what: `key (source): cause`.
    pub(crate) cause: String,
    /// How to fix it.
    pub(crate) fix: String,
}

impl Problem {
    pub(crate) fn new(cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { cause: cause.into(), fix: fix.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  fix: {}", self.cause, self.fix)
    }
}
