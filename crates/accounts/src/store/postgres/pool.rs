//! The connections of this instance, each on its own thread, and the jobs that wait for one of them.
//!
//! A job waits for a thread that *has* a connection. A thread without one connects when more jobs wait than the others
//! will take, and takes no job before that. So nothing fails because of one lost connection while there is another, and
//! an instance that gets fewer connections than it wants works with those.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::failure::Failure;
use super::session::{HostsLeft, Session, Terms};
use super::url::parts::Host;
use crate::env::Stopwatch;
use crate::fault::Fault;
use crate::policy::DatabasePolicy;
use crate::store::job::{Job, QUEUE_MAX};

/// How often a transaction is run again.
const RETRIES: usize = 3;
/// How long jobs wait while there is no connection at all: long enough for a restart of the database.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two attempts to connect while there is no connection at all.
const RECONNECT: Duration = Duration::from_millis(100);
/// The pause before another attempt at a further connection while there are others; it doubles each time.
const BACK_OFF: Duration = Duration::from_millis(500);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

/// How long a suspect connection may take to answer.
const PROBE: Duration = Duration::from_secs(1);

/// A job waiting for a connection.
pub(super) struct Order {
    job: Box<dyn Job>,
    pub(super) transaction: bool,
    since: Stopwatch,
    runs: usize,
    handed_back: usize,
}

impl Order {
    pub(super) fn new(job: Box<dyn Job>, transaction: bool) -> Self {
        Self { job, transaction, since: Stopwatch::start(), runs: 0, handed_back: 0 }
    }

    pub(super) fn begin(&mut self) {
        self.runs += 1;
    }

    pub(super) fn job(&mut self) -> &mut dyn Job {
        self.job.as_mut()
    }

    pub(super) fn done(self) {
        self.job.finish(Ok(()));
    }

    pub(super) fn failed(self, fault: Fault) {
        tracing::error!(%fault, "a transaction failed");
        self.job.finish(Err(fault));
    }
}

/// The state shared by the threads.
pub(super) struct Pool {
    pub(super) hosts: Vec<Host>,
    pub(super) terms: Terms,
    /// The maximum number of connections.
    most: usize,
    state: Mutex<State>,
    /// A job waits for a thread with a connection.
    ready: Condvar,
    /// A job waits for a further connection.
    wanted: Condvar,
    /// Raised when a connection is lost: the others are checked before they are used again.
    alarm: AtomicU64,
    left: watch::Sender<HostsLeft>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Order>,
    /// Threads with a connection and without a job.
    idle: usize,
    connecting: usize,
    connected: usize,
    closed: bool,
    /// Failed attempts to connect since the last success, and when the next one may be made.
    failures: u32,
    pause: Option<(Stopwatch, Duration)>,
    /// Since when there has been no connection and none could be made.
    outage: Option<Stopwatch>,
    /// The last host connected to, and those that have stopped answering since.
    preferred: usize,
    silent: Vec<usize>,
}

impl Pool {
    pub(super) fn new(hosts: Vec<Host>, policy: &DatabasePolicy) -> Arc<Self> {
        let left = watch::Sender::new(vec![0; hosts.len()]);
        Arc::new(Self {
            hosts,
            terms: Terms::new(policy),
            most: policy.connections,
            state: Mutex::default(),
            ready: Condvar::new(),
            wanted: Condvar::new(),
            alarm: AtomicU64::new(0),
            left,
        })
    }

    pub(super) fn queue(&self, order: Order) -> Result<(), Fault> {
        let mut state = self.lock();
        if state.waiting.len() >= QUEUE_MAX {
            return Err(Fault::Unavailable("too many operations wait for the database".into()));
        }
        state.waiting.push_back(order);
        let (idle, lacks) = (state.idle > 0, state.lacks_connections());
        drop(state);
        if idle {
            self.ready.notify_one();
        }
        if lacks {
            self.wanted.notify_one();
        }
        Ok(())
    }

