//! One test's database.

use std::hash::{BuildHasher, RandomState};
use std::process;
use std::sync::Arc;

use postgres::SimpleQueryMessage;

use crate::off_runtime;
use crate::server::Server;

/// An empty database of one's own. Dropping the value drops the database, with its open connections.
pub struct TestDatabase {
    server: Arc<Server>,
    name: String,
    url: String,
}

impl TestDatabase {
    /// Call it [`off_runtime`].
    pub(crate) fn create(server: Arc<Server>) -> Self {
        // Random as well as numbered by process: a killed test leaves its database behind, and process ids return.
        let name = format!("test_{}_{:016x}", process::id(), RandomState::new().hash_one(0));
        let created = server.admin(|client| {
            let version: i32 =
                client.query_one("SELECT current_setting('server_version_num')::int", &[])?.get(0);
            // Copying through the log needs no checkpoint, so it is the quicker way for an empty database.
            let strategy = if version >= 150_000 { " STRATEGY = wal_log" } else { "" };
            client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0{strategy}"))
        });
        created.unwrap_or_else(|e| panic!("cannot create a test database: {e:?}"));
        let url = server.url(&name);
        Self { server, name, url }
    }

    /// `postgres://…`; the folder of the server's socket is the percent-encoded host.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements, separated by semicolons, on a new connection.
    ///
    /// # Panics
    /// When one fails.
    pub fn execute(&self, sql: &str) {
        self.rows(sql);
    }

    /// The rows of a query, each value as text, `None` for NULL; from a new connection.
    ///
    /// # Panics
    /// When the query fails.
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

impl Drop for TestDatabase {
    /// Best effort: the server may be gone, and the cluster's files do not outlive it.
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = off_runtime(|| self.server.admin(|client| client.batch_execute(&sql)));
    }
}
