//! The versions of the schema: their scripts, and the table that records which of them a database has.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

use super::sql::args;
use super::{Database, Store, Tx};
use crate::domain::time::Timestamp;
use crate::fault::Fault;

/// One version: the scripts to reach it and to revert it. Written for PostgreSQL; [`Script::text`] gives SQLite's.
pub(crate) struct Script {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
}

/// Every version, oldest first, without gaps.
pub(crate) const SCRIPTS: [Script; 21] = [
    Script {
        version: 1,
        name: "init",
        up: include_str!("../../migrations/0001_init.up.sql"),
        down: include_str!("../../migrations/0001_init.down.sql"),
    },
    Script {
        version: 2,
        name: "challenges",
        up: include_str!("../../migrations/0002_challenges.up.sql"),
        down: include_str!("../../migrations/0002_challenges.down.sql"),
    },
    Script {
        version: 3,
        name: "audit",
        up: include_str!("../../migrations/0003_audit.up.sql"),
        down: include_str!("../../migrations/0003_audit.down.sql"),
    },
    Script {
        version: 4,
        name: "webhooks",
        up: include_str!("../../migrations/0004_webhooks.up.sql"),
        down: include_str!("../../migrations/0004_webhooks.down.sql"),
    },
    Script {
        version: 5,
        name: "key_rotation",
        up: include_str!("../../migrations/0005_key_rotation.up.sql"),
        down: include_str!("../../migrations/0005_key_rotation.down.sql"),
    },
    Script {
        version: 6,
        name: "administration",
        up: include_str!("../../migrations/0006_administration.up.sql"),
        down: include_str!("../../migrations/0006_administration.down.sql"),
    },
    Script {
        version: 7,
        name: "browsers",
        up: include_str!("../../migrations/0007_browsers.up.sql"),
        down: include_str!("../../migrations/0007_browsers.down.sql"),
    },
    Script {
        version: 8,
        name: "mail_history",
        up: include_str!("../../migrations/0008_mail_history.up.sql"),
        down: include_str!("../../migrations/0008_mail_history.down.sql"),
    },
    Script {
        version: 9,
        name: "lost_answers",
        up: include_str!("../../migrations/0009_lost_answers.up.sql"),
        down: include_str!("../../migrations/0009_lost_answers.down.sql"),
    },
    Script {
        version: 10,
        name: "crowded",
        up: include_str!("../../migrations/0010_crowded.up.sql"),
        down: include_str!("../../migrations/0010_crowded.down.sql"),
    },
    Script {
        version: 11,
        name: "ways_in",
        up: include_str!("../../migrations/0011_ways_in.up.sql"),
        down: include_str!("../../migrations/0011_ways_in.down.sql"),
    },
    Script {
        version: 12,
        name: "factors",
        up: include_str!("../../migrations/0012_factors.up.sql"),
        down: include_str!("../../migrations/0012_factors.down.sql"),
    },
    Script {
        version: 13,
        name: "user_data",
        up: include_str!("../../migrations/0013_user_data.up.sql"),
        down: include_str!("../../migrations/0013_user_data.down.sql"),
    },
    Script {
        version: 14,
        name: "applications",
        up: include_str!("../../migrations/0014_applications.up.sql"),
        down: include_str!("../../migrations/0014_applications.down.sql"),
    },
    Script {
        version: 15,
        name: "logouts",
        up: include_str!("../../migrations/0015_logouts.up.sql"),
        down: include_str!("../../migrations/0015_logouts.down.sql"),
    },
    Script {
        version: 16,
        name: "client_keys",
        up: include_str!("../../migrations/0016_client_keys.up.sql"),
        down: include_str!("../../migrations/0016_client_keys.down.sql"),
    },
    Script {
        version: 17,
        name: "client_claims",
        up: include_str!("../../migrations/0017_client_claims.up.sql"),
        down: include_str!("../../migrations/0017_client_claims.down.sql"),
    },
    Script {
        version: 18,
        name: "import",
        up: include_str!("../../migrations/0018_import.up.sql"),
        down: include_str!("../../migrations/0018_import.down.sql"),
    },
    Script {
        version: 19,
        name: "imported_sign_ups",
        up: include_str!("../../migrations/0019_imported_sign_ups.up.sql"),
        down: include_str!("../../migrations/0019_imported_sign_ups.down.sql"),
    },
    Script {
        version: 20,
        name: "user_search",
        up: include_str!("../../migrations/0020_user_search.up.sql"),
        down: include_str!("../../migrations/0020_user_search.down.sql"),
    },
    Script {
        version: 21,
        name: "terms",
        up: include_str!("../../migrations/0021_terms.up.sql"),
        down: include_str!("../../migrations/0021_terms.down.sql"),
    },
];

