//! What opening the accounts needs, may create, and can fail with.

use crate::domain::secret::Secret;
use crate::domain::secret_key::SecretKey;
use crate::env::Env;
use crate::fault::Fault;
use crate::policy::{Policy, PolicyError};
use crate::store::error::{DatabaseError, StoreError};
use crate::store::migrations::MigrateError;

/// The settings of an [`Accounts`](crate::Accounts).
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite:PATH` (also `sqlite://PATH`) or `postgres://…`. `sqlite::memory:` is a new database in the memory of
    /// this process, for tests: it ends with the value.
    pub database_url: Secret,
    /// The root of all keys: links, codes, and the encryption of the signing keys.
    pub secret_key: SecretKey,
    /// The previous secret key, for as long as what was mailed under it should work.
    pub previous_secret_key: Option<SecretKey>,
    /// The URL where browsers reach the pages: the base of mailed links, and the `iss` of tokens.
    /// `https://accounts.example.org`, or with a path, `https://app.example.org/accounts`; a trailing slash is removed.
    pub public_url: String,
    /// Limits and lifetimes.
    pub policy: Policy,
    /// The source of time.
    pub env: Env,
}

/// What opening the accounts may create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Whatever is missing: an SQLite file, tables, keys. An older schema is brought up to date.
    Everything,
    /// The same, but in a new database only. An older schema stays as it is, and is refused.
    NewDatabase,
    /// Nothing: a database that no server has used yet is refused.
    Nothing,
}

/// Why the accounts could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is outside its bounds.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The database cannot be used as it is.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The schema is not the one of this program.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The schema lacks versions that this program needs, and may not be changed.
    #[error("the database lacks {0} migration(s) of this program")]
    Pending(usize),
    /// The signing keys in the database were encrypted with another secret key.
    #[error(
        "the signing keys in the database do not open with this secret key: give the one that was used before"
    )]
    WrongSecretKey,
    /// The previous secret key is the same as the current one.
    #[error("the previous secret key is the same as the secret key")]
    SameSecretKey,
    /// Opening failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => Self::Database(error),
            StoreError::Fault(fault) => Self::Fault(fault),
        }
    }
}
