//! The condition a database is in, for operators: what it is, how fast it answers, whose clock it has, how full it is.

use std::time::Duration;

use super::Tx;
use super::sql::Row;
use crate::fault::Fault;

/// The condition of a database that can be used: one with another encoding, of an old release or behind a pooler of
/// transactions is refused when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseCondition {
    /// `SQLite` or `PostgreSQL`, with its version.
    pub product: String,
    /// The encoding of its texts.
    pub encoding: String,
    /// SQLite: how changes are made safe; `wal` unless the file system cannot do that.
    pub journal: Option<String>,
    /// PostgreSQL: the connections.
    pub connections: Option<DatabaseConnections>,
    /// How long a question takes that needs no work.
    pub round_trip: Duration,
    /// PostgreSQL: how many milliseconds its clock is ahead of this machine's; negative where it is behind.
    pub clock_ahead_millis: Option<i64>,
}

/// How many connections a database server has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseConnections {
    /// The smallest of the limits of the server, the database and the user, less what is open there.
    pub free: i64,
    /// Those of this user to this database, without the one that asks.
    pub own: i64,
}

/// What the database says of itself.
pub(super) struct Facts {
    pub(super) product: String,
    pub(super) encoding: String,
    pub(super) journal: Option<String>,
    pub(super) connections: Option<DatabaseConnections>,
}

pub(super) fn facts(tx: &mut Tx<'_>) -> Result<Facts, Fault> {
    match tx {
        #[cfg(feature = "sqlite")]
        Tx::Sqlite(_) => of_sqlite(tx),
        #[cfg(feature = "postgres")]
        Tx::Postgres(_) => of_postgres(tx),
    }
}

#[cfg(feature = "sqlite")]
fn of_sqlite(tx: &mut Tx<'_>) -> Result<Facts, Fault> {
    let sql = "SELECT sqlite_version(), (SELECT encoding FROM pragma_encoding), \
               (SELECT journal_mode FROM pragma_journal_mode)";
    let read = |row: &Row<'_>| {
        Ok(Facts {
            product: format!("SQLite {}", row.get::<String>(0)?),
            encoding: row.get(1)?,
            journal: row.get_opt(2)?,
            connections: None,
        })
    };
    tx.row(sql, &[], read)?.ok_or_else(nothing)
}

#[cfg(feature = "postgres")]
fn of_postgres(tx: &mut Tx<'_>) -> Result<Facts, Fault> {
    // Everybody may see who is connected to what. A limit of -1 is none.
    let sql = "SELECT current_setting('server_version'), current_setting('server_encoding'), \
               CAST(current_setting('max_connections') AS BIGINT) \
               - CAST(current_setting('superuser_reserved_connections') AS BIGINT), \
               CAST(d.datconnlimit AS BIGINT), CAST(r.rolconnlimit AS BIGINT), count(a.pid), \
               count(a.pid) FILTER (WHERE a.datname = d.datname), \
               count(a.pid) FILTER (WHERE a.usename = r.rolname), \
               count(a.pid) FILTER (WHERE a.datname = d.datname AND a.usename = r.rolname) \
               FROM pg_database d, pg_roles r, pg_stat_activity a \
               WHERE d.datname = current_database() AND r.rolname = current_user AND a.datid IS NOT NULL \
               GROUP BY d.datconnlimit, r.rolconnlimit";
    let read = |row: &Row<'_>| {
        let number = |index| row.get::<i64>(index);
        let left = |limit: i64, open: i64| if limit < 0 { i64::MAX } else { (limit - open).max(0) };
        let free =
            left(number(2)?, number(5)?).min(left(number(3)?, number(6)?)).min(left(number(4)?, number(7)?));
        Ok(Facts {
            product: format!("PostgreSQL {}", row.get::<String>(0)?),
            encoding: row.get(1)?,
            journal: None,
            connections: Some(DatabaseConnections { free, own: (number(8)? - 1).max(0) }),
        })
    };
    tx.row(sql, &[], read)?.ok_or_else(nothing)
}

fn nothing() -> Fault {
    Fault::Unavailable("the database says nothing of itself".into())
}