/// The version this program works with.
pub(crate) const NEWEST: i64 = SCRIPTS[SCRIPTS.len() - 1].version;

impl Script {
    fn status(&self, row: Option<(&str, Timestamp)>) -> Migration {
        Migration {
            version: self.version,
            name: self.name.to_owned(),
            applied_at: row.map(|(_, at)| at),
            checksum_matches: row.is_none_or(|(checksum, _)| checksum == self.checksum()),
        }
    }

    /// The first table that it creates, or the first column that it adds: a version is recognised by it.
    fn brings(&self) -> Option<(&'static str, &'static str)> {
        let lines = self.up.lines().map(str::split_whitespace).map(Vec::from_iter);
        lines.into_iter().find_map(|words| match *words {
            ["CREATE", "TABLE", table, ..] => Some((table.trim_end_matches('('), "")),
            ["ALTER", "TABLE", table, "ADD", "COLUMN", column, ..] => Some((table, column)),
            _ => None,
        })
    }

    fn checksum(&self) -> String {
        HEXLOWER.encode(digest::digest(&digest::SHA256, self.up.as_bytes()).as_ref())
    }
}

/// The script as `store` needs it. What only one database needs comes last, under a line that names it; SQLite has
/// another name for the bytewise collation.
pub(crate) fn text(store: &Store, script: &str) -> String {
    let (both, apart) = script.split_once(POSTGRES_ONLY).unwrap_or((script, SQLITE_ONLY));
    let ends = apart.split_once(SQLITE_ONLY).unwrap_or((apart, ""));
    match &store.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => [&both.replace("COLLATE \"C\"", "COLLATE BINARY"), ends.1].concat(),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => [both, ends.0].concat(),
    }
}

const POSTGRES_ONLY: &str = "-- PostgreSQL only:\n";
const SQLITE_ONLY: &str = "-- SQLite only:\n";

/// The table that records which versions a database has.
const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, \
     name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

/// Takes the lock on the schema and makes sure that the table of versions exists.
pub(crate) fn begin(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.lock_schema()?;
    tx.script(VERSIONS)
}

/// Every version this program knows, with its state in the database. Changes nothing.
pub(crate) fn status(tx: &mut Tx<'_>) -> Result<Vec<Migration>, MigrateError> {
    if !holds(tx, "schema_migrations", "")? {
        return Ok(SCRIPTS.iter().map(|script| script.status(None)).collect());
    }
    let applied = tx.rows(
        "SELECT version, checksum, applied_at FROM schema_migrations ORDER BY version",
        &[],
        |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<Timestamp>(2)?)),
    )?;
    if let Some((found, ..)) = applied.last()
        && *found > NEWEST
    {
        return Err(MigrateError::Newer { found: *found, known: NEWEST });
    }
    Ok(SCRIPTS
        .iter()
        .map(|script| {
            let row = applied.iter().find(|(version, ..)| *version == script.version);
            script.status(row.map(|(_, checksum, at)| (checksum.as_str(), *at)))
        })
        .collect())
}

