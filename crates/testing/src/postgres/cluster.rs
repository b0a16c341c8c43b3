//! A separate server, for tests of what happens when the database goes away.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::database::TestDatabase;
use super::program::Program;
use super::server::Server;
use crate::runtime::off_runtime;

/// A private cluster. Its URLs stay the same across restarts; it stops, and its files are deleted, when the value is
/// dropped or its process dies.
pub struct Cluster {
    program: Program,
    server: Arc<Server>,
    running: Option<Child>,
    folder: TempDir,
}

impl Cluster {
    /// Creates and starts a cluster; takes a second or two.
    ///
    /// # Panics
    /// If PostgreSQL 14 or newer is not installed or does not start.
    pub fn start_private() -> Self {
        Self::start_in(short_temp_dir(), "")
    }

    /// The same with the database in `/tmp`, on a disk as a rule, where every commit is synced as in production: for
    /// benchmarks.
    ///
    /// # Panics
    /// As for [`Self::start_private`].
    pub fn start_durable() -> Self {
        let durable = "fsync = on\nfull_page_writes = on\nshared_buffers = 512MB\nmax_wal_size = 4GB\n";
        let counting = if Program::find().counts_statements() {
            "shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track = 'none'\n"
        } else {
            ""
        };
        Self::start_in(Path::new("/tmp"), &[durable, counting].concat())
    }

    /// Whether [`Self::start_durable`] starts a server with `pg_stat_statements`, which then tracks nothing yet.
    pub fn counts_statements(&self) -> bool {
        self.program.counts_statements()
    }

    /// With these lines added to its configuration.
    fn start_in(parent: &Path, more: &str) -> Self {
        let program = Program::find();
        let folder = tempfile::Builder::new().prefix("vestibule-pg-").tempdir_in(parent);
        let folder = folder.expect("a folder in /tmp can be made");
        program.init(folder.path());
        let mut settings = File::options().append(true).open(folder.path().join("data/postgresql.conf"));
        let written = settings.as_mut().map(|file| file.write_all(more.as_bytes()));
        assert!(matches!(written, Ok(Ok(()))), "the settings can be written");
        let server = Arc::new(Server::in_folder(folder.path()));
        let mut cluster = Self { program, server, running: None, folder };
        cluster.start();
        cluster
    }

    /// A standby of this cluster, which from now on waits for it with each commit: nothing acknowledged is lost when
    /// the standby takes over.
    ///
    /// # Panics
    /// If it cannot be created.
    #[must_use]
    pub fn standby(&mut self) -> Self {
        for setting in ["wal_level = replica", "max_wal_senders = 4", "hot_standby = on"] {
            self.execute(&format!("ALTER SYSTEM SET {setting}"));
        }
        self.restart();
        let folder = tempfile::Builder::new().prefix("vestibule-pg-").tempdir_in(short_temp_dir());
        let folder = folder.expect("a folder in /tmp can be made");
        self.program.hand_over(folder.path());
        let data = folder.path().join("data");
        let mut copy = self.program.command("pg_basebackup");
        copy.args([
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
            "--username=vestibule",
            "--host",
        ]);
        let output =
            copy.arg(self.folder()).arg("--pgdata").arg(&data).output().expect("pg_basebackup can be run");
        assert!(output.status.success(), "no copy: {}", String::from_utf8_lossy(&output.stderr));
        let own = format!("\nunix_socket_directories = '{}'\n", folder.path().display());
        let mut settings = File::options().append(true).open(data.join("postgresql.auto.conf"));
        let written = settings.as_mut().map(|file| file.write_all(own.as_bytes()));
        assert!(matches!(written, Ok(Ok(()))), "the copy's settings can be written");
        let server = Arc::new(Server::in_folder(folder.path()));
        let mut standby = Self { program: self.program.clone(), server, running: None, folder };
        standby.start();
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.execute("SELECT pg_reload_conf()");
        standby
    }

    /// Promotes a standby to a cluster of its own.
    ///
    /// # Panics
    /// If that takes more than a minute.
    pub fn promote(&self) {
        let mut command = self.program.command("pg_ctl");
        command.args(["promote", "--silent", "--wait", "--pgdata"]).arg(self.folder.path().join("data"));
        assert!(command.status().is_ok_and(|status| status.success()), "the standby was not promoted");
    }

    /// This cluster's copy of another cluster's database.
    pub fn copy_of(&self, database: &TestDatabase) -> TestDatabase {
        TestDatabase::existing(Arc::clone(&self.server), database.name())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// A fresh, empty database on this cluster.
    ///
    /// # Panics
    /// If the cluster is stopped.
    pub fn database(&self) -> TestDatabase {
        off_runtime(|| TestDatabase::create(Arc::clone(&self.server)))
    }

    /// Starts the server again; does nothing while it runs.
    ///
    /// # Panics
    /// If it does not start; the message contains its log.
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
    /// If the server does not stop within a minute.
    pub fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        off_runtime(|| self.server.hang_up());
        let mut command = self.program.command("pg_ctl");
        command.args(["stop", "--silent", "--mode=fast", "--pgdata"]).arg(self.folder.path().join("data"));
        let output = command.output().expect("pg_ctl can be run");
        let _ = child.wait();
        assert!(output.status.success(), "PostgreSQL did not stop: {output:?}");
    }

    /// A crash: every process of the server ends immediately, without notice to its clients or its data files. The next
    /// start recovers from the log.
    pub fn kill(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        off_runtime(|| self.server.hang_up());
        // Waiting closes the pipe that keeps the server alive.
        let _ = child.wait();
    }

    /// Ends all connections of others, as an administrator of the database may.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn end_connections(&self) {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name = 'vestibule'";
        self.execute(sql);
    }

    /// Runs statements as its administrator, outside the databases of tests.
    ///
    /// # Panics
    /// If one fails.
    pub fn execute(&self, sql: &str) {
        let done = off_runtime(|| self.server.admin(|client| client.batch_execute(sql)));
        done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// [`Self::stop`], then [`Self::start`].
    ///
    /// # Panics
    /// As for these.
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

/// Not `TMPDIR`, which may be long: the path of a socket has at most 107 bytes.
pub(crate) fn short_temp_dir() -> &'static Path {
    memory_dir().unwrap_or(Path::new("/tmp"))
}

/// A folder whose files are in memory, if it is large enough for all tests. Its size is asked, not its free space: every process
/// shall find the same.
pub fn memory_dir() -> Option<&'static Path> {
    const ENOUGH: u64 = 4 << 30;
    let folder = Path::new("/dev/shm");
    let size = rustix::fs::statvfs(folder).ok().map(|found| found.f_blocks * found.f_frsize)?;
    (size >= ENOUGH).then_some(folder)
}
