//! Several instances on one PostgreSQL, and one account.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;
use vestibule_testing::TestDatabase;

use super::program::{Running, debug, release};
use crate::http::Connection;
use crate::shell::{Result, program};

pub(super) const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "velvet-comet-lichen-27";

/// Which build is measured.
#[derive(Args)]
pub(super) struct Build {
    /// Measure the debug build, which is there sooner
    #[arg(long)]
    debug: bool,
}

/// Instances that are ready. They stop when the value is dropped, and the database goes after them.
pub(super) struct Instances {
    pub(super) running: Vec<Running>,
    binary: PathBuf,
    data: TempDir,
    database: TestDatabase,
}

impl Instances {
    /// Starts so many; prints which build it is.
    pub(super) fn start(number: usize, build: &Build) -> Result<Self> {
        let binary = if build.debug { debug()? } else { release()? };
        let data = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
        let database = vestibule_testing::database();
        let mut instances = Self { running: Vec::new(), binary, data, database };
        for _ in 0..number {
            // One after the other: the first makes the schema, and the secret key that all share.
            let mut one =
                Running::start_on(&instances.binary, instances.data.path(), instances.database.url())?;
            one.first_200("/readyz")?;
            instances.running.push(one);
        }
        let kind = if build.debug { "debug" } else { "release" };
        println!("{number} instances on one PostgreSQL, {kind} build");
        Ok(instances)
    }

    /// Makes the account that is measured with.
    pub(super) fn make_account(&self) -> Result {
        let mut command = program(&self.binary);
        command.args(["user", "create", "--password-stdin", "--email", EMAIL]);
        command
            .env("VESTIBULE_DATA_DIR", self.data.path())
            .env("VESTIBULE_DATABASE_URL", self.database.url());
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = child.map_err(|e| format!("cannot run `vestibule user create`: {e}"))?;
        let given = child.stdin.take().map(|mut input| input.write_all(PASSWORD.as_bytes()));
        let ended = child.wait().map_err(|e| format!("`vestibule user create` did not end: {e}"))?;
        match (given, ended.success()) {
            (Some(Ok(())), true) => Ok(()),
            _ => Err("`vestibule user create` failed".to_owned()),
        }
    }

    /// A connection to one of them.
    pub(super) fn connect(&self, index: usize) -> Result<Connection> {
        let one = &self.running[index % self.running.len()];
        Connection::open(one.address).map_err(|e| format!("cannot connect: {e}"))
    }
}

/// Signs in; the access token.
pub(super) fn sign_in(connection: &mut Connection) -> Result<String> {
    let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
    let (status, answer) =
        connection.send("POST", "/v1/login", None, &body).map_err(|e| format!("a sign-in failed: {e}"))?;
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let token = answer["access_token"].as_str().filter(|_| status == 200);
    token.map(str::to_owned).ok_or_else(|| format!("a sign-in was answered {status}: {answer}"))
}
