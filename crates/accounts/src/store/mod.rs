//! The store: SQL once, for SQLite and PostgreSQL. One file per table; only `sqlite.rs` and `postgres.rs` know a driver.
//!
//! Asynchronous at the surface, synchronous inside: a closure goes to a database thread, runs there from beginning to
//! end, and is committed before its answer is given. `Err` rolls back; a refusal that must be remembered is an `Ok`.
//!
//! **Lock order** (PostgreSQL locks rows): limit subjects — the client's, then the address's — then registrations,
//! invitations, the setup link, users — administrators, then others —, sessions, webhook
//! deliveries, outbox. Whoever takes two of them takes them in this order.

pub(crate) mod audit;
pub(crate) mod challenges;
pub(crate) mod invitations;
mod job;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod migrations;
pub(crate) mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
pub(crate) mod registrations;
pub(crate) mod sessions;
pub(crate) mod setup_links;
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod users;
pub(crate) mod webhooks;

use tokio::sync::oneshot;

use crate::{Fault, Secret, Timestamp};
use job::{Job, Task};
pub(crate) use sql::Tx;

/// How many operations may wait for the database; beyond it the answer is `Unavailable`.
pub(crate) const QUEUE_MAX: usize = 4096;

/// A database.
#[derive(Debug)]
pub(crate) enum Store {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Postgres),
}

/// Why a database was not opened.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// The URL does not name one that this build can open: what to add to the message about it.
    Url(String),
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL is connected to later"))]
    Fault(Fault),
}

impl Store {
    /// Opens the database that `url` names. Does not look at its schema.
    pub(crate) fn open(url: &Secret) -> Result<Self, StoreError> {
        let text = url.expose();
        #[cfg(feature = "sqlite")]
        if let Some(path) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
            if path.is_empty() {
                let example = " with the path of a file: sqlite:///var/lib/vestibule/vestibule.db";
                return Err(StoreError::Url(example.to_owned()));
            }
            return sqlite::Sqlite::open(path).map(Self::Sqlite).map_err(StoreError::Fault);
        }
        #[cfg(feature = "postgres")]
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let opened = postgres::Postgres::open(text).map(Self::Postgres);
            return opened.map_err(|cause| StoreError::Url(format!(": {cause}")));
        }
        Err(StoreError::Url(String::new()))
    }

    /// Runs `work` in one transaction. It may run again from its beginning when the database asks for it, so it must
    /// not consume what it captured.
    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.queue(Box::new(Task::new(work, answer)))?;
        answered
            .await
            .unwrap_or_else(|_| Err(Fault::Unavailable("the database thread has ended".into()).into()))
    }

    /// Runs `work` in one transaction some time soon; nobody waits for it.
    pub(crate) fn post<F>(&self, work: F)
    where
        F: FnMut(&mut Tx<'_>) -> Result<(), Fault> + Send + 'static,
    {
        let (answer, _) = oneshot::channel::<Result<(), Fault>>();
        if let Err(fault) = self.queue(Box::new(Task::new(work, answer))) {
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
        match self {
            // A look-up takes some microseconds: handing it to another thread would cost more.
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.read(|tx| work(tx)),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => {
                let (answer, answered) = oneshot::channel();
                postgres.queue_read(Box::new(Task::new(work, answer)))?;
                answered.await.unwrap_or_else(|_| {
                    Err(Fault::Unavailable("the database thread has ended".into()).into())
                })
            }
        }
    }

    /// The database's own clock, where it may differ from this machine's.
    pub(crate) async fn now(&self) -> Result<Option<Timestamp>, Fault> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(None),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => self.read(postgres::clock).await.map(Some),
        }
    }

    fn queue(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.queue(job),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => postgres.queue_write(job),
        }
    }
}
