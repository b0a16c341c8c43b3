//! An environment to run the program in, as in production: a public URL, a relay, a secret key in a file, a database.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::instance::{Server, free_address};
use crate::postgres::database::TestDatabase;
use crate::postgres::shared::database;
use crate::relay::Relay;
use crate::waiting::eventually;

/// The URL that people use in production: a proxy with TLS is in front of the server.
pub const PUBLIC_URL: &str = "https://accounts.example.org";
/// 32 bytes without a pattern.
pub const SECRET_KEY: &str = "8f0b2c1d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// The password of users who need none of their own.
pub const PASSWORD: &str = "violet-otter-maps-42";
/// For a single client that does a lot: in production the limits per client cannot be switched off, but they may be
/// wide.
pub const WIDE_LIMITS: [(&str, &str); 4] = [
    ("VESTIBULE_LIMITS_SIGN_IN", "100000/1s"),
    ("VESTIBULE_LIMITS_CODES", "100000/1s,100000/1s"),
    ("VESTIBULE_LIMITS_MAILS", "100000/1s"),
    ("VESTIBULE_LIMITS_CONNECTIONS_PER_CLIENT", "10000"),
];

/// A folder to run the program in, its database, and the relay that receives its mail.
pub struct Site {
    program: PathBuf,
    folder: TempDir,
    postgres: Option<TestDatabase>,
    relay: Relay,
}

/// Runs a test on each database.
pub fn on_both_databases(story: impl Fn(&Site)) {
    story(&Site::sqlite());
    story(&Site::postgres());
}

impl Site {
    /// With a database file in the data folder.
    ///
    /// # Panics
    /// If the program was not built beside the running test, as it always is for the tests of its own package.
    pub fn sqlite() -> Self {
        Self::new(of_this_build(), None)
    }

    /// With a database of its own on the shared cluster.
    ///
    /// # Panics
    /// As for [`Self::sqlite`] and [`crate::database`].
    pub fn postgres() -> Self {
        Self::on(database())
    }

    /// With this database.
    ///
    /// # Panics
    /// As for [`Self::sqlite`].
    pub fn on(database: TestDatabase) -> Self {
        Self::new(of_this_build(), Some(database))
    }

    /// For this build of the program; without a database it creates a file.
    ///
    /// # Panics
    /// If no temporary folder can be created.
    pub fn new(program: PathBuf, database: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let site = Self { program, folder, postgres: database, relay: Relay::start() };
        if site.postgres.is_some() {
            write_private(&site.key_file(), SECRET_KEY);
        }
        site
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The relay of its servers, unless they use another one.
    pub const fn relay(&self) -> &Relay {
        &self.relay
    }

    /// Its database on PostgreSQL.
    ///
    /// # Panics
    /// If it has none.
    pub fn database(&self) -> &TestDatabase {
        self.postgres.as_ref().expect("a site on PostgreSQL")
    }

    /// The secret key shared by all instances on one PostgreSQL. For SQLite the first start creates one in the data
    /// folder.
    fn key_file(&self) -> PathBuf {
        self.path("shared-secret.key")
    }

    /// The program with these arguments and production settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_without_settings(arguments);
        command.env("VESTIBULE_PUBLIC_URL", PUBLIC_URL).env("VESTIBULE_MAIL_URL", self.relay.url());
        if self.postgres.is_some() {
            command.env("VESTIBULE_SECRET_KEY_FILE", self.key_file());
        }
        command
    }

    /// The program with these arguments, in a clean environment that only names the database.
    pub fn command_without_settings(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some(database) = &self.postgres {
            command.env("VESTIBULE_DATABASE_URL", database.url());
        }
        command
    }

