//! The schema's versions: their texts, and the table that says which of them a database has.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

use super::sql::args;
use super::{Store, Tx};
use crate::{Fault, MigrateError, Migration, Timestamp};

/// One version: how to get to it and back. Written for PostgreSQL; [`Script::text`] gives SQLite's.
pub(crate) struct Script {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
}

/// Every version, oldest first, without gaps.
pub(crate) const SCRIPTS: [Script; 8] = [
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
];

/// The version this program works with.
pub(crate) const NEWEST: i64 = SCRIPTS[SCRIPTS.len() - 1].version;

impl Script {
    fn checksum(&self) -> String {
        HEXLOWER.encode(digest::digest(&digest::SHA256, self.up.as_bytes()).as_ref())
    }
}

/// The text as `store` takes it: SQLite knows the bytewise collation by another name.
pub(crate) fn text(store: &Store, script: &str) -> String {
    match store {
        #[cfg(feature = "sqlite")]
        Store::Sqlite(_) => script.replace("COLLATE \"C\"", "COLLATE BINARY"),
        #[cfg(feature = "postgres")]
        Store::Postgres(_) => script.to_owned(),
    }
}

/// Takes the lock on the schema and makes sure that the table of versions exists.
pub(crate) fn begin(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.lock_schema()?;
    tx.script(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, \
         checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)",
    )
}

/// Every version this program knows, with what the database says of it.
pub(crate) fn status(tx: &mut Tx<'_>) -> Result<Vec<Migration>, MigrateError> {
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
            Migration {
                version: script.version,
                name: script.name.to_owned(),
                applied_at: row.map(|(.., at)| *at),
                checksum_matches: row.is_none_or(|(_, checksum, _)| *checksum == script.checksum()),
            }
        })
        .collect())
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

/// The version of the database, without making the table of versions: what a ready check may do.
pub(crate) fn version(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    tx.count("SELECT COALESCE(MAX(version), 0) FROM schema_migrations", &[])
}
