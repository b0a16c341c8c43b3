//! The store: SQL once, for SQLite and PostgreSQL. One file per table; only `sqlite.rs` and `postgres.rs` know a driver.
//!
//! The interface is asynchronous, the inside synchronous: a closure is sent to a database thread, runs there from
//! beginning to end, and is committed before its result is returned. `Err` rolls back; a refusal that must be
//! remembered is an `Ok`.
//!
//! **Lock order** (PostgreSQL locks rows): limit subjects (the client's, then the address's), registrations,
//! invitations, the setup link, users (administrators, then others), their factors, what waits for a factor or a link,
//! sessions, webhook deliveries, outbox. Code that locks more than one of them locks them in this order.

pub(crate) mod condition;
pub(crate) mod copy;
pub(crate) mod error;
mod job;
pub(crate) mod migrations;
#[cfg(feature = "postgres")]
mod postgres;
mod pulse;
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod tables;
pub(crate) mod times;

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::env::{Env, Stopwatch};
use crate::fault::Fault;
use crate::policy::DatabasePolicy;
use crate::store::condition::DatabaseCondition;
use crate::store::error::{DatabaseError, StoreError};
use job::{Job, Task};
use pulse::{Pulse, take_statements};
pub(crate) use sql::Tx;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::Snapshot;
use times::{Groups, Times};

/// A database, and whether it accepts writes.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    pulse: Arc<Pulse>,
    times: Times,
}

#[derive(Debug)]
enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite(Box<sqlite::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Postgres),
}

/// The database that a URL names.
pub(crate) enum Address {
    /// The path of a file.
    #[cfg(feature = "sqlite")]
    Sqlite(String),
    #[cfg(feature = "postgres")]
    Postgres(postgres::PostgresUrl),
}

impl Address {
    pub(crate) fn read(url: &Secret) -> Result<Self, DatabaseError> {
        const FORMS: &str = "write `sqlite:/path/of/a/file` or `postgres://user:password@host/database`";
        let text = url.expose();
        #[cfg(feature = "sqlite")]
        if let Some(path) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
            if path.is_empty() {
                return Err(DatabaseError::url("the database URL `sqlite:` names no file", FORMS));
            }
            return Ok(Self::Sqlite(path.to_owned()));
        }
        #[cfg(feature = "postgres")]
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return postgres::PostgresUrl::parse(text).map(Self::Postgres);
        }
        Err(DatabaseError::url("the database URL does not begin with `sqlite:` or `postgres://`", FORMS))
    }

    /// The address for messages, without a user's name and password.
    pub(crate) fn shown(&self) -> String {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(path) => format!("sqlite:{path}"),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => url.shown(),
        }
    }
}

