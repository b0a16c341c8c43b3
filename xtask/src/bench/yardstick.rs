//! The program that benchmarks compare with, and that sends their requests (`xtask/yardstick`).

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use super::program::{Build, cpu_time};
use crate::shell::{Result, cargo, output, program, run, target_dir};

const PACKAGE: &str = "--package=vestibule-yardstick";

pub(super) struct Yardstick {
    program: PathBuf,
}

/// What to send; the program's own description says what each member means.
#[derive(Clone, Default, Serialize)]
pub(super) struct Load {
    pub(super) address: Option<SocketAddr>,
    pub(super) connections: usize,
    pub(super) seconds: f64,
    pub(super) heads: Vec<String>,
    pub(super) bodies: Vec<String>,
    pub(super) once: bool,
    pub(super) chain: Option<&'static str>,
    pub(super) every_micros: Option<u64>,
}

/// What came of a load.
#[derive(Deserialize)]
pub(super) struct Outcome {
    statuses: BTreeMap<u16, u64>,
    errors: u64,
    seconds: f64,
    pub(super) p50_micros: u64,
    pub(super) p99_micros: u64,
    pub(super) max_micros: u64,
}

/// What bare hashes cost.
#[derive(Clone, Copy)]
pub(super) struct Hashes {
    /// Per second on all cores.
    pub(super) rate: f64,
    /// The CPU time of one.
    pub(super) cpu_millis: f64,
}

impl Load {
    /// GET, over and over.
    pub(super) fn get(address: SocketAddr, path: &str) -> Self {
        let heads = vec![format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n")];
        Self { address: Some(address), heads, bodies: vec![String::new()], ..Self::default() }
    }

    /// The same with an access token, each connection with its own.
    pub(super) fn get_as<'a>(address: SocketAddr, path: &str, tokens: impl Iterator<Item = &'a str>) -> Self {
        let get = Self::get(address, path);
        let head = |token| format!("{}authorization: Bearer {token}\r\n", get.heads.concat());
        Self { heads: tokens.map(head).collect(), ..get }
    }

    /// POST with JSON.
    pub(super) fn post(address: SocketAddr, path: &str, bodies: Vec<String>) -> Self {
        Self::post_as(address, path, "application/json", bodies)
    }

    pub(super) fn post_as(address: SocketAddr, path: &str, content: &str, bodies: Vec<String>) -> Self {
        let heads = vec![format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content}\r\n")];
        Self { address: Some(address), heads, bodies, ..Self::default() }
    }

    pub(super) fn over(self, connections: usize, seconds: f64) -> Self {
        Self { connections, seconds, ..self }
    }
}

impl Outcome {
    /// Answers with 2xx.
    pub(super) fn good_answers(&self) -> f64 {
        as_f64(self.good())
    }

    /// Of one connection, the mean time of an answer.
    pub(super) fn seconds_of_one(&self) -> f64 {
        self.seconds / as_f64(self.statuses.values().sum()).max(1.0)
    }

    /// Answers with 2xx per second.
    pub(super) fn rate(&self) -> f64 {
        self.good_answers() / self.seconds
    }

    fn good(&self) -> u64 {
        self.statuses
            .iter()
            .filter(|(status, _)| (200..300).contains(*status))
            .map(|(_, number)| number)
            .sum()
    }

    /// Everything but 2xx.
    pub(super) fn failures(&self) -> u64 {
        self.errors + self.statuses.values().sum::<u64>() - self.good()
    }

    /// Fails if anything was refused, where that would make the figure wrong.
    pub(super) fn all_good(self, what: &str) -> Result<Self> {
        let failures = self.failures();
        if failures == 0 && self.good() > 0 {
            return Ok(self);
        }
        Err(format!("{what}: {failures} failures; answers by status: {:?}", self.statuses))
    }
}

impl Yardstick {
    /// Builds it like the program that is measured.
    pub(super) fn new(build: &Build) -> Result<Self> {
        let (profile, folder) =
            if build.is_debug() { ("--profile=dev", "debug") } else { ("--release", "release") };
        run(&mut cargo(["build", "--quiet", profile, PACKAGE]))?;
        Ok(Self { program: target_dir()?.join(folder).join("vestibule-yardstick") })
    }

    pub(super) fn command(&self) -> Command {
        program(&self.program)
    }

    /// Bare hashes on all cores.
    pub(super) fn hashes(&self, seconds: f64) -> Result<Hashes> {
        let text = output(self.command().args(["hash", &seconds.to_string()]))?;
        let (rate, cpu) = text.split_once(' ').ok_or_else(|| format!("no rate and time: {text}"))?;
        Ok(Hashes { rate: number(rate)?, cpu_millis: number(cpu)? })
    }

    /// Rows per second that SQLite makes durable, on the disk that databases of benchmarks are on.
    pub(super) fn commit_rate(&self, seconds: f64) -> Result<f64> {
        let folder = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
        number(&output(self.command().arg("commits").arg(folder.path()).arg(seconds.to_string()))?)
    }

    /// Sends it all, and waits for the end.
    pub(super) fn load(&self, load: &Load) -> Result<Outcome> {
        self.start_load(load)?.finish()
    }

    pub(super) fn start_load(&self, load: &Load) -> Result<Sending> {
        Sending::start(self.command().arg("load"), load)
    }

    /// Runs statements on a database that nobody serves.
    pub(super) fn sql(&self, file: &Path, script: &str) -> Result {
        let mut child =
            self.command().arg("sql").arg(file).stdin(Stdio::piped()).spawn().map_err(no_start)?;
        let written = child.stdin.take().map(|mut input| input.write_all(script.as_bytes()));
        let status = child.wait().map_err(no_start)?;
        let whole = written.is_some_and(|written| written.is_ok());
        if whole && status.success() { Ok(()) } else { Err(format!("the statements failed: {script}")) }
    }

    pub(super) fn answer(&self) -> Result<Bare> {
        let mut command = self.command();
        let mut child =
            command.arg("answer").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(no_start)?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out).read_line(&mut line).map_err(no_start)?;
        let address = line.trim().parse().map_err(|e| format!("{line}: {e}"))?;
        Ok(Bare { child, address })
    }
}

/// A load that is being sent.
pub(super) struct Sending(Child);

impl Sending {
    /// Starts a command that reads the load from its standard input, and prints the outcome.
    pub(super) fn start(command: &mut Command, load: &Load) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(no_start)?;
        let text = serde_json::to_string(load).map_err(|e| e.to_string())?;
        let written = child.stdin.take().map(|mut input| input.write_all(text.as_bytes()));
        match written {
            Some(Ok(())) => Ok(Self(child)),
            _ => Err("the load was not read".to_owned()),
        }
    }

    pub(super) fn finish(self) -> Result<Outcome> {
        let done = self.0.wait_with_output().map_err(no_start)?;
        if !done.status.success() {
            return Err(format!("the load ended with {}", done.status));
        }
        serde_json::from_slice(&done.stdout).map_err(|e| format!("the outcome of the load: {e}"))
    }
}

/// A server of bare answers; it stops when the value is dropped.
pub(super) struct Bare {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Bare {
    pub(super) fn cpu_time(&self) -> Result<std::time::Duration> {
        cpu_time(self.child.id())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn no_start(error: std::io::Error) -> String {
    format!("the yardstick: {error}")
}

fn number(text: &str) -> Result<f64> {
    text.trim().parse().map_err(|e| format!("{text}: {e}"))
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
pub(super) fn as_f64(number: u64) -> f64 {
    number as f64
}
