//! The program under test: its folder, its environment, its processes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use vestibule_testing::TestDatabase;

use crate::http::{Answer, Client};

/// How long anything here may take; generous, because tests share two cores with compilers.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// 32 bytes without a pattern.
pub(crate) const SECRET_KEY: &str = "8f0b2c1d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// The password of everybody who needs none of their own.
pub(crate) const PASSWORD: &str = "violet-otter-maps-42";

/// A folder to run the program in, and the database it uses.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    postgres: Option<TestDatabase>,
}

/// Runs a story once on each database.
pub(crate) fn on_both_databases(story: impl Fn(&Site)) {
    story(&Site::sqlite());
    story(&Site::postgres());
}

impl Site {
    pub(crate) fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), postgres: None }
    }

    pub(crate) fn postgres() -> Self {
        Self::on(vestibule_testing::database())
    }

    pub(crate) fn on(database: TestDatabase) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), postgres: Some(database) }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with these arguments, in a clean environment that names the database.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some(database) = &self.postgres {
            command.env("VESTIBULE_DATABASE_URL", database.url());
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        Finished::from(self.command(arguments).output().unwrap())
    }

    /// Runs a command with this text on its standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        let piped = |command: &mut Command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let mut child = piped(&mut self.command(arguments));
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Finished::from(child.wait_with_output().unwrap())
    }

    /// Serves as in production, with mail that goes to this relay.
    pub(crate) fn serve_with_relay(&self, mail_url: &str, environment: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("VESTIBULE_MAIL_URL", mail_url).env("VESTIBULE_MAIL_FROM", "no-reply@example.net");
        command.env("VESTIBULE_SECRET_KEY", SECRET_KEY).env("VESTIBULE_LOG_FORMAT", "json");
        Server::start({
            command.envs(environment.iter().copied());
            command
        })
    }

    /// A user with [`PASSWORD`], made by a command with these further arguments; the id. A server has started before:
    /// in development mode it makes the secret key.
    pub(crate) fn has_user(&self, email: &str, more: &[&str]) -> String {
        let create = ["user", "create", "--json", "--password-stdin", "--email", email];
        let made = self.run_with_input(&[&create, more].concat(), &format!("{PASSWORD}\n")).ok();
        made.json()[0]["id"].as_str().unwrap().to_owned()
    }

    /// Serves in development mode on a free port.
    pub(crate) fn serve(&self) -> Server {
        Server::start(self.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]))
    }

    /// The same for one client that does a lot: without the limits per client.
    pub(crate) fn serve_without_limits(&self) -> Server {
        let mut command = self.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
        command.env("VESTIBULE_LIMITS_ENABLED", "false");
        Server::start(command)
    }
}

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Finished {
    /// Fails the test unless the command succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Fails the test unless the command ended with `code` and said `words`.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.contains(words), "{words:?} is missing in: {}", self.stderr);
        self
    }

    /// The lines of standard output, each a JSON object of schema version 1.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        let values: Vec<Value> =
            self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(values.iter().all(|value| value["schema_version"] == 1), "{values:?}");
        values
    }
}

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    banner: mpsc::Receiver<String>,
    log: mpsc::Receiver<String>,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = lines(child.stderr.take().unwrap());
        let banner = lines(child.stdout.take().unwrap());
        let mut said = Vec::new();
        let address = loop {
            let Ok(line) = log.recv_timeout(PATIENCE) else { panic!("the server did not start: {said:?}") };
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            if event["message"] == "listening" {
                break event["address"].as_str().unwrap().to_owned();
            }
            said.push(line);
        };
        Self { child, address, banner, log }
    }

    pub(crate) fn http(&self) -> Client {
        Client::new(&self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.http().get(path, None)
    }

    /// The first line of standard output with `words`.
    pub(crate) fn says(&self, words: &str) -> String {
        std::iter::from_fn(|| self.banner.recv_timeout(PATIENCE).ok())
            .find(|line| line.contains(words))
            .expect(words)
    }

    /// Waits for a line of the log with `words`.
    pub(crate) fn logs(&self, words: &str) -> String {
        std::iter::from_fn(|| self.log.recv_timeout(PATIENCE).ok())
            .find(|line| line.contains(words))
            .expect(words)
    }

    /// What it has logged since it listens.
    pub(crate) fn logged(&self) -> Vec<String> {
        self.log.try_iter().collect()
    }

    /// Sends a signal, e.g. `-TERM`.
    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits for the process to end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        eventually("the server ends", || self.child.try_wait().unwrap())
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stream's lines, read on a thread of its own, so that the process never waits for its reader.
#[expect(clippy::disallowed_methods, reason = "a test reads from a process")]
pub(crate) fn lines(stream: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

/// Asks again and again until there is an answer: another process changes at its own time.
#[expect(clippy::disallowed_methods, reason = "a test waits for another process")]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + PATIENCE;
    while std::time::Instant::now() < deadline {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not within {} s: {what}", PATIENCE.as_secs());
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
