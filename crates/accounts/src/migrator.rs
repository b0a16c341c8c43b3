//! The versions of the schema, for operators: `vestibule migrate`.

use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::env::Env;
use crate::fault::Fault;
use crate::policy::DatabasePolicy;
use crate::settings::OpenError;
use crate::store::condition::DatabaseCondition;
use crate::store::migrations::{
    MigrateError, Migration, NEWEST, SCRIPTS, Script, begin, forget, forget_by_hand, holds_keys, is_there,
    opening_by_hand, record, record_by_hand, status, text,
};
use crate::store::{Store, Tx};

/// Reads and changes the version of a database's schema. Concurrent changes wait for each other.
#[derive(Debug)]
pub struct Migrator {
    store: Store,
    env: Env,
}

impl Migrator {
    /// Connects. Changes nothing, except that it creates a missing SQLite file.
    pub async fn connect(database_url: &Secret) -> Result<Self, OpenError> {
        Self::open(database_url, &DatabasePolicy::default(), true).await
    }

    /// Connects to an existing database, with these limits.
    ///
    /// # Errors
    /// [`DatabaseError::Missing`](crate::DatabaseError::Missing) if there is no SQLite file.
    pub async fn connect_existing(database_url: &Secret, policy: &DatabasePolicy) -> Result<Self, OpenError> {
        Self::open(database_url, policy, false).await
    }

    async fn open(url: &Secret, policy: &DatabasePolicy, may_make: bool) -> Result<Self, OpenError> {
        // Nothing runs concurrently here.
        let policy = DatabasePolicy { connections: 1, ..policy.clone() };
        Ok(Self { store: Store::open(url, &policy, may_make).await?, env: Env::system() })
    }

    /// Every version this program knows, oldest first.
    pub async fn status(&self) -> Result<Vec<Migration>, MigrateError> {
        self.store.read(status).await
    }

    /// Whether a server has created its keys in this database.
    pub async fn holds_keys(&self) -> Result<bool, MigrateError> {
        self.store.read(|tx| Ok(holds_keys(tx)?)).await
    }

    /// The condition that the database is in, whatever its schema.
    pub async fn condition(&self) -> Result<DatabaseCondition, Fault> {
        self.store.condition(&self.env).await
    }

    /// Records versions up to and including `to` (all if `None`) that a script run by hand has applied.
    ///
    /// # Errors
    /// [`MigrateError::NotThere`] if one of them was not applied; then nothing is recorded.
    pub async fn record(&self, to: Option<i64>) -> Result<Vec<Migration>, MigrateError> {
        let to = to.unwrap_or(NEWEST);
        known(to)?;
        let now = self.env.now();
        self.store
            .write(move |tx| {
                begin(tx)?;
                let missing = missing(tx, to)?;
                for script in &missing {
                    if !is_there(tx, script)? {
                        return Err(MigrateError::NotThere(script.version));
                    }
                    record(tx, script, now)?;
                }
                of(tx, &missing)
            })
            .await
    }

    /// Applies missing versions up to and including `to` (all if `None`); returns those applied.
    pub async fn up(&self, to: Option<i64>) -> Result<Vec<Migration>, MigrateError> {
        migrate_up(&self.store, to, self.env.now()).await
    }

    /// Reverts every version above `to`; version `to` stays, 0 leaves nothing. Returns the reverted versions.
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

    /// The script from the current version up or down to `to` (up to the newest if `None`), to read or to run by hand.
    /// It is one transaction, and records what it does.
    pub async fn sql(&self, to: Option<i64>) -> Result<String, MigrateError> {
        let to = to.unwrap_or(NEWEST);
        known(to)?;
        let applied = |version: i64, all: &[Migration]| {
            all.iter().any(|migration| migration.version == version && migration.applied_at.is_some())
        };
        let all = self.status().await?;
        let up = SCRIPTS.iter().filter(|script| script.version <= to && !applied(script.version, &all));
        let down = SCRIPTS.iter().rev().filter(|script| script.version > to && applied(script.version, &all));
        let part = |script: &Script, direction: &str, sql: &str, note: &str| {
            let sql = text(&self.store, sql);
            format!("-- {:04} {} {direction}\n{sql}\n{note}\n", script.version, script.name)
        };
        let up = up.map(|script| part(script, "up", script.up, &record_by_hand(&self.store, script)));
        let down = down.map(|script| part(script, "down", script.down, &forget_by_hand(script)));
        let parts: String = down.chain(up).collect();
        if parts.is_empty() {
            return Ok(String::new());
        }
        Ok(format!("{}\n{parts}COMMIT;\n", opening_by_hand(&self.store)))
    }
}

/// Applies missing versions. Also called when the accounts are opened.
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
            let missing = missing(tx, to)?;
            for script in &missing {
                if is_there(tx, script)? {
                    return Err(MigrateError::NotRecorded(script.version));
                }
                for (_, text) in texts.iter().filter(|(other, _)| other.version == script.version) {
                    apply(tx, script, text, now)?;
                }
            }
            of(tx, &missing)
        })
        .await
}

/// The versions up to `to` that are not recorded as applied.
fn missing(tx: &mut Tx<'_>, to: i64) -> Result<Vec<&'static Script>, MigrateError> {
    let status = status(tx)?;
    let lacks = |script: &&Script| {
        script.version <= to
            && status.iter().any(|it| it.version == script.version && it.applied_at.is_none())
    };
    Ok(SCRIPTS.iter().filter(lacks).collect())
}

/// The state of these versions in the database.
fn of(tx: &mut Tx<'_>, scripts: &[&Script]) -> Result<Vec<Migration>, MigrateError> {
    let mut status = status(tx)?;
    status.retain(|migration| scripts.iter().any(|script| script.version == migration.version));
    Ok(status)
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
