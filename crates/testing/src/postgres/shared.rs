//! The cluster shared by all test processes of this working copy.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use super::cluster::short_temp_dir;
use super::database::TestDatabase;
use super::program::{Program, own_user};
use super::server::Server;
use crate::runtime::off_runtime;

/// A fresh, empty database on the shared cluster, dropped with the returned value.
///
/// # Panics
/// If PostgreSQL 14 or newer is not installed or does not start.
pub fn database() -> TestDatabase {
    off_runtime(|| TestDatabase::create(server()))
}

/// A copy of the database that `prepare` fills, given its URL: once for all tests of a program.
///
/// # Panics
/// As for [`database`], or if `prepare` does.
pub fn database_like(prepare: impl FnOnce(&str) + Send) -> TestDatabase {
    off_runtime(|| TestDatabase::create_like(server(), prepare))
}

/// The same as [`database`], but with the encoding LATIN1.
///
/// # Panics
/// As for [`database`].
pub fn latin1_database() -> TestDatabase {
    off_runtime(|| TestDatabase::create_in_latin1(server()))
}

/// Stops the shared cluster, if it is running, and removes its files.
///
/// # Panics
/// If the lock file cannot be opened.
pub fn stop_shared() {
    Base::of_workspace().stop();
}

/// The server used by this process, found or started at the first call.
pub(crate) fn server() -> Arc<Server> {
    static SERVER: OnceLock<Arc<Server>> = OnceLock::new();
    let open = || match env::var("VESTIBULE_TEST_POSTGRES_URL") {
        Ok(url) => Server::at_url(&url),
        Err(_) => Base::of_workspace().server(),
    };
    Arc::clone(SERVER.get_or_init(|| Arc::new(open())))
}

/// How the shared server is watched: see `shared.sh`.
struct Watch {
    look_every_seconds: u32,
    idle_minutes: u32,
}

/// A folder with a lock, the clusters started in it, and a file that names the current one.
///
/// Each start gets a folder of its own, so a server that is shutting down cannot disturb the next one.
pub(crate) struct Base {
    folder: PathBuf,
    watch: Watch,
}

impl Base {
    pub(crate) fn of_workspace() -> Self {
        let chosen = env::var_os("VESTIBULE_TEST_POSTGRES_DIR").map(PathBuf::from);
        let folder = chosen.unwrap_or_else(|| {
            let mut hasher = DefaultHasher::new();
            env!("CARGO_MANIFEST_DIR").hash(&mut hasher);
            short_temp_dir().join(format!("vestibule-pg-{}-{:08x}", own_user(), hasher.finish() >> 32))
        });
        Self { folder, watch: Watch { look_every_seconds: 10, idle_minutes: 10 } }
    }

    /// Holding the lock: the current server if it answers, otherwise a new one.
    pub(crate) fn server(&self) -> Server {
        self.make_folder();
        let _lock = self.lock();
        if let Some(current) = self.current() {
            // Before checking the server: from now on its watcher leaves it running.
            let wanted = touch(&current.join("used"));
            let server = Server::in_folder(&current);
            if wanted && server.is_up() {
                return server;
            }
            // Its watcher, if there still is one, stops a server without its folder.
            let _ = fs::remove_dir_all(&current);
        }
        self.launch()
    }

    fn make_folder(&self) {
        let path = self.folder.display();
        if let Err(error) = DirBuilder::new().mode(0o700).create(&self.folder) {
            let known = error.kind() == ErrorKind::AlreadyExists;
            assert!(known, "cannot make {path}: {error}");
        }
    }