/// Whether the schema has this table, and this column of it if one is given.
pub(crate) fn holds(tx: &mut Tx<'_>, table: &str, column: &str) -> Result<bool, Fault> {
    let sql = match tx {
        #[cfg(feature = "sqlite")]
        Tx::Sqlite(_) => "SELECT COUNT(*) FROM pragma_table_info($1) WHERE $2 = '' OR name = $2",
        #[cfg(feature = "postgres")]
        Tx::Postgres(_) => {
            "SELECT COUNT(*) FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 \
             AND NOT attisdropped AND ($2 = '' OR CAST(attname AS TEXT) = $2)"
        }
    };
    Ok(tx.count(sql, args![table, column])? > 0)
}

/// Whether the schema has what this version adds, whatever the table of versions says.
pub(crate) fn is_there(tx: &mut Tx<'_>, script: &Script) -> Result<bool, Fault> {
    match script.brings() {
        Some((table, column)) => holds(tx, table, column),
        None => Ok(false),
    }
}

/// The beginning of a script that is run by hand.
pub(crate) fn opening_by_hand(store: &Store) -> String {
    match &store.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => {
            format!("-- sqlite3 -bail DATABASE < THIS-SCRIPT\nBEGIN IMMEDIATE;\n{VERSIONS};\n")
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            format!("-- psql --set=ON_ERROR_STOP=1 --file=THIS-SCRIPT DATABASE\nBEGIN;\n{VERSIONS};\n")
        }
    }
}

/// The end of each version in a script that is run by hand: records it as the program itself would.
pub(crate) fn record_by_hand(store: &Store, script: &Script) -> String {
    let now = match &store.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => "CAST(strftime('%s', 'now') AS BIGINT) * 1000",
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    };
    let Script { version, name, .. } = script;
    let checksum = script.checksum();
    format!(
        "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ({version}, '{name}', '{checksum}', {now});\n"
    )
}

/// The same for a version that is reverted.
pub(crate) fn forget_by_hand(script: &Script) -> String {
    format!("DELETE FROM schema_migrations WHERE version = {};\n", script.version)
}

pub(crate) fn record(tx: &mut Tx<'_>, script: &Script, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
        args![script.version, script.name, script.checksum(), now],
    )?;
    Ok(())
}

pub(crate) fn forget(tx: &mut Tx<'_>, script: &Script) -> Result<(), Fault> {
    tx.execute("DELETE FROM schema_migrations WHERE version = $1", args![script.version])?;
    Ok(())
}

/// The version of the database, without creating the table of versions: safe for a readiness check.
pub(crate) fn version(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    tx.count("SELECT COALESCE(MAX(version), 0) FROM schema_migrations", &[])
}

/// Whether a server has created its keys here: they are encrypted with its secret key, which no other opens.
pub(crate) fn holds_keys(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    Ok(holds(tx, "signing_keys", "")? && tx.count("SELECT COUNT(*) FROM signing_keys", &[])? > 0)
}

/// One version of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// 1, 2, 3 …
    pub version: i64,
    /// What it changes.
    pub name: String,
    /// When it was applied to this database, if it was.
    pub applied_at: Option<Timestamp>,
    /// Whether the applied text is the one in this program.
    pub checksum_matches: bool,
}

/// Why the schema was not changed.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was migrated by a newer program.
    #[error(
        "the database has schema version {found}, this program knows {known}: use a newer program, or migrate down \
         with the one that migrated up"
    )]
    Newer {
        /// The version of the database.
        found: i64,
        /// The newest version of this program.
        known: i64,
    },
    /// There is no such version.
    #[error("there is no schema version {0}")]
    NoSuchVersion(i64),
    /// A script was run by hand without being recorded.
    #[error("the schema has what version {0} brings, but version {0} is not recorded as applied")]
    NotRecorded(i64),
    /// The version to be recorded was never applied.
    #[error("the schema does not have what version {0} brings")]
    NotThere(i64),
    /// The database failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_known_by_what_it_brings() {
        let brings: Vec<_> = SCRIPTS.iter().map(|script| script.brings().unwrap()).collect();
        assert_eq!(brings[0], ("users", ""));
        assert_eq!(brings[4], ("signing_keys", "signs_at"));
        assert_eq!(brings[7], ("outbox", "user_id"));
    }
}
