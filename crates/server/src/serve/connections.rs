//! Accepts connections, bounds their number, serves requests on them, and ends them.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::ServiceExt as _;

use super::listener::{Listener, Stream};
use super::open_files;
use super::refusals::Refusals;
use super::slots::{Slot, Slots};
use super::stall::Stopping;
use super::timeouts::{HEAD, watched};
use crate::config::settings::Config;
use crate::config::values::Network;
use crate::telemetry::Caller;

/// Header fields of a request at most (H6).
const HEADERS_MAX: usize = 64;
/// Octets of a request's head at most (H6).
const HEAD_OCTETS_MAX: usize = 16 * 1024;
/// Octets read ahead of the handler at most: the largest head and the largest body of the API.
const BUFFER_OCTETS_MAX: usize = 2 * HEAD_OCTETS_MAX;
/// The peer of a Unix socket: with `trusted_proxies = ["127.0.0.1"]` it may name the client it acts for.
const THIS_MACHINE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// It takes at least this many clients to fill all connections, whatever the settings say.
const CLIENTS_LEAST: usize = 10;
/// The pause after the system refused a connection, for example because all file descriptors are in use.
const REST: Duration = Duration::from_millis(100);

/// How many connections there may be.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    most: usize,
    most_per_client: usize,
    /// Proxies, whose connections are those of many clients.
    uncounted: Vec<Network>,
}

/// What answers requests, and the rules for those who send them. Replaced when the settings are read again; also for open
/// connections.
#[derive(Clone)]
pub(crate) struct Front(Arc<RwLock<(Router, Arc<Rules>)>>);

impl Front {
    pub(crate) fn new(router: Router, rules: Rules) -> Self {
        Self(Arc::new(RwLock::new((router, Arc::new(rules)))))
    }

    pub(crate) fn replace(&self, router: Router, rules: Rules) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (router, Arc::new(rules));
    }

    fn router(&self) -> Router {
        self.0.read().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).1)
    }
}

impl Rules {
    /// Those of a listener for few programs.
    pub(crate) const fn of_few(most: usize) -> Self {
        Self { most, most_per_client: most, uncounted: Vec::new() }
    }

    /// How many connections there may be at all.
    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    /// The limits in the settings, as far as the system allows them. Load tests come from one address: without limits
    /// per client it may have all connections.
    pub(crate) fn of(config: &Config) -> Self {
        let limits = config.connections;
        let most = open_files::for_connections(limits.most);
        let most_per_client =
            if config.policy.client_limits { share(limits.most_per_client, most) } else { most };
        Self { most, most_per_client, uncounted: config.trusted_proxies.clone() }
    }
}

/// One client's share of all connections.
fn share(wanted: usize, most: usize) -> usize {
    wanted.min((most / CLIENTS_LEAST).max(1))
}

/// The open connections.
pub(crate) struct Connections {
    front: Front,
    usage: Usage,
    clients: Arc<Clients>,
    graceful: GracefulShutdown,
    stopping: Stopping,
    refused: Refusals,
    failed: Refusals,
}

/// How many connections there are.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    slots: Slots,
    refused: Arc<AtomicU64>,
}

impl Usage {
    /// Open connections; the next one has its place already.
    pub(crate) fn open(&self) -> usize {
        self.slots.taken().saturating_sub(1)
    }

    pub(crate) fn most(&self) -> usize {
        self.slots.most()
    }

    /// Those refused because their client had too many.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// What one connection occupies until it ends.
struct Held {
    _slot: Slot,
    _place: Option<Place>,
}

impl Connections {
    pub(crate) fn new(most: usize, front: Front) -> Self {
        Self {
            front,
            usage: Usage { slots: Slots::new(most), refused: Arc::default() },
            clients: Arc::default(),
            graceful: GracefulShutdown::new(),
            stopping: Stopping::default(),
            refused: Refusals::new(|number, peer| {
                tracing::warn!(number, peer, "connections refused: this client has too many");
            }),
            failed: Refusals::new(|number, error| {
                tracing::error!(number, error, "connections could not be accepted");
            }),
        }
    }

    /// What can be replaced while they are open.
    pub(crate) const fn front(&self) -> &Front {
        &self.front
    }

    /// How many there may be, which can change while they are open.
    pub(crate) const fn slots(&self) -> &Slots {
        &self.usage.slots
    }

