//! Failures of a connection, and whether another connection may do better.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::fault::Fault;
use crate::store::error::DatabaseError;

/// Another transaction came first: 23505 on a unique value, which another run sees and reports; 40001 and 40P01 on a
/// lock.
const CONFLICTS: [&str; 3] = ["23505", "40001", "40P01"];

/// Besides 08* (the connection) and conflicts: 0A000 and 26000, a prepared statement is gone or the schema has changed
/// under it; 25006, read-only, a former primary; 25P03, 25P04 and 57P05, the server ended what was idle or slow; 53300,
/// too many connections; 57P01 to 57P03, shutdown and start-up.
const PASSING: [&str; 13] = [
    "23505", "40001", "40P01", "0A000", "26000", "25006", "25P03", "25P04", "53300", "57P01", "57P02",
    "57P03", "57P05",
];

/// A trigger refuses changes while the database is moved: a code that PostgreSQL leaves to applications.
pub(crate) const READ_ONLY: &str = "VS001";

/// Why a statement or a connection failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The driver reported an error.
    Driver(tokio_postgres::Error),
    /// There was no answer within this time.
    Late(Duration),
    /// The host was abandoned while an answer was awaited.
    HostLeft,
    /// No host could be used, each for its own reason.
    Hosts(Vec<(String, Failure)>),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Driver(error)
    }
}

impl Failure {
    /// The SQLSTATE, if a server answered.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Driver(error) => error.code().map(SqlState::code),
            Self::Hosts(hosts) => hosts.iter().find_map(|(_, failure)| failure.code()),
            Self::Late(_) | Self::HostLeft => None,
        }
    }

    /// Two transactions conflicted; the connection is good.
    pub(super) fn is_conflict(&self) -> bool {
        self.code().is_some_and(|code| CONFLICTS.contains(&code))
    }

    /// Whether another run, on another connection, may do better.
    pub(super) fn is_passing(&self) -> bool {
        self.code().is_none_or(|code| code.starts_with("08") || PASSING.contains(&code))
    }

    /// The cause in words. The detail of a database error is left out: it quotes values, which may be addresses.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Driver(error) => in_words(error),
            Self::Late(patience) => format!("no answer within {patience:?}"),
            Self::HostLeft => "its host has stopped answering".to_owned(),
            Self::Hosts(hosts) => {
                let each = hosts.iter().map(|(name, failure)| format!("{name}: {}", failure.cause()));
                each.collect::<Vec<_>>().join("; ")
            }
        }
    }

    /// Whether no host can be used, and waiting will not help.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Hosts(hosts) => hosts.iter().all(|(_, failure)| failure.is_refusal()),
            failure => failure.refusal().is_some(),
        }
    }

    /// Why a database cannot be used, for its operator. A refusal says more than silence.
    pub(super) fn reason(&self) -> DatabaseError {
        self.refusal().unwrap_or_else(|| DatabaseError::Unreachable(self.cause()))
    }

    fn refusal(&self) -> Option<DatabaseError> {
        let error = match self {
            Self::Driver(error) => error,
            Self::Hosts(hosts) => return hosts.iter().find_map(|(_, failure)| failure.refusal()),
            Self::Late(_) | Self::HostLeft => return None,
        };
        let cause = self.cause();
        match self.code() {
            Some("28P01" | "28000" | "42501") => Some(DatabaseError::Credentials(cause)),
            Some("3D000") => Some(DatabaseError::NoDatabase(cause)),
            None if is_about_certificates(error) => Some(DatabaseError::Tls(cause)),
            // The driver has no error code for these: a password is required, and the URL has none, or the wrong kind.
            None if cause.starts_with("invalid configuration")
                || cause.starts_with("authentication error") =>
            {
                Some(DatabaseError::Credentials(cause))
            }
            _ => None,
        }
    }

    pub(super) fn fault(&self) -> Fault {
        if self.code() == Some(READ_ONLY) {
            return Fault::ReadOnly;
        }
        Fault::Unavailable(format!("PostgreSQL: {}", self.cause()))
    }
}

/// A handshake that was cut off may succeed another time; a bad or missing certificate will not.
fn is_about_certificates(error: &tokio_postgres::Error) -> bool {
    let Some(source) = error.source() else { return false };
    let core = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    core.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        || source.to_string() == "server does not support TLS"
}

fn in_words(error: &tokio_postgres::Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return format!("{} ({})", refusal.message(), refusal.code().code());
    }
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(words, ": {cause}");
        source = cause.source();
    }
    words
}
