//! PostgreSQL: some connections, each on its own thread, the same closures as for SQLite. Knows the driver, and no table.
//!
//! A transaction that ended because of the connection, a failover or a conflict, before anything was committed, is run
//! again on a fresh connection at most three times. When it is unknown whether a commit happened, it is not.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use postgres::config::{Config, SslMode, TargetSessionAttrs};
use postgres::types::{IsNull, ToSql, Type, accepts, private::BytesMut, to_sql_checked};
use postgres::{Client, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::QUEUE_MAX;
use super::job::Job;
use super::sql::{self, Value};
use crate::{Fault, Timestamp};

/// Connections per instance.
const CONNECTIONS: usize = 16;
/// Times a transaction is run again.
const RETRIES: usize = 3;
/// Held by whoever changes the schema or makes the first keys: `vestibul` as a number.
const SCHEMA_LOCK: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
     SELECT pg_advisory_xact_lock(8531330762431002988)";
/// No statement and no lock is waited for without end.
const SESSION: &str = "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET default_transaction_isolation = 'read committed'";

/// A PostgreSQL database.
#[derive(Debug)]
pub(crate) struct Postgres {
    jobs: Sender<Order>,
}

struct Order {
    job: Box<dyn Job>,
    transaction: bool,
}

impl Postgres {
    /// Checks the URL and starts the threads; they connect when there is something to do.
    pub(super) fn open(url: &str) -> Result<Self, String> {
        let config = configure(url)?;
        let (jobs, queue) = crossbeam_channel::bounded(QUEUE_MAX);
        for number in 0..CONNECTIONS {
            let mut connection = Connection { config: config.clone(), session: None };
            let queue: Receiver<Order> = queue.clone();
            std::thread::Builder::new()
                .name(format!("postgres-{number}"))
                .spawn(move || queue.iter().for_each(|order| connection.serve(order)))
                .map_err(|e| format!("no thread for the database: {e}"))?;
        }
        Ok(Self { jobs })
    }

    pub(super) fn queue_write(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        self.queue(Order { job, transaction: true })
    }

    pub(super) fn queue_read(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        self.queue(Order { job, transaction: false })
    }

    fn queue(&self, order: Order) -> Result<(), Fault> {
        self.jobs.try_send(order).map_err(|refused| match refused {
            TrySendError::Full(_) => Fault::Unavailable("too many operations wait for the database".into()),
            TrySendError::Disconnected(_) => Fault::Unavailable("the database threads have ended".into()),
        })
    }
}

/// The database's clock.
pub(super) fn clock(tx: &mut sql::Tx<'_>) -> Result<Timestamp, Fault> {
    let millis = tx.count("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", &[])?;
    Ok(Timestamp::from_millis(millis))
}

fn configure(url: &str) -> Result<Arc<(Config, MakeRustlsConnect)>, String> {
    let mut config = Config::from_str(url).map_err(|e| e.to_string())?;
    config.application_name("vestibule").target_session_attrs(TargetSessionAttrs::ReadWrite);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    // `prefer` would send the password in the clear when somebody in between says "no TLS here" (G2).
    let over_network = |host: &postgres::config::Host| matches!(host, postgres::config::Host::Tcp(name) if !is_loopback(name));
    if config.get_ssl_mode() == SslMode::Prefer && config.get_hosts().iter().any(over_network) {
        config.ssl_mode(SslMode::Require);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let verifier = rustls_platform_verifier::Verifier::new(provider)?;
            Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
        })
        .map_err(|e| format!("TLS cannot be set up: {e}"))?;
    Ok(Arc::new((config, MakeRustlsConnect::new(tls))))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// One thread's connection, made anew when it is lost.
struct Connection {
    config: Arc<(Config, MakeRustlsConnect)>,
    session: Option<Session>,
}

struct Session {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

/// How one run of a job ended.
enum Ended {
    /// Its result can be given.
    Told,
    /// Nothing was committed, and another run may succeed.
    Again(Fault),
    /// It is not known to be committed.
    Lost(Fault),
}

impl Connection {
    fn serve(&mut self, order: Order) {
        let Order { mut job, transaction } = order;
        let mut fault = None;
        for _ in 0..=RETRIES {
            match self.attempt(job.as_mut(), transaction) {
                Ended::Told => return job.finish(Ok(())),
                Ended::Again(cause) => fault = Some(cause),
                Ended::Lost(cause) => {
                    fault = Some(cause);
                    break;
                }
            }
            // Whatever asked for another try (a failover, a restart), the old connection does not serve it.
            self.session = None;
        }
        let fault = fault.unwrap_or_else(|| Fault::Unavailable("the database did not answer".into()));
        tracing::error!(%fault, "a transaction failed");
        job.finish(Err(fault));
    }

    fn attempt(&mut self, job: &mut dyn Job, transaction: bool) -> Ended {
        let session = match self.session() {
            Ok(session) => session,
            Err(error) => return Ended::Again(fault(&error)),
        };
        if transaction && let Err(error) = session.client.batch_execute("BEGIN") {
            return ended(&error);
        }
        let mut tx = sql::Tx::Postgres(Tx { session, failure: None });
        let commit = job.run(&mut tx);
        let failure = match tx {
            sql::Tx::Postgres(tx) => tx.failure,
            #[cfg(feature = "sqlite")]
            sql::Tx::Sqlite(_) => None,
        };
        if let Some(error) = failure
            && is_passing(&error)
        {
            return Ended::Again(fault(&error));
        }
        if !transaction {
            return Ended::Told;
        }
        let end = session.client.batch_execute(if commit { "COMMIT" } else { "ROLLBACK" });
        match end {
            Ok(()) => Ended::Told,
            // A conflict found at the commit is a refusal; a connection lost during it leaves the answer unknown.
            Err(error) if commit && error.as_db_error().is_none() => {
                self.session = None;
                Ended::Lost(fault(&error))
            }
            Err(error) => ended(&error),
        }
    }

    fn session(&mut self) -> Result<&mut Session, postgres::Error> {
        if self.session.as_ref().is_none_or(|session| session.client.is_closed()) {
            let (config, tls) = &*self.config;
            let mut client = config.connect(tls.clone())?;
            client.batch_execute(SESSION)?;
            self.session = None;
            return Ok(self.session.insert(Session { client, statements: HashMap::new() }));
        }
        Ok(self.session.as_mut().expect("it was just looked at"))
    }
}

/// The detail of an error of the database is left out: it quotes values, which may be addresses.
fn fault(error: &postgres::Error) -> Fault {
    let cause = match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(refusal), _) => format!("{} ({})", refusal.message(), refusal.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    };
    Fault::Unavailable(format!("PostgreSQL: {cause}"))
}

fn ended(error: &postgres::Error) -> Ended {
    if is_passing(error) { Ended::Again(fault(error)) } else { Ended::Lost(fault(error)) }
}

/// Whether another run may do better: 08* connection, 23505 somebody was faster with what is unique, which another run
/// sees and says, 25006 read-only (a former primary), 40001 and 40P01 conflicts, 57P01 to 57P03 shutdown and start-up.
fn is_passing(error: &postgres::Error) -> bool {
    match error.code() {
        None => true,
        Some(state) => {
            let code = state.code();
            code.starts_with("08")
                || ["23505", "25006", "40001", "40P01", "57P01", "57P02", "57P03"].contains(&code)
        }
    }
}

/// A session, inside or outside a transaction.
pub(crate) struct Tx<'c> {
    session: &'c mut Session,
    /// The first error that the closure met, which decides whether it is run again.
    failure: Option<postgres::Error>,
}