impl Store {
    /// Opens the database that `url` names, waiting for a database server as long as the policy says. Does not look at
    /// its schema.
    #[cfg_attr(
        not(all(feature = "sqlite", feature = "postgres")),
        expect(unused_variables, reason = "each database has a need of its own")
    )]
    pub(crate) async fn open(
        url: &Secret,
        policy: &DatabasePolicy,
        may_make: bool,
    ) -> Result<Self, StoreError> {
        let database = match Address::read(url).map_err(StoreError::Database)? {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(path) => {
                let is_missing = std::path::Path::new(&path).try_exists().is_ok_and(|exists| !exists);
                if !may_make && is_missing && path != ":memory:" {
                    return Err(StoreError::Database(DatabaseError::Missing(path)));
                }
                Database::Sqlite(Box::new(sqlite::Sqlite::open(&path)?))
            }
            #[cfg(feature = "postgres")]
            Address::Postgres(url) => {
                let postgres = postgres::Postgres::open(url, policy).map_err(StoreError::Fault)?;
                postgres.meet(policy.wait).await.map_err(StoreError::Database)?;
                Database::Postgres(postgres)
            }
        };
        Ok(Self::new(database))
    }

    fn new(database: Database) -> Self {
        Self { database, pulse: Arc::default(), times: Times::default() }
    }

    /// Accepts the database that `url` names as it is, even if it lacks commits that an earlier one had.
    pub(crate) fn accept(url: &Secret) -> Result<(), StoreError> {
        match Address::read(url).map_err(StoreError::Database)? {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(path) => sqlite::Sqlite::accept(&path),
            // The database server looks after the files.
            #[cfg(feature = "postgres")]
            Address::Postgres(_) => Ok(()),
        }
    }

    /// Whether a damaged page was found in the database.
    pub(crate) fn is_damaged(&self) -> bool {
        self.pulse.is_damaged()
    }

    /// Whether a write has succeeded recently and none has failed since. If `false`, a write has to be tried.
    pub(crate) fn takes_writes(&self) -> bool {
        self.pulse.is_regular()
    }

    /// Runs `work` in one transaction. It may run again from its beginning when the database requires a retry, so it
    /// must not consume what it captures.
    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let watch = Stopwatch::start();
        self.queue(Box::new(Task::new(work, answer).felt_by(&self.pulse)))?;
        let answered = answered.await;
        self.times.writes.note(watch.elapsed());
        answered.unwrap_or_else(|_| Err(Fault::Unavailable("the database thread has ended".into()).into()))
    }

    /// Queues `work` to run in one transaction; nothing waits for it.
    pub(crate) fn post<F>(&self, work: F)
    where
        F: FnMut(&mut Tx<'_>) -> Result<(), Fault> + Send + 'static,
    {
        let (answer, _) = oneshot::channel::<Result<(), Fault>>();
        if let Err(fault) = self.queue(Box::new(Task::new(work, answer).felt_by(&self.pulse))) {
            tracing::warn!(%fault, "a change that can wait was not queued");
        }
    }

    /// Runs `work` outside a transaction: each statement sees what is committed when it starts.
    #[cfg_attr(not(feature = "sqlite"), expect(unused_mut, reason = "only SQLite calls it here"))]
    pub(crate) async fn read<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
    {
        let watch = Stopwatch::start();
        let read = match &self.database {
            // A look-up takes some microseconds: moving it to another thread would cost more.
            #[cfg(feature = "sqlite")]
            Database::Sqlite(sqlite) => {
                let read = sqlite.read(|tx| work(tx));
                self.pulse.feel(take_statements());
                read
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(postgres) => {
                let (answer, answered) = oneshot::channel();
                postgres.queue_read(Box::new(Task::new(work, answer)))?;
                answered.await.unwrap_or_else(|_| {
                    Err(Fault::Unavailable("the database thread has ended".into()).into())
                })
            }
        };
        self.times.reads.note(watch.elapsed());
        read
    }

    /// Like `read`, for work that looks through many rows: never runs on a thread that serves requests.
    pub(crate) async fn survey<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let pulse = Arc::clone(&self.pulse);
        let felt = move |tx: &mut Tx<'_>| {
            let found = work(tx);
            pulse.feel(take_statements());
            found
        };
        let job = Box::new(Task::new(felt, answer));
        let watch = Stopwatch::start();
        match &self.database {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(sqlite) => sqlite.queue_survey(job)?,
            #[cfg(feature = "postgres")]
            Database::Postgres(postgres) => postgres.queue_read(job)?,
        }
        let answered = answered.await;
        self.times.surveys.note(watch.elapsed());
        answered.unwrap_or_else(|_| Err(Fault::Unavailable("the database thread has ended".into()).into()))
    }

    /// How long the database takes.
    pub(crate) const fn times(&self) -> &Times {
        &self.times
    }

    /// How many changes were committed together, where this instance decides that.
    pub(crate) fn groups(&self) -> Option<&Groups> {
        match &self.database {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(sqlite) => Some(sqlite.groups()),
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => None,
        }
    }

    /// Copies an SQLite database, as it is at this moment, into a new file. `false`: it is none.
    #[cfg(feature = "sqlite")]
    pub(crate) fn copy_file(&self, to: &std::path::Path) -> Result<bool, Fault> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.copy_to(to).map(|()| true),
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => Ok(false),
        }
    }

    /// Runs what is queued and closes the database. Later calls fail because it is closed.
    pub(crate) fn close(&self) {
        match &self.database {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(sqlite) => sqlite.close(),
            // The database server looks after the files.
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => {}
        }
    }

    /// The database's own clock, where it may differ from this machine's.
    pub(crate) async fn now(&self) -> Result<Option<Timestamp>, Fault> {
        match &self.database {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(_) => Ok(None),
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => self.read(postgres::clock).await.map(Some),
        }
    }

    /// How many others of this role are connected to the database; of an SQLite file that is not known.
    #[cfg(feature = "sqlite")]
    pub(crate) async fn other_connections(&self) -> Result<i64, Fault> {
        match &self.database {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(_) => Ok(0),
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => self.read(postgres::company).await,
        }
    }

    /// The condition it is in. Nothing else must run on it, or the time it takes means little.
    pub(crate) async fn condition(&self, env: &Env) -> Result<DatabaseCondition, Fault> {
        let facts = self.read(condition::facts).await?;
        let watch = Stopwatch::start();
        self.read(|tx: &mut Tx<'_>| tx.count("SELECT CAST(1 AS BIGINT)", &[])).await?;
        let round_trip = watch.elapsed();
        let before = env.now();
        let clock = self.now().await?;
        // The database read its clock somewhere between.
        let asked = i64::midpoint(before.as_millis(), env.now().as_millis());
        Ok(DatabaseCondition {
            product: facts.product,
            encoding: facts.encoding,
            journal: facts.journal,
            connections: facts.connections,
            round_trip,
            clock_ahead_millis: clock.map(|now| now.as_millis() - asked),
        })
    }

    fn queue(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        match &self.database {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(sqlite) => sqlite.queue(job),
            #[cfg(feature = "postgres")]
            Database::Postgres(postgres) => postgres.queue_write(job),
        }
    }
}
