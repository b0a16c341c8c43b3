//! The database of one test.

use std::env;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, RandomState};
use std::process;
use std::sync::Arc;

use postgres::SimpleQueryMessage;
use postgres::config::Host;

use super::server::Server;
use crate::runtime::off_runtime;

/// An empty database for one test. Dropping the value drops the database, with its open connections.
pub struct TestDatabase {
    server: Arc<Server>,
    name: String,
    url: String,
}

impl TestDatabase {
    /// Call it [`off_runtime`].
    pub(crate) fn create(server: Arc<Server>) -> Self {
        Self::create_with(server, "template0", |_| "")
    }

    /// Call it [`off_runtime`].
    pub(crate) fn create_like(server: Arc<Server>, prepare: impl FnOnce(&str)) -> Self {
        let template = prepared(&server, prepare);
        Self::create_with(server, &template, |_| "")
    }

    /// Call it [`off_runtime`].
    pub(crate) fn create_in_latin1(server: Arc<Server>) -> Self {
        Self::create_with(server, "template0", |version| {
            // The cluster sorts by ICU where possible, but ICU does not support this encoding.
            if version >= 150_000 {
                " ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc"
            } else {
                " ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
            }
        })
    }

    fn create_with(server: Arc<Server>, template: &str, options: impl Fn(i32) -> &'static str) -> Self {
        // A random number as well as the process id: a killed test leaves its database behind, and process ids are
        // reused.
        let name = format!("test_{}_{:016x}", process::id(), RandomState::new().hash_one(0));
        let created = server.admin(|client| {
            let version: i32 =
                client.query_one("SELECT current_setting('server_version_num')::int", &[])?.get(0);
            // Copying through the log needs no checkpoint, so it is faster for an empty database.
            let strategy = if version >= 150_000 { " STRATEGY = wal_log" } else { "" };
            let options = options(version);
            client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}{strategy}{options}"))
        });
        created.unwrap_or_else(|e| panic!("cannot create a test database: {e:?}"));
        let url = server.url(&name);
        Self { server, name, url }
    }

    /// An existing one, e.g. created by replication.
    pub(crate) fn existing(server: Arc<Server>, name: &str) -> Self {
        let url = server.url(name);
        Self { server, name: name.to_owned(), url }
    }

    /// `postgres://…`; the folder of the server's socket is the percent-encoded host.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of its server and the role, as poolers write them.
    pub(crate) fn conninfo(&self) -> String {
        let config = self.config();
        let host = match config.get_hosts().first() {
            Some(Host::Unix(folder)) => folder.display().to_string(),
            Some(Host::Tcp(name)) => name.clone(),
            None => "localhost".to_owned(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let password =
            config.get_password().map(|password| format!(" password={}", String::from_utf8_lossy(password)));
        let user = config.get_user().unwrap_or("vestibule");
        format!("host={host} port={port} user={user}{}", password.unwrap_or_default())
    }

    /// The driver's configuration for its server.
    pub(crate) fn config(&self) -> &postgres::Config {
        self.server.config()
    }

    /// The URL for a role that owns this database and may have no more than this number of connections.
    ///
    /// # Panics
    /// If the role cannot be created.
    pub fn url_with_few_connections(&self, number: u32) -> String {
        let name = &self.name;
        self.execute(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'few' CONNECTION LIMIT {number}; ALTER DATABASE {name} OWNER TO {name}; \
             GRANT ALL ON SCHEMA public TO {name}"
        ));
        let (scheme, rest) = self.url.split_once("://").expect("it is a URL");
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        format!("{scheme}://{name}:few@{place}")
    }

    /// Waits until no client with this application name is connected to this database.
    ///
    /// # Panics
    /// If one still is after a minute.
    pub fn wait_until_left(&self, application: &str) {
        let (name, patience) = (&self.name, 600);
        let connected = format!(
            "SELECT pg_sleep(0.1) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = '{application}' \
             LIMIT 1"
        );
        let left = (0..patience).any(|_| self.rows(&connected).is_empty());
        assert!(left, "{application} is still connected");
    }

    /// Runs statements, separated by semicolons, on a new connection.
    ///
    /// # Panics
    /// If one fails.
    pub fn execute(&self, sql: &str) {
        self.rows(sql);
    }

    /// The rows of a query on a new connection, each value as text, `None` for NULL.
    ///
    /// # Panics
    /// If the query fails.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let messages = off_runtime(|| self.server.connect(&self.name)?.simple_query(sql));
        let messages = messages.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => {
                    Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
                }
                _ => None,
            })
            .collect()
    }
}

/// The name of the database that this program has prepared as a template. Of all its processes the first prepares it.
fn prepared(server: &Server, prepare: impl FnOnce(&str)) -> String {
    let program = env::current_exe().expect("a test is a program");
    let built = program.metadata().and_then(|file| file.modified()).expect("it is a file");
    let name =
        format!("prepared_{:016x}", BuildHasherDefault::<DefaultHasher>::new().hash_one((program, built)));
    let made = server.admin(|client| {
        let is_there = "SELECT FROM pg_database WHERE datname = $1";
        if client.query_opt(is_there, &[&name])?.is_some() {
            return Ok(());
        }
        client.batch_execute("SELECT pg_advisory_lock(20260101)")?;
        if client.query_opt(is_there, &[&name])?.is_none() {
            // Named at the end: what a killed test has left half prepared is no template.
            let unfinished = format!("un{name}");
            client.batch_execute(&format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"))?;
            client.batch_execute(&format!("CREATE DATABASE {unfinished} TEMPLATE template0"))?;
            prepare(&server.url(&unfinished));
            client.batch_execute(&format!("ALTER DATABASE {unfinished} RENAME TO {name}"))?;
        }
        client.batch_execute("SELECT pg_advisory_unlock(20260101)")
    });
    made.unwrap_or_else(|e| panic!("cannot prepare a test database: {e:?}"));
    name
}

impl Drop for TestDatabase {
    /// Best effort: the server may be gone, and the cluster's files do not outlive it.
    fn drop(&mut self) {
        let name = &self.name;
        for sql in
            [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("DROP ROLE IF EXISTS {name}")]
        {
            let _ = off_runtime(|| self.server.admin(|client| client.batch_execute(&sql)));
        }
    }
}