impl Tx<'_> {
    pub(super) fn execute(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64, Fault> {
        self.with(sql, |client, statement| client.execute(statement, &refs(args)))
    }

    pub(super) fn rows<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        mut map: impl FnMut(&sql::Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.with(sql, |client, statement| client.query(statement, &refs(args)))?;
        rows.iter().map(|row| map(&sql::Row::Postgres(Row(row)))).collect()
    }

    pub(super) fn script(&mut self, sql: &str) -> Result<(), Fault> {
        let done = self.session.client.batch_execute(sql);
        done.map_err(|error| self.remember(error))
    }

    pub(super) fn lock_schema(&mut self) -> Result<(), Fault> {
        self.script(SCHEMA_LOCK)
    }

    /// Runs `call` with the prepared statement of `sql`, preparing it when this session meets it first.
    fn with<T>(
        &mut self,
        sql: &'static str,
        call: impl FnOnce(&mut Client, &Statement) -> Result<T, postgres::Error>,
    ) -> Result<T, Fault> {
        let Session { client, statements } = &mut *self.session;
        let statement = match statements.get(sql) {
            Some(statement) => Ok(statement.clone()),
            None => client.prepare(sql).inspect(|statement| drop(statements.insert(sql, statement.clone()))),
        };
        statement.and_then(|statement| call(client, &statement)).map_err(|error| self.remember(error))
    }

    fn remember(&mut self, error: postgres::Error) -> Fault {
        let told = fault(&error);
        self.failure.get_or_insert(error);
        told
    }
}

fn refs<'a>(args: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    args.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Text(text) => text.to_sql(kind, out),
            Self::Int(number) => number.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    accepts!(TEXT, INT8, BYTEA);
    to_sql_checked!();
}

pub(crate) struct Row<'r>(&'r postgres::Row);

impl Row<'_> {
    pub(super) fn text(&self, index: usize) -> Result<Option<String>, Fault> {
        self.0.try_get(index).map_err(|error| fault(&error))
    }

    pub(super) fn int(&self, index: usize) -> Result<Option<i64>, Fault> {
        self.0.try_get(index).map_err(|error| fault(&error))
    }

    pub(super) fn bytes(&self, index: usize) -> Result<Option<Vec<u8>>, Fault> {
        self.0.try_get(index).map_err(|error| fault(&error))
    }
}