    /// How many there are, to be looked at from elsewhere.
    pub(crate) const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Accepts connections for ever. When too many are open, new ones wait in the system's queue.
    pub(crate) async fn accept(&self, listener: &Listener) {
        loop {
            let Some(slot) = self.usage.slots.take().await else { return };
            match listener.accept().await {
                Ok(stream) => self.admit(stream, slot),
                Err(error) if is_one_connections(&error) => {}
                Err(error) => {
                    self.failed.note(&error.to_string());
                    rest().await;
                }
            }
        }
    }

    fn admit(&self, stream: Stream, slot: Slot) {
        // Behind a Unix socket is a proxy, whose connections are those of many clients.
        let (peer, place) = match &stream {
            Stream::Tcp(_, peer) => (*peer, self.place(peer.ip())),
            Stream::Unix(_) => (THIS_MACHINE, Ok(None)),
        };
        let Ok(place) = place else {
            self.usage.refused.fetch_add(1, Ordering::Relaxed);
            return self.refused.note(&peer.ip().to_string());
        };
        let held = Held { _slot: slot, _place: place };
        let served = Served { peer, front: self.front.clone(), watcher: self.graceful.watcher(), held };
        match stream {
            Stream::Tcp(stream, _) => drop(tokio::spawn(served.on(stream, self.stopping.clone()))),
            Stream::Unix(stream) => drop(tokio::spawn(served.on(stream, self.stopping.clone()))),
        }
    }

    fn place(&self, ip: IpAddr) -> Result<Option<Place>, TooMany> {
        let rules = self.front.rules();
        if rules.uncounted.iter().any(|network| network.contains(ip)) {
            return Ok(None);
        }
        Place::take(&self.clients, ip, rules.most_per_client).map(Some)
    }

    /// Lets open requests end; idle connections end immediately, and those whose clients read nothing soon after. Waits
    /// no longer than `limit`.
    pub(crate) async fn drain(self, limit: Duration) {
        self.stopping.begin();
        if tokio::time::timeout(limit, self.graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end within {} s and are cut off", limit.as_secs());
        }
    }
}

/// The state needed to serve one connection.
struct Served {
    peer: SocketAddr,
    front: Front,
    watcher: Watcher,
    held: Held,
}

impl Served {
    async fn on<S>(self, stream: S, stopping: Stopping)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { peer, front, watcher, held } = self;
        let (stream, timer) = watched(stream, &stopping);
        let answer = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            Caller::of(request.headers()).waits_for(front.router().oneshot(request))
        });
        let connection = http1::Builder::new()
            .timer(timer)
            .header_read_timeout(HEAD)
            .max_headers(HEADERS_MAX)
            .max_header_size(HEAD_OCTETS_MAX)
            .max_buf_size(BUFFER_OCTETS_MAX)
            .serve_connection(TokioIo::new(stream), answer);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(held);
    }
}

/// Whether the error is about the connection being accepted, and does not affect the next.
fn is_one_connections(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput)
}

#[expect(clippy::disallowed_methods, reason = "a pause of the accept loop, which has nothing to wait for")]
async fn rest() {
    tokio::time::sleep(REST).await;
}

/// The number of connections of each client.
type Clients = Mutex<HashMap<IpAddr, usize>>;

/// The client already has as many connections as it may.
#[derive(Debug, PartialEq, Eq)]
struct TooMany;

/// The place of one connection of a client.
struct Place {
    clients: Arc<Clients>,
    client: IpAddr,
}

impl Place {
    fn take(clients: &Arc<Clients>, ip: IpAddr, most: usize) -> Result<Self, TooMany> {
        let client = prefix(ip);
        let mut counts = clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_insert(0);
        if *count >= most {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Self { clients: Arc::clone(clients), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

/// For IPv6, a client is a whole /64.
fn prefix(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & (u128::MAX << 64)).into()),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clients_do_not_fill_all_places() {
        assert_eq!(
            [share(1000, 10_000), share(1000, 768), share(50, 768), share(1000, 4)],
            [1000, 76, 50, 1]
        );
    }

    #[test]
    fn a_client_gets_its_places_and_no_more_and_gives_them_back() {
        let clients = Arc::default();
        let take = |ip: &str| Place::take(&clients, ip.parse().unwrap(), 2);
        let first = take("2001:db8::1").unwrap();
        let second = take("2001:db8::2").unwrap();
        assert!(take("2001:db8:0:0:ffff::").is_err());
        let other = take("::ffff:10.0.0.1").unwrap();
        drop(first);
        let third = take("2001:db8::3").unwrap();
        drop((second, third, other));
        assert!(clients.lock().unwrap().is_empty());
    }
}
