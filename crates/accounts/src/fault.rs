//! Failures that any operation can meet: not the caller's fault, and worth another try.

use std::time::Duration;

/// The operation failed for now. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// More sign-ins wait for their hash than can be done in about a second.
    #[error("too many passwords are waiting to be checked")]
    Overloaded {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The database does not answer, is full, or refuses. The cause is for the log, not for clients.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The accounts are being moved to another database, or have been: this one takes no changes. Reads go on.
    #[error("the accounts are being moved to another database: nothing can be changed in this one")]
    ReadOnly,
}

impl Fault {
    /// Says what it is about.
    pub(crate) fn about(self, what: &str) -> Self {
        match self {
            Self::Unavailable(cause) => Self::Unavailable(format!("{what}: {cause}")),
            other => other,
        }
    }
}
