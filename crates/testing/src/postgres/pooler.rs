//! A pooler between the program and its database: PgBouncer.

use std::fs;
use std::process::{Child, Stdio};

use tempfile::TempDir;

use super::cluster::short_temp_dir;
use super::database::TestDatabase;
use super::program::Program;
use crate::peers::system_program;
use crate::waiting::eventually;

/// A running PgBouncer. It ends when the value is dropped.
pub struct Pooler {
    child: Child,
    folder: TempDir,
}

impl Pooler {
    /// Starts one in this pool mode: `session` or `transaction`.
    ///
    /// # Panics
    /// If PgBouncer is not installed or does not start.
    pub fn start(database: &TestDatabase, mode: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("vestibule-pool-").tempdir_in(short_temp_dir());
        let folder = folder.expect("a folder in /tmp can be made");
        let place = folder.path().display();
        let config = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = {}\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {place}\nlisten_port = 6432\n\
             auth_type = any\npool_mode = {mode}\nlogfile = {place}/log\n",
            database.conninfo()
        );
        fs::write(&config, text).expect("the folder was just made");
        let program = Program::find();
        program.hand_over(folder.path());
        let path = system_program("/usr/sbin/pgbouncer").get_program().to_owned();
        let mut command = program.as_server(path.as_ref());
        let child = command.arg("--quiet").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let pooler = Self { child: child.expect("PgBouncer can be run"), folder };
        let socket = pooler.folder.path().join(".s.PGSQL.6432");
        eventually("PgBouncer listens", || socket.exists().then_some(()));
        pooler
    }

    /// The URL of the database through the pooler.
    pub fn url(&self, database: &TestDatabase) -> String {
        let folder = self.folder.path().display().to_string();
        format!("postgres://vestibule@/{}?host={folder}&port=6432", database.name())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
