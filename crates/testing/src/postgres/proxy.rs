//! A connection to a database that can fall silent, like a host without power or network: nothing answers, and no
//! connection is closed.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use postgres::config::Host;

use super::database::TestDatabase;

/// A local port that leads to a test's database. It closes when the value is dropped.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    mood: Mutex<Mood>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Speaking,
    Silent,
    Ended,
}

impl State {
    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
        self.changed.notify_all();
    }

    /// Waits while it is silent. `false`: it has ended.
    fn speaks(&self) -> bool {
        let mood = self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(mood, |mood| *mood == Mood::Silent);
        *waited.unwrap_or_else(PoisonError::into_inner) == Mood::Speaking
    }
}

/// The two directions of a socket.
trait Stream: Read + Write + Send + Sized + 'static {
    fn another(&self) -> Self;
    fn close(&self);
}

impl Proxy {
    /// # Panics
    /// If no port is free.
    pub fn before(database: &TestDatabase) -> Self {
        let target = Target::of(database);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if *shared.mood.lock().unwrap_or_else(PoisonError::into_inner) == Mood::Ended {
                    break;
                }
                let (target, state) = (target.clone(), Arc::clone(&shared));
                thread::spawn(move || {
                    // The database must not wait for a client that says nothing.
                    if state.speaks() {
                        target.serve(client, &state);
                    }
                });
            }
        });
        Self { address, state }
    }

    /// From now on nothing is forwarded in either direction, and no connection ends.
    pub fn fall_silent(&self) {
        self.state.is(Mood::Silent);
    }

    /// Forwards what was waiting.
    pub fn speak_again(&self) {
        self.state.is(Mood::Speaking);
    }

    /// A URL of the database with these proxies as its hosts, in this order.
    pub fn url(database: &TestDatabase, proxies: &[&Self]) -> String {
        let hosts: Vec<_> = proxies.iter().map(|proxy| proxy.address.to_string()).collect();
        let config = database.config();
        let user = config.get_user().unwrap_or("postgres");
        let password =
            config.get_password().map(|password| format!(":{}", String::from_utf8_lossy(password)));
        format!(
            "postgres://{user}{}@{}/{}?sslmode=disable",
            password.unwrap_or_default(),
            hosts.join(","),
            database.name()
        )
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.is(Mood::Ended);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

/// The address of the database.
#[derive(Clone)]
enum Target {
    Unix(PathBuf),
    Tcp(String, u16),
}

impl Target {
    fn of(database: &TestDatabase) -> Self {
        let config = database.config();
        let port = config.get_ports().first().copied().unwrap_or(5432);
        match config.get_hosts().first() {
            Some(Host::Unix(folder)) => Self::Unix(folder.join(format!(".s.PGSQL.{port}"))),
            Some(Host::Tcp(name)) => Self::Tcp(name.clone(), port),
            None => panic!("the tests' PostgreSQL has no address"),
        }
    }

    fn serve(&self, client: TcpStream, state: &Arc<State>) {
        match self {
            Self::Unix(path) => {
                if let Ok(server) = UnixStream::connect(path) {
                    both_ways(client, server, state);
                }
            }
            Self::Tcp(host, port) => {
                if let Ok(server) = TcpStream::connect((host.as_str(), *port)) {
                    both_ways(client, server, state);
                }
            }
        }
    }
}

fn both_ways(client: TcpStream, server: impl Stream, state: &Arc<State>) {
    let (from_client, to_server) = (client.another(), server.another());
    let shared = Arc::clone(state);
    thread::spawn(move || pass_on(from_client, to_server, &shared));
    pass_on(server, client, state);
}

fn pass_on(mut from: impl Stream, mut to: impl Stream, state: &State) {
    let mut buffer = [0; 8192];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || !state.speaks() || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    from.close();
    to.close();
}

impl Stream for TcpStream {
    fn another(&self) -> Self {
        self.try_clone().expect("a socket has two ends")
    }

    fn close(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Stream for UnixStream {
    fn another(&self) -> Self {
        self.try_clone().expect("a socket has two ends")
    }

    fn close(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}
