//! The server under measurement.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use vestibule_testing::{Site, WIDE_LIMITS, free_address};

use crate::http::Connection;
use crate::shell::{AS_FOR_TESTS, Result, cargo, program, run, succeeds, target_dir};

const PATIENCE: Duration = Duration::from_secs(30);

/// Builds the release program.
pub(crate) fn release() -> Result<PathBuf> {
    run(&mut cargo(["build", "--release", "--package=vestibule-server"]))?;
    Ok(target_dir()?.join("release/vestibule"))
}

/// Builds the program for development: faster to build, slower to run, with the same behaviour.
pub(crate) fn debug() -> Result<PathBuf> {
    run(cargo(["build", "--bin=vestibule"]).args(AS_FOR_TESTS))?;
    Ok(target_dir()?.join("debug/vestibule"))
}

/// Which program is measured.
#[derive(Args, Default)]
pub(crate) struct Build {
    /// Measure the build for development
    #[arg(long)]
    debug: bool,
    /// Measure this program, and build none: to compare two
    #[arg(long, value_name = "PATH", conflicts_with = "debug")]
    program: Option<PathBuf>,
}

impl Build {
    pub(super) fn is_debug(&self) -> bool {
        self.debug
    }

    /// The build for development, where figures are kept.
    pub(super) const DEVELOPMENT: &str = "the build for development (**no figures to go by**)";

    /// What it is called where figures are kept: without any path.
    pub(super) fn kind(&self) -> &'static str {
        match &self.program {
            Some(_) => "a program that was built before",
            None if self.debug => Self::DEVELOPMENT,
            None => "the release build",
        }
    }

    /// Builds it, unless it is there.
    pub(super) fn program(&self) -> Result<PathBuf> {
        match &self.program {
            // Servers run in folders of their own.
            Some(program) => fs::canonicalize(program).map_err(|e| format!("{}: {e}", program.display())),
            None if self.debug => debug(),
            None => release(),
        }
    }
}

impl Display for Build {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.program {
            Some(program) => write!(f, "{}", program.display()),
            None => f.write_str(if self.debug { "debug build" } else { "release build" }),
        }
    }
}

/// A running server; it is stopped when the value is dropped.
pub(super) struct Running {
    child: Child,
    pub(super) address: SocketAddr,
    started: Instant,
}

impl Running {
    /// Starts the server on a free port, as in production, with limits that one client does not reach.
    pub(super) fn start(site: &Site) -> Result<Self> {
        Self::start_with(site, &[])
    }

    /// The same, with these settings added.
    pub(super) fn start_with(site: &Site, settings: &[(&str, &str)]) -> Result<Self> {
        let address = free_address();
        Self::spawn(Self::command(site, address).envs(settings.iter().copied()), address)
    }

    fn command(site: &Site, address: SocketAddr) -> Command {
        let mut command = site.command(&["serve", "--listen", &address.to_string()]);
        command.envs(WIDE_LIMITS).env("VESTIBULE_LOG_LEVEL", "error").stdout(Stdio::null());
        command
    }

    fn spawn(command: &mut Command, address: SocketAddr) -> Result<Self> {
        let started = Instant::now();
        let child = command.spawn().map_err(|e| format!("cannot start the server: {e}"))?;
        Ok(Self { child, address, started })
    }

    /// The time from its start until the server first answered `path` with 200.
    pub(super) fn first_200(&mut self, path: &str) -> Result<Duration> {
        while self.started.elapsed() < PATIENCE {
            let answer = Connection::open(self.address).and_then(|mut connection| connection.get(path));
            if answer.is_ok_and(|status| status == 200) {
                return Ok(self.started.elapsed());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended ({status}) before it answered"));
            }
            sleep(Duration::from_micros(200));
        }
        Err(format!("no 200 from {path} within {PATIENCE:?}"))
    }

    /// Resident memory in KiB.
    pub(super) fn resident_kib(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {path}: {e}"))?;
        resident(&text).ok_or_else(|| format!("no VmRSS in {path}"))
    }

    /// The CPU time it has taken so far, in ticks of 10 ms.
    pub(super) fn cpu_time(&self) -> Result<Duration> {
        cpu_time(self.child.id())
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to stop, and kills it after a while.
    pub(super) fn stop(&mut self) {
        let asked = succeeds(program("kill").args(["-TERM", &self.child.id().to_string()]));
        let deadline = Instant::now() + PATIENCE;
        while asked && Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The CPU time a process has taken so far, in ticks of 10 ms.
pub(super) fn cpu_time(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {path}: {e}"))?;
    let found = ticks(&text).map(|ticks| Duration::from_millis(10 * ticks));
    found.ok_or_else(|| format!("no times in {path}"))
}

/// User and system time: the 14th and 15th field, where the second is the name in brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11).map(str::parse::<u64>);
    Some(fields.next()?.ok()? + fields.next()?.ok()?)
}

/// `VmRSS:     9123 kB` → 9123
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::http::tests::serve;

    #[test]
    fn memory_is_read_from_the_status_file() {
        assert_eq!(resident("Name:\tx\nVmHWM:\t  12 kB\nVmRSS:\t    9123 kB\n"), Some(9123));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn cpu_time_is_read_from_the_stat_file() {
        let stat = "42 (a (b) c) S 1 1 1 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 4 0 100 1000 10";
        assert_eq!((ticks(stat), ticks("42 (x) S 1")), (Some(42), None));
    }

    #[test]
    fn the_first_good_answer_ends_the_wait() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        serve(listener, &["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
        let mut running = Running::spawn(program("sleep").arg("60"), address).unwrap();
        assert!(running.first_200("/livez").unwrap() < PATIENCE);
        assert!(running.resident_kib().unwrap() > 0);
        running.stop();
        assert!(running.resident_kib().is_err(), "it has ended");
    }

    #[test]
    fn a_server_that_ends_is_not_waited_for() {
        let mut running = Running::spawn(&mut program("false"), free_address()).unwrap();
        assert!(running.first_200("/livez").unwrap_err().contains("ended"));
    }
}