    /// Runs an operator's command to its end.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(&mut self.command(arguments))
    }

    /// Runs a command with this text on its standard input.
    ///
    /// # Panics
    /// If it cannot be started, or does not read.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        let mut command = self.command(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program can be run");
        let given = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        given.expect("there is an input").expect("the program reads its input");
        Finished::from(child.wait_with_output().expect("the program ends"))
    }

    /// Creates a user with [`PASSWORD`], by a command with these further arguments; returns the id.
    ///
    /// # Panics
    /// If the command fails.
    pub fn has_user(&self, email: &str, more: &[&str]) -> String {
        let create = ["user", "create", "--json", "--password-stdin", "--email", email];
        let made = self.run_with_input(&[&create, more].concat(), &format!("{PASSWORD}\n")).ok();
        made.json()[0]["id"].as_str().expect("a user has an id").to_owned()
    }

    /// Starts a server on a free port.
    ///
    /// # Panics
    /// If the server does not start.
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// Starts a server with these settings added or replaced.
    ///
    /// # Panics
    /// If the server does not start.
    pub fn serve_with(&self, settings: &[(&str, &str)]) -> Server {
        self.start(self.serving(settings))
    }

    /// The command that [`Self::serve_with`] starts.
    pub fn serving(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = self.command(&["serve"]);
        command.env("VESTIBULE_LISTEN", "127.0.0.1:0").envs(settings.iter().copied());
        command
    }

    /// Starts a server whose public URL leads to itself, for programs that follow it.
    ///
    /// # Panics
    /// If the server does not start.
    pub fn serve_at_its_url(&self, settings: &[(&str, &str)]) -> Server {
        eventually("there is a port that nobody else took", || {
            // The URL is set before the server listens, so the port is chosen beforehand.
            let address = free_address();
            let url = format!("http://localhost:{}", address.port());
            let mut command = self.serving(settings);
            command.env("VESTIBULE_LISTEN", address.to_string()).env("VESTIBULE_PUBLIC_URL", url);
            command.env("VESTIBULE_MAIL_FROM", "no-reply@example.org");
            Server::start_unless_taken(command, self.relay.clone())
        })
    }

    /// Starts a server in development mode on a free port, for tests of that mode and of pages.
    ///
    /// # Panics
    /// If the server does not start.
    pub fn serve_for_development(&self, settings: &[(&str, &str)]) -> Server {
        self.start(self.serving_for_development(settings))
    }

    /// The command that [`Self::serve_for_development`] starts.
    pub fn serving_for_development(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = self.command_without_settings(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
        if self.postgres.is_some() {
            command.env("VESTIBULE_SECRET_KEY_FILE", self.key_file());
        }
        command.envs(settings.iter().copied());
        command
    }

    /// Starts a server with this command and waits until it listens.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&self, command: Command) -> Server {
        Server::start(command, self.relay.clone())
    }
}

/// Cargo puts the tests of a build into a folder beside its programs.
fn of_this_build() -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own program");
    let built = test.ancestors().nth(2).expect("a test lies in a folder of the build").join("vestibule");
    assert!(built.exists(), "{} is missing: run `cargo build --package=vestibule-server`", built.display());
    built
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// The permission bits of a file.
///
/// # Panics
/// If it does not exist.
pub fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o777
}

/// A finished command.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

#[expect(clippy::return_self_not_must_use, reason = "that the command ended so is often all that is asked")]
impl Finished {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn of(command: &mut Command) -> Self {
        Self::from(command.output().expect("the program can be run"))
    }

    /// Fails the test unless the command succeeded.
    ///
    /// # Panics
    /// Unless it did.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Fails the test unless the command ended with `code` and said `words`.
    ///
    /// # Panics
    /// Unless it did.
    #[track_caller]
    pub fn refused(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.contains(words), "{words:?} is missing in: {}", self.stderr);
        self
    }

    /// The lines of standard output, each a JSON object of schema version 1.
    ///
    /// # Panics
    /// If one is not.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let values: Vec<Value> = self.stdout.lines().map(read).collect();
        assert!(values.iter().all(|value| value["schema_version"] == 1), "{values:?}");
        values
    }
}