    fn launch(&self) -> Server {
        let program = Program::find();
        // The name is predictable and the location public: do not start a server in a folder created by someone else.
        let found = fs::symlink_metadata(&self.folder).expect("the folder was just made");
        let ours = found.is_dir() && [own_user(), program.owner()].contains(&found.uid());
        assert!(ours, "{} belongs to somebody else", self.folder.display());
        program.hand_over(&self.folder);
        let name = format!("{:08x}", RandomState::new().hash_one(0) >> 32);
        let folder = self.folder.join(&name);
        // The server trusts everyone who reaches its socket, so nobody else may.
        DirBuilder::new().mode(0o700).create(&folder).expect("a new name is free");
        program.init(&folder);
        self.run_watched(&program, &folder);
        let server = Server::in_folder(&folder);
        server.wait(&folder.join("log"));
        fs::write(self.folder.join("current"), name).expect("the folder can be written");
        server
    }

    /// The outer shell ends immediately; the inner one stays and watches, independent of any test.
    fn run_watched(&self, program: &Program, folder: &Path) {
        let script = folder.join("watch.sh");
        fs::write(&script, include_str!("shared.sh")).expect("the cluster's folder can be written");
        File::create(folder.join("used")).expect("the cluster's folder can be written");
        let output = File::create(folder.join("log")).expect("the cluster's folder can be written");
        let errors = output.try_clone().expect("a file can be opened twice");
        let Watch { look_every_seconds, idle_minutes } = &self.watch;
        let mut command = program.as_server(Path::new("/bin/sh"));
        command.args(["-c", r#"/bin/sh "$@" &"#, "outer"]).arg(script).arg(&program.bin).arg(folder);
        command.arg(look_every_seconds.to_string()).arg(idle_minutes.to_string());
        let status = command.stdout(output).stderr(errors).status();
        assert!(status.is_ok_and(|status| status.success()), "/bin/sh cannot be run");
    }

    /// Stops the current server immediately and waits until its files are gone.
    pub(crate) fn stop(&self) {
        if !self.folder.exists() {
            return;
        }
        let _lock = self.lock();
        let Some(current) = self.current() else { return };
        let _ = fs::remove_file(self.folder.join("current"));
        let mut command = Program::find().command("pg_ctl");
        command.args(["stop", "--silent", "--mode=immediate", "--pgdata"]).arg(current.join("data"));
        let _ = command.output();
        // The watcher cleans up, but only when it next checks.
        let deadline = Instant::now() + Duration::from_secs(5);
        while current.exists() && fs::remove_dir_all(&current).is_err() && Instant::now() < deadline {
            sleep(Duration::from_millis(50));
        }
    }

    fn current(&self) -> Option<PathBuf> {
        let name = fs::read_to_string(self.folder.join("current")).ok()?;
        Some(self.folder.join(name.trim())).filter(|folder| folder.is_dir())
    }

    /// The lock, until the value is dropped.
    fn lock(&self) -> File {
        let path = self.folder.join("lock");
        let file = File::options().create(true).append(true).open(&path);
        let file = file.unwrap_or_else(|e| panic!("cannot open {}: {e}", path.display()));
        file.lock().unwrap_or_else(|e| panic!("cannot lock {}: {e}", path.display()));
        file
    }
}

/// `false`: the file does not exist, so its cluster was given up.
fn touch(path: &Path) -> bool {
    File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(path: &Path) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while path.exists() && Instant::now() < deadline {
            sleep(Duration::from_millis(50));
        }
        !path.exists()
    }

    #[test]
    fn an_idle_cluster_goes_away_and_the_next_user_gets_a_new_one() {
        let folder = tempfile::Builder::new().prefix("vestibule-pg-").tempdir_in(short_temp_dir()).unwrap();
        let base = Base {
            folder: folder.path().to_owned(),
            watch: Watch { look_every_seconds: 1, idle_minutes: 10 },
        };
        let server = base.server();
        let first = base.current().unwrap();
        let long_ago = SystemTime::now() - Duration::from_mins(11);
        File::options().append(true).open(first.join("used")).unwrap().set_modified(long_ago).unwrap();
        sleep(Duration::from_millis(2500));
        assert!(server.is_up(), "a connected client keeps it");
        server.hang_up();
        assert!(gone(&first), "nobody is connected");

        assert!(base.server().is_up());
        let second = base.current().unwrap();
        assert_ne!(first, second);
        base.stop();
        assert!(gone(&second));
    }
}
