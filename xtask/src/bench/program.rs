//! The server under measurement.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::shell::{Result, cargo, program, run, succeeds, target_dir};

const PATIENCE: Duration = Duration::from_secs(30);

/// Builds the release program.
pub(super) fn release() -> Result<PathBuf> {
    run(&mut cargo(["build", "--release", "--package=vestibule-server"]))?;
    Ok(target_dir()?.join("release/vestibule"))
}

/// Builds it with the names of its functions, which it has not when it is released.
pub(super) fn release_with_names() -> Result<PathBuf> {
    let build = ["rustc", "--release", "--package=vestibule-server", "--bin=vestibule", "--", "-Cstrip=none"];
    run(&mut cargo(build))?;
    Ok(target_dir()?.join("release/vestibule"))
}

/// Builds the program for development: quicker to build, slower to run, the same behaviour.
pub(super) fn debug() -> Result<PathBuf> {
    run(&mut cargo(["build", "--package=vestibule-server"]))?;
    Ok(target_dir()?.join("debug/vestibule"))
}

/// A running server; it is stopped when the value is dropped.
pub(super) struct Running {
    child: Child,
    pub(super) address: SocketAddr,
    started: Instant,
}

impl Running {
    /// Starts the server on a free port, without limits on how often one client may ask.
    pub(super) fn start(binary: &Path, data: &Path) -> Result<Self> {
        Self::start_with(binary, data, &[])
    }

    /// Starts an instance on a PostgreSQL that others use, too.
    pub(super) fn start_on(binary: &Path, data: &Path, database_url: &str) -> Result<Self> {
        // The issuer of the tokens, which one of them makes and all accept.
        let public_url = ("VESTIBULE_PUBLIC_URL", "http://localhost:8080");
        Self::start_with(binary, data, &[("VESTIBULE_DATABASE_URL", database_url), public_url])
    }

    fn start_with(binary: &Path, data: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        Self::serve(program(binary), data, settings)
    }

    /// Starts the server as an argument of another program.
    pub(super) fn start_by(program: Command, data: &Path) -> Result<Self> {
        Self::serve(program, data, &[])
    }

    fn serve(mut command: Command, data: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let address = free_address().map_err(|e| format!("no free port: {e}"))?;
        command.args(["serve", "--dev", "--listen", &address.to_string()]).envs(settings.iter().copied());
        command.env("VESTIBULE_DATA_DIR", data).env("VESTIBULE_LIMITS_ENABLED", "false");
        Self::spawn(command.stdout(Stdio::null()), address)
    }

    fn spawn(command: &mut Command, address: SocketAddr) -> Result<Self> {
        let started = Instant::now();
        let child = command.spawn().map_err(|e| format!("cannot start the server: {e}"))?;
        Ok(Self { child, address, started })
    }

    /// How long after its start the server answered `path` with 200 for the first time.
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

    /// Memory that is really there, in KiB.
    pub(super) fn resident_kib(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {path}: {e}"))?;
        resident(&text).ok_or_else(|| format!("no VmRSS in {path}"))
    }

    /// Asks the server to stop, and insists after a while.
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

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// `VmRSS:     9123 kB` → 9123
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tests::serve;

    #[test]
    fn memory_is_read_from_the_status_file() {
        assert_eq!(resident("Name:\tx\nVmHWM:\t  12 kB\nVmRSS:\t    9123 kB\n"), Some(9123));
        assert_eq!(resident("Name:\tx\n"), None);
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
        let mut running = Running::spawn(&mut program("false"), free_address().unwrap()).unwrap();
        assert!(running.first_200("/livez").unwrap_err().contains("ended"));
    }
}
