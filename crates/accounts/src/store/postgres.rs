//! PostgreSQL: several connections, each on its own thread, running the same closures as SQLite. Knows the driver, but
//! no table.
//!
//! A transaction that fails because of the connection, a failover or a conflict, before anything was committed, is run
//! again on a fresh connection, at most three times. It is not run again if it may have been committed.

mod contact;
mod failure;
mod pool;
mod session;
mod tls;
pub(super) mod tx;
mod url;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use self::failure::Failure;
pub(crate) use self::failure::READ_ONLY;
use self::pool::{Order, Pool};
use self::session::Session;
use self::tx::Tx;
pub(crate) use self::url::PostgresUrl;
use super::job::Job;
use super::sql;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::policy::DatabasePolicy;
use crate::store::error::DatabaseError;

/// A PostgreSQL database.
pub(crate) struct Postgres(Arc<Pool>);

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Postgres {
    /// Starts the threads; they connect when there is work.
    pub(super) fn open(url: PostgresUrl, policy: &DatabasePolicy) -> Result<Self, Fault> {
        let postgres = Self(Pool::new(url.hosts, policy));
        for number in 0..policy.connections {
            let pool = Arc::clone(&postgres.0);
            std::thread::Builder::new()
                .name(format!("postgres-{number}"))
                .spawn(move || work(&pool))
                .map_err(|e| Fault::Unavailable(format!("no thread for the database: {e}")))?;
        }
        Ok(postgres)
    }

    /// Waits as long as the policy allows until the database is up, and checks whether it can be used.
    pub(super) async fn meet(&self, patience: Duration) -> Result<(), DatabaseError> {
        let begun = contact::begin(&self.0, patience);
        let answer = begun.map_err(|error| DatabaseError::Unreachable(error.to_string()))?;
        answer
            .await
            .unwrap_or_else(|_| Err(DatabaseError::Unreachable("the thread for it has ended".to_owned())))
    }

    pub(super) fn queue_write(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        self.0.queue(Order::new(job, true))
    }

    pub(super) fn queue_read(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        self.0.queue(Order::new(job, false))
    }
}

/// The database's clock.
pub(super) fn clock(tx: &mut sql::Tx<'_>) -> Result<Timestamp, Fault> {
    let millis = tx.count("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", &[])?;
    Ok(Timestamp::from_millis(millis))
}

/// How many others of this role are connected to this database.
#[cfg(feature = "sqlite")]
pub(super) fn company(tx: &mut sql::Tx<'_>) -> Result<i64, Fault> {
    tx.count(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user \
         AND pid <> pg_backend_pid()",
        &[],
    )
}

/// A thread of the pool: connects when needed, and serves jobs until its connection is lost.
fn work(pool: &Pool) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => Rc::new(runtime),
        Err(error) => return tracing::error!(%error, "a thread for the database cannot work"),
    };
    while let Some(attempt) = pool.wait_until_wanted() {
        match Session::open(&runtime, &pool.hosts, &attempt.order, pool.watch_hosts(), &pool.terms) {
            Ok(mut session) => {
                pool.connected(&mut session);
                serve(pool, &mut session);
                drop(session);
                pool.disconnected();
            }
            Err(failure) => pool.refused(&attempt, &failure),
        }
    }
}

/// Runs jobs while the connection lasts.
fn serve(pool: &Pool, session: &mut Session) {
    while let Some(mut order) = pool.next() {
        if !pool.is_alive(session) {
            return pool.hand_back(order);
        }
        match attempt(session, &mut order) {
            Ended::Told => order.done(),
            Ended::Again(failure) if failure.is_conflict() && session.script("ROLLBACK").is_ok() => {
                pool.again(order, &failure);
            }
            // Whatever else calls for a retry (a failover, a restart), this connection cannot serve it.
            Ended::Again(failure) => {
                pool.suspect(session.host, &failure);
                return pool.again(order, &failure);
            }
            Ended::Lost(failure) => {
                order.failed(failure.fault());
                if failure.code().is_none() {
                    return pool.suspect(session.host, &failure);
                }
            }
        }
    }
}

/// How one run of a job ended.
enum Ended {
    /// Its result can be sent.
    Told,
    /// Nothing was committed, and another run may succeed.
    Again(Failure),
    /// It may or may not have been committed.
    Lost(Failure),
}

fn ended(failure: Failure) -> Ended {
    if failure.is_passing() { Ended::Again(failure) } else { Ended::Lost(failure) }
}

fn attempt(session: &mut Session, order: &mut Order) -> Ended {
    session.begin_anew();
    order.begin();
    if order.transaction
        && let Err(failure) = session.script("BEGIN")
    {
        return ended(failure);
    }
    let mut tx = sql::Tx::Postgres(Tx { session, failure: None });
    let commit = order.job().run(&mut tx);
    let failure = match tx {
        sql::Tx::Postgres(tx) => tx.failure,
        #[cfg(feature = "sqlite")]
        sql::Tx::Sqlite(_) => None,
    };
    match failure {
        Some(failure) if failure.is_passing() => return Ended::Again(failure),
        _ if !order.transaction => return Ended::Told,
        _ => {}
    }
    match session.script(if commit { "COMMIT" } else { "ROLLBACK" }) {
        Ok(()) => Ended::Told,
        // A conflict found at the commit is a refusal; without an answer, the outcome is unknown.
        Err(failure) if commit && failure.code().is_none() => Ended::Lost(failure),
        Err(failure) => ended(failure),
    }
}
