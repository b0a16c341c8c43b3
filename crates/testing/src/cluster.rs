//! A server of one's own, for tests of what happens when the database goes away.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use crate::database::TestDatabase;
use crate::off_runtime;
use crate::program::Program;
use crate::server::Server;

/// A private cluster. Its URLs stay the same across restarts; it stops, and its files go, when the value is dropped or
/// its process dies.
pub struct Cluster {
    program: Program,
    server: Arc<Server>,
    running: Option<Child>,
    folder: TempDir,
}

impl Cluster {
    /// Makes and starts a cluster; takes a second or two.
    ///
    /// # Panics
    /// When PostgreSQL 14 or newer is not installed or does not start.
    pub fn start_private() -> Self {
        let program = Program::find();
        let folder = tempfile::Builder::new().prefix("vestibule-pg-").tempdir_in(short_temp_dir());
        let folder = folder.expect("a folder in /tmp can be made");
        program.init(folder.path());
        let server = Arc::new(Server::in_folder(folder.path()));
        let mut cluster = Self { program, server, running: None, folder };
        cluster.start();
        cluster
    }

    /// A fresh, empty database on this cluster.
    ///
    /// # Panics
    /// When the cluster is stopped.
    pub fn database(&self) -> TestDatabase {
        off_runtime(|| TestDatabase::create(Arc::clone(&self.server)))
    }

    /// Starts the server again; does nothing while it runs.
    ///
    /// # Panics
    /// When it does not start; the message holds its log.
    pub fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        let log = self.folder.path().join("log");
        let output = File::options().create(true).append(true).open(&log).expect("the log can be written");
        let errors = output.try_clone().expect("a file can be opened twice");
        let mut command = self.program.as_server(Path::new("/bin/sh"));
        command
            .args(["-c", include_str!("private.sh"), "private.sh"])
            .arg(&self.program.bin)
            .arg(self.folder.path());
        let child = command.stdin(Stdio::piped()).stdout(output).stderr(errors).spawn();
        self.running = Some(child.expect("/bin/sh can be run"));
        off_runtime(|| self.server.wait(&log));
    }

    /// An orderly stop: open connections end with SQLSTATE 57P01, the data stays.
    ///
    /// # Panics
    /// When the server does not stop within a minute.
    pub fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        off_runtime(|| self.server.hang_up());
        let mut command = self.program.command("pg_ctl");
        command.args(["stop", "--silent", "--mode=fast", "--pgdata"]).arg(self.folder.path().join("data"));
        let stopped = command.status().is_ok_and(|status| status.success());
        let _ = child.wait();
        assert!(stopped, "PostgreSQL did not stop");
    }

    /// A crash: every process of the server ends at once, without a word to its clients or its data files. The next
    /// start recovers from the log.
    pub fn kill(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        off_runtime(|| self.server.hang_up());
        // Waiting closes the pipe that keeps the server alive.
        let _ = child.wait();
    }

    /// [`Self::stop`], then [`Self::start`].
    ///
    /// # Panics
    /// As these do.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Not `TMPDIR`: it may be long, and the path of a socket may have 107 bytes.
pub(crate) fn short_temp_dir() -> &'static Path {
    Path::new("/tmp")
}
