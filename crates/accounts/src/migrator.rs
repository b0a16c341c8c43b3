//! The schema's versions, for operators: `vestibule migrate`.

use crate::store::migrations::{NEWEST, SCRIPTS, Script, begin, forget, record, status, text};
use crate::store::{Store, Tx};
use crate::{Env, Fault, OpenError, Secret, Timestamp};

/// Reads and changes the version of a database's schema. Two that run at once wait for each other.
#[derive(Debug)]
pub struct Migrator {
    store: Store,
    env: Env,
}

/// One version of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// 1, 2, 3 …
    pub version: i64,
    /// What it is about.
    pub name: String,
    /// When it was applied here, if it was.
    pub applied_at: Option<Timestamp>,
    /// Whether the applied text was the one of this program.
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
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Migrator {
    /// Connects. Changes nothing, but makes an SQLite file where there is none.
    #[expect(
        clippy::unused_async,
        reason = "connecting is asynchronous for whoever calls it, as opening the accounts is"
    )]
    pub async fn connect(database_url: &Secret) -> Result<Self, OpenError> {
        Ok(Self { store: Store::open(database_url)?, env: Env::system() })
    }

    /// Every version this program knows, oldest first.
    pub async fn status(&self) -> Result<Vec<Migration>, MigrateError> {
        self.store
            .write(|tx| {
                begin(tx)?;
                status(tx)
            })
            .await
    }

    /// Applies what is missing up to and including `to` (everything where it is `None`); returns what was applied.
    pub async fn up(&self, to: Option<i64>) -> Result<Vec<Migration>, MigrateError> {
        migrate_up(&self.store, to, self.env.now()).await
    }

    /// Takes back every version above `to`; version `to` stays, 0 leaves nothing. Returns what was taken back.
    pub async fn down(&self, to: i64) -> Result<Vec<Migration>, MigrateError> {
        known(to)?;
        let texts = texts(&self.store, |script| script.down);
        self.store
            .write(move |tx| {
                begin(tx)?;
                let mut taken_back = status(tx)?;
                taken_back.retain(|migration| migration.applied_at.is_some() && migration.version > to);
                for (script, text) in texts.iter().rev() {
                    if taken_back.iter().any(|migration| migration.version == script.version) {
                        tx.script(text)?;
                        forget(tx, script)?;
                    }
                }
                Ok(taken_back)
            })
            .await
    }

    /// The script from the present version up or down to `to` (up to the newest where it is `None`), to read or to run
    /// by hand.
    pub async fn sql(&self, to: Option<i64>) -> Result<String, MigrateError> {
        let to = to.unwrap_or(NEWEST);
        known(to)?;
        let applied = |version: i64, all: &[Migration]| {
            all.iter().any(|migration| migration.version == version && migration.applied_at.is_some())
        };
        let all = self.status().await?;
        let up = SCRIPTS.iter().filter(|script| script.version <= to && !applied(script.version, &all));
        let down = SCRIPTS.iter().rev().filter(|script| script.version > to && applied(script.version, &all));
        let part = |script: &Script, direction: &str, sql: &str| {
            format!("-- {:04} {} {direction}\n{}\n", script.version, script.name, text(&self.store, sql))
        };
        let up = up.map(|script| part(script, "up", script.up));
        let down = down.map(|script| part(script, "down", script.down));
        Ok(down.chain(up).collect::<Vec<_>>().join("\n"))
    }
}

/// Applies what is missing. Also what opening the accounts does.
pub(crate) async fn migrate_up(
    store: &Store,
    to: Option<i64>,
    now: Timestamp,
) -> Result<Vec<Migration>, MigrateError> {
    let to = to.unwrap_or(NEWEST);
    known(to)?;
    let texts = texts(store, |script| script.up);
    store
        .write(move |tx| {
            begin(tx)?;
            let missing: Vec<i64> = status(tx)?
                .iter()
                .filter(|migration| migration.applied_at.is_none() && migration.version <= to)
                .map(|migration| migration.version)
                .collect();
            for (script, text) in texts.iter().filter(|(script, _)| missing.contains(&script.version)) {
                apply(tx, script, text, now)?;
            }
            let mut applied = status(tx)?;
            applied.retain(|migration| missing.contains(&migration.version));
            Ok(applied)
        })
        .await
}

fn apply(tx: &mut Tx<'_>, script: &Script, text: &str, now: Timestamp) -> Result<(), Fault> {
    tx.script(text)?;
    record(tx, script, now)
}

fn known(version: i64) -> Result<(), MigrateError> {
    if (0..=NEWEST).contains(&version) { Ok(()) } else { Err(MigrateError::NoSuchVersion(version)) }
}

fn texts(store: &Store, part: impl Fn(&Script) -> &'static str) -> Vec<(&'static Script, String)> {
    SCRIPTS.iter().map(|script| (script, text(store, part(script)))).collect()
}