    /// Lets the threads end once no job is waiting.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
        self.wanted.notify_all();
    }

    /// Waits until a further connection is wanted and may be tried; `None` when the pool is closed.
    pub(super) fn wait_until_wanted(&self) -> Option<Attempt> {
        let mut state = self.lock();
        loop {
            let pause = state.pause_left();
            if state.closed && state.waiting.is_empty() {
                return None;
            } else if !state.lacks_connections() {
                state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else if !pause.is_zero() {
                let waited = self.wanted.wait_timeout(state, pause);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            } else if state.failures > 0 && state.connecting > 0 {
                // While attempts fail, one thread tries for all.
                state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                state.connecting += 1;
                let order = state.hosts_in_order(self.hosts.len());
                return Some(Attempt { order, began: Stopwatch::start() });
            }
        }
    }

    pub(super) fn watch_hosts(&self) -> watch::Receiver<HostsLeft> {
        self.left.subscribe()
    }

    /// A further connection was made. Connections to hosts that stopped answering while this one answers are abandoned.
    pub(super) fn connected(&self, session: &mut Session) {
        session.checked_after = self.alarm.load(Ordering::SeqCst);
        let mut state = self.lock();
        state.connecting -= 1;
        state.connected += 1;
        state.preferred = session.host;
        let silent = std::mem::take(&mut state.silent);
        let (failures, connected) = (std::mem::take(&mut state.failures), state.connected);
        (state.pause, state.outage) = (None, None);
        drop(state);
        let silent: Vec<usize> = silent.into_iter().filter(|host| *host != session.host).collect();
        if !silent.is_empty() {
            self.left.send_modify(|times| {
                let each = times.iter_mut().enumerate();
                each.filter(|(host, _)| silent.contains(host)).for_each(|(_, times)| *times += 1);
            });
        }
        if failures > 0 {
            tracing::info!(connections = connected, "connected to the database again");
        }
        self.wanted.notify_all();
    }

    /// No further connection could be made. While there is none at all, jobs that have waited long enough fail.
    pub(super) fn refused(&self, attempt: &Attempt, failure: &Failure) {
        let mut state = self.lock();
        state.connecting -= 1;
        let pause = if state.connected == 0 {
            RECONNECT
        } else {
            (BACK_OFF * 2_u32.pow(state.failures.min(10))).min(LONGEST_BACK_OFF)
        };
        state.pause = Some((Stopwatch::start(), pause));
        state.failures = state.failures.saturating_add(1);
        let is_first = state.failures == 1;
        let mut told = VecDeque::new();
        if state.connected == 0 {
            let outage = *state.outage.get_or_insert(attempt.began);
            if outage.elapsed() >= PATIENCE || state.closed {
                let has_waited = |order: &Order| order.since.elapsed() >= attempt.began.elapsed();
                (told, state.waiting) = state.waiting.drain(..).partition(has_waited);
            }
        }
        let connections = state.connected;
        drop(state);
        self.wanted.notify_all();
        if is_first {
            let most = self.most;
            tracing::warn!(
                cause = failure.cause(),
                connections,
                most,
                "no further connection to the database"
            );
        }
        for order in told {
            order.failed(failure.fault());
        }
    }

    /// The next job for a thread with a connection; `None` when the pool is closed.
    pub(super) fn next(&self) -> Option<Order> {
        let mut state = self.lock();
        loop {
            if let Some(order) = state.waiting.pop_front() {
                return Some(order);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Whether an idle connection can be used: it is probed if another one was lost meanwhile.
    pub(super) fn is_alive(&self, session: &mut Session) -> bool {
        if session.has_ended() {
            return false;
        }
        let alarm = self.alarm.load(Ordering::SeqCst);
        if session.checked_after < alarm {
            if let Err(failure) = session.probe(PROBE) {
                self.suspect(session.host, &failure);
                return false;
            }
            session.checked_after = alarm;
        }
        true
    }

    /// A connection was lost: others may be as well.
    pub(super) fn suspect(&self, host: usize, failure: &Failure) {
        self.alarm.fetch_add(1, Ordering::SeqCst);
        if matches!(failure, Failure::Late(_)) {
            let mut state = self.lock();
            if !state.silent.contains(&host) {
                state.silent.push(host);
            }
        }
    }

    /// A job that ran but did not finish goes to the front of the queue, for any thread with a connection.
    pub(super) fn again(&self, order: Order, failure: &Failure) {
        if order.runs > RETRIES {
            return order.failed(failure.fault());
        }
        self.lock().waiting.push_front(order);
        self.ready.notify_one();
    }

    /// A job was not begun because its connection was gone. Each thread may find that once.
    pub(super) fn hand_back(&self, mut order: Order) {
        order.handed_back += 1;
        if order.handed_back > self.most + RETRIES {
            let cause = "PostgreSQL: connections are lost as soon as they are made";
            return order.failed(Fault::Unavailable(cause.into()));
        }
        self.lock().waiting.push_front(order);
        self.ready.notify_one();
    }

    /// A thread has lost its connection.
    pub(super) fn disconnected(&self) {
        let mut state = self.lock();
        state.connected -= 1;
        if state.connected == 0 {
            state.pause = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt to connect.
pub(super) struct Attempt {
    /// The hosts by their index in the URL, the most promising first.
    pub(super) order: Vec<usize>,
    began: Stopwatch,
}

impl State {
    /// Whether more jobs wait than free and connecting threads will serve.
    fn lacks_connections(&self) -> bool {
        self.waiting.len() > self.idle + self.connecting
    }

    fn pause_left(&self) -> Duration {
        self.pause.map_or(Duration::ZERO, |(since, length)| length.saturating_sub(since.elapsed()))
    }

    /// The host that answered last, then the others in the order of the URL, then those that stopped answering.
    fn hosts_in_order(&self, number: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..number).collect();
        order.sort_by_key(|host| (self.silent.contains(host), *host != self.preferred));
        order
    }
}
