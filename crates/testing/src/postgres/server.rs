//! A running server: its address, and an administrative connection to it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::error::SqlState;
use postgres::{Client, Config, Error, NoTls};

/// How long a server may take to accept a connection.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Server {
    /// The URL before and after the database's name.
    url: (String, String),
    config: Config,
    /// Kept open: it saves one connection per database, and shows the cluster's watcher that the cluster is in use.
    admin: Mutex<Option<Client>>,
}

impl Server {
    /// The server with its socket in `folder`.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let host = percent_encoded(folder.to_str().expect("the folder's path is UTF-8"));
        Self::at_url(&format!("postgres://vestibule@{host}/postgres"))
    }

    /// A server named by a `postgres://` URL.
    pub(crate) fn at_url(url: &str) -> Self {
        let config = url.parse().unwrap_or_else(|e| panic!("not a PostgreSQL URL ({e}): {url}"));
        Self { url: split_at_name(url), config, admin: Mutex::new(None) }
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("{}{database}{}", self.url.0, self.url.1)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// A new connection to one database.
    pub(crate) fn connect(&self, database: &str) -> Result<Client, Error> {
        self.config.clone().dbname(database).connect(NoTls)
    }

    /// Runs `work` on the administrative connection.
    pub(crate) fn admin<T>(&self, work: impl FnOnce(&mut Client) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        let open = slot.take().filter(|client| !client.is_closed());
        let mut client = open.map_or_else(|| self.config.connect(NoTls), Ok)?;
        let result = work(&mut client);
        *slot = Some(client);
        result
    }

    /// Waits for a server that is starting, recovering or full. `false`: nothing listens there.
    pub(crate) fn is_up(&self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.admin(|_| Ok(())) {
                Ok(()) => return true,
                Err(error) if is_temporary(&error) => sleep(Duration::from_millis(10)),
                Err(_) => return false,
            }
        }
        false
    }

    /// Waits for a server that was just launched and may not have created its socket yet.
    pub(crate) fn wait(&self, log: &Path) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_up() {
            let late = Instant::now() > deadline;
            assert!(
                !late,
                "PostgreSQL did not start; its log:\n{}",
                std::fs::read_to_string(log).unwrap_or_default()
            );
            sleep(Duration::from_millis(10));
        }
    }

    /// Closes the administrative connection.
    pub(crate) fn hang_up(&self) {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn is_temporary(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::CANNOT_CONNECT_NOW | &SqlState::TOO_MANY_CONNECTIONS))
}

/// `postgres://user@host/name?x=y` → `postgres://user@host/` and `?x=y`.
fn split_at_name(url: &str) -> (String, String) {
    let (address, options) = url.split_at(url.find('?').unwrap_or(url.len()));
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..].find('/').map_or(address.len(), |at| authority + at);
    (format!("{}/", &address[..end]), options.to_owned())
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("a String takes everything"),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_name_is_put_in_its_place() {
        for (given, expected) in [
            ("postgres://me:pw@db:5433/old?sslmode=disable", "postgres://me:pw@db:5433/new?sslmode=disable"),
            ("postgres://me@db", "postgres://me@db/new"),
            ("postgresql:///old?host=/run/sock&user=me", "postgresql:///new?host=/run/sock&user=me"),
        ] {
            assert_eq!(Server::at_url(given).url("new"), expected);
        }
    }

    #[test]
    fn a_socket_folder_is_a_host_the_driver_understands() {
        let url = Server::in_folder(Path::new("/tmp/a b/c")).url("x");
        assert_eq!(url, "postgres://vestibule@%2Ftmp%2Fa%20b%2Fc/x");
        let config: Config = url.parse().unwrap();
        assert_eq!(config.get_hosts(), [postgres::config::Host::Unix("/tmp/a b/c".into())]);
        assert_eq!(config.get_dbname(), Some("x"));
    }
}
