//! A connection, driven by the thread that owns it. Every wait for an answer is bounded.

use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, Statement};

use super::failure::Failure;
use super::tls::Tls;
use super::url::parts::Host;
use crate::policy::DatabasePolicy;

/// How much longer than the server's own limit an answer may take to arrive.
const MARGIN: Duration = Duration::from_secs(1);
/// After this long without an answer from a host, the next one is tried as well.
const STAGGER: Duration = Duration::from_secs(1);

/// How often each host was abandoned, by its index in the URL.
pub(super) type HostsLeft = Vec<u64>;

/// The settings a session begins with.
pub(super) struct Terms {
    /// Statements that begin the session: they bound the waits on the server as well.
    settings: String,
    /// How long an answer may take.
    deadline: Duration,
}

impl Terms {
    pub(super) fn new(policy: &DatabasePolicy) -> Self {
        let statement = policy.statement_timeout.as_millis();
        let lock = statement * 4 / 5;
        let settings = format!(
            "SET statement_timeout = {statement}; SET lock_timeout = {lock}; \
             SET idle_in_transaction_session_timeout = '30s'; SET default_transaction_isolation = 'read committed'"
        );
        Self { settings, deadline: policy.statement_timeout + MARGIN }
    }
}

type Statements = HashMap<&'static str, Statement>;

/// An open connection, and the statements prepared on it.
pub(super) struct Session {
    runtime: Rc<Runtime>,
    client: Client,
    statements: Statements,
    /// Reads and writes the socket while this thread waits for an answer.
    connection: JoinHandle<()>,
    /// The index of its host in the URL, and how often that host had been abandoned before.
    pub(super) host: usize,
    left_before: u64,
    left: watch::Receiver<HostsLeft>,
    /// The number of the last alarm after which it was found alive.
    pub(super) checked_after: u64,
    usual_deadline: Duration,
    /// `None`: no limit.
    deadline: Option<Duration>,
}

impl Session {
    /// Connects to the first of `hosts`, in `order`, that accepts writes.
    pub(super) fn open(
        runtime: &Rc<Runtime>,
        hosts: &[Host],
        order: &[usize],
        left: watch::Receiver<HostsLeft>,
        terms: &Terms,
    ) -> Result<Self, Failure> {
        let (host, client, connection) = runtime.block_on(dial(hosts, order, &terms.settings))?;
        let left_before = left.borrow().get(host).copied().unwrap_or(0);
        Ok(Self {
            runtime: Rc::clone(runtime),
            client,
            statements: HashMap::new(),
            connection,
            host,
            left_before,
            left,
            checked_after: 0,
            usual_deadline: terms.deadline,
            deadline: Some(terms.deadline),
        })
    }

    /// Whether the other side has closed the connection, as far as this machine knows.
    pub(super) fn has_ended(&self) -> bool {
        // Twice: the first turn polls the socket, the second reads what it received.
        self.runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        self.client.is_closed()
    }

    /// Sends an empty query, to see whether an answer comes.
    pub(super) fn probe(&mut self, patience: Duration) -> Result<(), Failure> {
        self.deadline = Some(patience);
        let answered = self.script("");
        self.begin_anew();
        answered
    }

    /// Another job begins: the usual time limit applies again.
    pub(super) fn begin_anew(&mut self) {
        self.deadline = Some(self.usual_deadline);
    }

    /// Lifts the time limit until [`begin_anew`](Self::begin_anew).
    pub(super) fn take_time(&mut self) {
        self.deadline = None;
    }

    /// Runs statements that return nothing.
    pub(super) fn script(&mut self, sql: &str) -> Result<(), Failure> {
        self.run(async |client, _| client.batch_execute(sql).await)
    }

    /// The first value of a query's result, as text.
    pub(super) fn text(&mut self, sql: &str) -> Result<String, Failure> {
        let messages = self.run(async |client, _| client.simple_query(sql).await)?;
        let mut values = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Ok(values.next().unwrap_or_default().to_owned())
    }

    /// Runs `call` with the prepared statement for `sql`, preparing it on first use in this session.
    pub(super) fn with<T>(
        &mut self,
        sql: &'static str,
        call: impl AsyncFnOnce(&Client, &Statement) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Failure> {
        self.run(async |client, statements| {
            if let Some(statement) = statements.get(sql) {
                return call(client, statement).await;
            }
            let statement = client.prepare(sql).await?;
            call(client, statements.entry(sql).or_insert(statement)).await
        })
    }

    fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&Client, &mut Statements) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Failure> {
        let Self { runtime, client, statements, left, host, left_before, deadline, .. } = self;
        let patience = deadline.unwrap_or(Duration::MAX);
        let is_left = |hosts: &HostsLeft| hosts.get(*host).is_some_and(|times| times > left_before);
        runtime.block_on(async {
            let (answer, host_left) = (pin!(work(client, statements)), pin!(left.wait_for(is_left)));
            match timeout(patience, select(answer, host_left)).await {
                Ok(Either::Left((result, _))) => Ok(result?),
                Ok(Either::Right(_)) => Err(Failure::HostLeft),
                Err(_) => Err(Failure::Late(patience)),
            }
        })
    }
}

impl Drop for Session {
    /// Otherwise the socket would stay open until this thread connects again.
    fn drop(&mut self) {
        self.connection.abort();
        let _ = self.runtime.block_on(&mut self.connection);
    }
}

/// Connects to the first host that accepts writes. Each has a head start before the next one.
async fn dial(
    hosts: &[Host],
    order: &[usize],
    settings: &str,
) -> Result<(usize, Client, JoinHandle<()>), Failure> {
    let mut pending = FuturesUnordered::new();
    let mut failures = Vec::new();
    let mut next = order.iter().filter_map(|index| Some((*index, hosts.get(*index)?)));
    loop {
        let started = next.next();
        let patience = if started.is_some() { STAGGER } else { Duration::MAX };
        pending.extend(started.map(|(index, host)| async move { (index, reach(host, settings).await) }));
        match timeout(patience, pending.next()).await {
            Ok(Some((index, Ok((client, connection))))) => return Ok((index, client, connection)),
            Ok(Some((index, Err(failure)))) => {
                failures.push((hosts.get(index).map_or_else(String::new, |host| host.name.clone()), failure));
            }
            Ok(None) => break,
            Err(_) => {}
        }
    }
    match failures.pop() {
        Some((_, failure)) if failures.is_empty() => Err(failure),
        last => Err(Failure::Hosts(failures.into_iter().chain(last).collect())),
    }
}

/// Connects, authenticates and sets the session up, within the time allowed.
async fn reach(host: &Host, settings: &str) -> Result<(Client, JoinHandle<()>), Failure> {
    let reached = timeout(host.patience, async {
        let (client, connection) = match &host.tls {
            Tls::None => {
                let (client, connection) = host.config.connect(NoTls).await?;
                (client, tokio::spawn(drive(connection)))
            }
            Tls::Offered(tls) | Tls::Required(tls) => {
                let (client, connection) = host.config.connect(tls.clone()).await?;
                (client, tokio::spawn(drive(connection)))
            }
        };
        client.batch_execute(settings).await?;
        Ok((client, connection))
    });
    reached.await.unwrap_or(Err(Failure::Late(host.patience)))
}

async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection to the database ended");
    }
}
