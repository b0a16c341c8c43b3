//! Why a database is not used: what its operator is told at the start, with the way out.

use crate::fault::Fault;
/// A database that cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The URL is not one of ours, or says something that is not understood. What it says is not repeated.
    #[error("{cause}")]
    Url {
        /// What is wrong, by name.
        cause: String,
        /// What to write.
        fix: String,
    },
    /// There is no such file.
    #[error("there is no database at {0}")]
    Missing(String),
    /// There is a database, but no server has made its tables and keys in it.
    #[error("the database is empty: no server has used it yet")]
    Empty,
    /// The file is something else.
    #[error("{0} is not an SQLite database")]
    NotADatabase(String),
    /// The file is broken.
    #[error("the database {place} is damaged: {cause}")]
    Damaged {
        /// Its path.
        place: String,
        /// What SQLite says.
        cause: String,
    },
    /// The file is gone or empty, and was not when it was used last.
    #[error("the database {0} is missing or empty, though a server has used it")]
    Emptied(String),
    /// The file lacks what was acknowledged.
    #[error(
        "the database {place} lacks its last {missing} change(s): it was replaced by an older copy, or its `-wal` file is \
         missing or damaged"
    )]
    Behind {
        /// Its path.
        place: String,
        /// How many commits it lacks.
        missing: u32,
    },
    /// The file, or its folder, may only be read.
    #[error("the database {0} cannot be written: it, its folder or its file system is write-protected")]
    NotWritable(String),
    /// The operating system does not let it be opened.
    #[error("the database {place} cannot be opened: {cause}")]
    NotOpened {
        /// Its path.
        place: String,
        /// What the system says.
        cause: String,
    },
    /// Its server is not there, not up, full, or takes no writes.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The server knows nobody of this name and password, or not from here.
    #[error("the database refuses the user, or its password: {0}")]
    Credentials(String),
    /// The server has no database of this name.
    #[error("the server has no such database: {0}")]
    NoDatabase(String),
    /// The server cannot be trusted, or does not encrypt.
    #[error("no trusted connection to the database: {0}")]
    Tls(String),
    /// Names and texts of all the world would not fit.
    #[error("the database's encoding is {0} instead of UTF8")]
    Encoding(String),
    /// A release of PostgreSQL that is no longer maintained.
    #[error("the database is PostgreSQL {0}; 14 or newer is needed")]
    TooOld(String),
    /// A pooler between the server and the database changes connections under it.
    #[error("something in front of the database pools transactions: what is set or prepared is lost")]
    TransactionPooling,
}

impl DatabaseError {
    pub(crate) fn url(cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Url { cause: cause.into(), fix: fix.into() }
    }

    /// What to do about it.
    pub fn fix(&self) -> &str {
        match self {
            Self::Url { fix, .. } => fix,
            Self::Missing(_) | Self::Empty => {
                "give the settings of the server: `data_dir` and `database_url` say which database; the first start of a server \
                 makes it"
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
