//! Why a database cannot be used: the message for its operator at start, with the fix.

use crate::fault::Fault;
/// A database that cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The URL has another scheme, or a part that is not understood. Its values are not repeated.
    #[error("{cause}")]
    Url {
        /// The part that is wrong, by name.
        cause: String,
        /// What to write instead.
        fix: String,
    },
    /// There is no such file.
    #[error("there is no database at {0}")]
    Missing(String),
    /// The database exists, but no server has created its tables and keys in it.
    #[error("the database is empty: no server has used it yet")]
    Empty,
    /// The accounts were moved from it to this place.
    #[error("the accounts have moved from this database to {0}")]
    Moved(String),
    /// The accounts of this place, a database or a backup, are being brought into it, or that was not finished.
    #[error("the accounts of {0} are being brought into this database, and that has not ended")]
    HalfMoved(String),
    /// The file is not a database.
    #[error("{0} is not an SQLite database")]
    NotADatabase(String),
    /// The file is damaged.
    #[error("the database {place} is damaged: {cause}")]
    Damaged {
        /// Its path.
        place: String,
        /// The message of SQLite.
        cause: String,
    },
    /// The file is missing or empty, but a server has used it before.
    #[error("the database {0} is missing or empty, though a server has used it")]
    Emptied(String),
    /// The file lacks commits that were acknowledged.
    #[error(
        "the database {place} lacks its last {missing} change(s): it was replaced by an older copy, or its `-wal` file is \
         missing or damaged"
    )]
    Behind {
        /// Its path.
        place: String,
        /// The number of commits it lacks.
        missing: u32,
    },
    /// The file or its folder is read-only.
    #[error("the database {0} cannot be written: it, its folder or its file system is write-protected")]
    NotWritable(String),
    /// The operating system does not allow it to be opened.
    #[error("the database {place} cannot be opened: {cause}")]
    NotOpened {
        /// Its path.
        place: String,
        /// The message of the system.
        cause: String,
    },
    /// The server is missing, not up, full, or accepts no writes.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The server does not know this user name and password, or not from this machine.
    #[error("the database refuses the user, or its password: {0}")]
    Credentials(String),
    /// The server has no database of this name.
    #[error("the server has no such database: {0}")]
    NoDatabase(String),
    /// The server cannot be trusted, or does not offer encryption.
    #[error("no trusted connection to the database: {0}")]
    Tls(String),
    /// The encoding could not represent every name and text.
    #[error("the database's encoding is {0} instead of UTF8")]
    Encoding(String),
    /// A release of PostgreSQL that is no longer maintained.
    #[error("the database is PostgreSQL {0}; 14 or newer is needed")]
    TooOld(String),
    /// A pooler between this program and the database switches connections between transactions.
    #[error("something in front of the database pools transactions: what is set or prepared is lost")]
    TransactionPooling,
}

impl DatabaseError {
    pub(crate) fn url(cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Url { cause: cause.into(), fix: fix.into() }
    }

    /// How to fix it.
    pub fn fix(&self) -> &str {
        match self {
            Self::Url { fix, .. } => fix,
            Self::Missing(_) | Self::Empty => {
                "give the settings of the server: `data_dir` and `database_url` say which database; the first start of a server \
                 makes it"
            }
            Self::Moved(_) => {
                "let `database_url` name that database; to go on with this one, without what has changed in the other since, run \
                 `vestibule db move --abort`"
            }
            Self::HalfMoved(_) => {
                "wait for `vestibule db move` or `vestibule backup restore`; or run it again as before: it begins anew"
            }
            Self::NotADatabase(_) => {
                "name the right file with `data_dir` or `database_url`, or restore it from a backup"
            }
            Self::Damaged { .. } => {
                "restore the last backup; `sqlite3 FILE .recover` saves what is left of a damaged file"
            }
            Self::Emptied(_) | Self::Behind { .. } => {
                "put the database back with its `-wal` file; or, to go on with what is there, e.g. a backup that was restored, \
                 run `vestibule database accept --reason WHY`"
            }
            Self::NotWritable(_) => {
                "let the user that runs the server write the file and its folder, on a writable file system"
            }
            Self::NotOpened { .. } => {
                "let the user that runs the server read and write the file and its folder, or name another with `data_dir` or \
                 `database_url`"
            }
            Self::Unreachable(_) => {
                "check that the database runs and that `database_url` names it, then try again; a server waits for it as long \
                 as `database.wait` says"
            }
            Self::Credentials(_) => {
                "correct the user and the password in `database_url`; or let pg_hba.conf of the database admit this machine"
            }
            Self::NoDatabase(_) => {
                "correct the name in `database_url`, or make it: CREATE DATABASE vestibule OWNER vestibule ENCODING 'UTF8'"
            }
            Self::Tls(_) => {
                "name the certificate of its authority with `sslrootcert=/path/to/ca.pem` in `database_url`; on a network that \
                 you trust `sslmode=disable` does without"
            }
            Self::Encoding(_) => {
                "make a database with ENCODING 'UTF8' (TEMPLATE template0) and name that in `database_url`"
            }
            Self::TooOld(_) => "upgrade PostgreSQL",
            Self::TransactionPooling => {
                "let the pooler pool sessions (PgBouncer: pool_mode = session), or name the database itself in `database_url`"
            }
        }
    }
}

/// Why a database was not opened.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// It cannot be used as it is.
    Database(DatabaseError),
    Fault(Fault),
}
