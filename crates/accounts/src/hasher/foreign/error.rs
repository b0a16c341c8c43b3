//! Why a text is no hash that can be imported.

/// Octets of a stored hash: the longest that are known have half of it.
pub(super) const OCTETS_MAX: usize = 1024;

/// Why a text is no hash that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportedHashError {
    /// Nothing that is known.
    #[error("this is no password hash of a kind that is known here")]
    Unknown,
    /// The kind is known, but a part is missing or wrong.
    #[error("this {0} hash is damaged or not complete")]
    Damaged(&'static str),
    /// Comparing a password with it would take too long or too much memory.
    #[error("this {0} hash costs too much to check: {1}")]
    TooCostly(&'static str, &'static str),
}

pub(crate) type Parsed<T> = Result<T, ImportedHashError>;
