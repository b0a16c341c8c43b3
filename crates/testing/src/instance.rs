//! A running server.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;

use serde_json::Value;

use crate::http::{Answer, Client};
use crate::relay::Relay;
use crate::relay::inbox::Letter;
use crate::waiting::{PATIENCE, eventually, lines};

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    /// The address it listens on.
    pub address: String,
    relay: Relay,
    banner: mpsc::Receiver<String>,
    log: mpsc::Receiver<String>,
}

impl Server {
    pub(crate) fn start(command: Command, relay: Relay) -> Self {
        Self::try_start(command, relay).unwrap_or_else(|said| panic!("the server did not start: {said:?}"))
    }

    /// `None`: another program listens at its address.
    pub(crate) fn start_unless_taken(command: Command, relay: Relay) -> Option<Self> {
        match Self::try_start(command, relay) {
            Ok(server) => Some(server),
            Err(said) if said.iter().any(|line| line.contains("in use")) => None,
            Err(said) => panic!("the server did not start: {said:?}"),
        }
    }

    /// Waits until it listens; if it ends instead, returns its log.
    fn try_start(mut command: Command, relay: Relay) -> Result<Self, Vec<String>> {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program can be run");
        let log = lines(child.stderr.take().expect("the log is piped"));
        let banner = lines(child.stdout.take().expect("the banner is piped"));
        let mut server = Self { child, address: String::new(), relay, banner, log };
        let mut said = Vec::new();
        loop {
            let Ok(line) = server.log.recv_timeout(PATIENCE) else { return Err(said) };
            match listening(&line) {
                Some(address) => server.address = address,
                None => said.push(line),
            }
            if !server.address.is_empty() {
                return Ok(server);
            }
        }
    }

    /// A client of this server.
    pub fn http(&self) -> Client {
        Client::new(&self.address)
    }

    /// The answer to a GET request without credentials.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, path: &str) -> Answer {
        self.http().get(path, None)
    }

    /// The oldest untaken mail to this address; waits for it, and until the server has recorded that it was sent: only
    /// then its code counts.
    ///
    /// # Panics
    /// If none comes.
    pub fn mail(&self, to: &str) -> Letter {
        let letter = self.relay.take(to);
        eventually("the hand-over is noted", || {
            (self.get("/readyz").json(200)["mails_waiting"] == 0).then_some(())
        });
        letter
    }

    /// Signs up and confirms with the mailed code.
    ///
    /// # Panics
    /// If that does not create an account.
    pub fn has_confirmed(&self, email: &str, password: &str) {
        let http = self.http();
        http.sign_up(email, password);
        http.confirm(email, password, &self.mail(email).code());
    }

    /// The first line of standard output with `words`.
    ///
    /// # Panics
    /// If none comes.
    pub fn says(&self, words: &str) -> String {
        first_with(&self.banner, words)
    }

    /// Waits for a line of the log with `words`.
    ///
    /// # Panics
    /// If none comes.
    pub fn logs(&self, words: &str) -> String {
        first_with(&self.log, words)
    }

    /// Stops it, and returns the log since it began to listen, or since the last line that was waited for. What it logs
    /// comes a little later than what it answers, so that only the whole log shows what was not logged.
    ///
    /// # Panics
    /// If it does not end.
    pub fn whole_log(mut self) -> Vec<String> {
        self.signal("-TERM");
        self.ended();
        self.log.iter().collect()
    }

    /// Sends a signal, e.g. `-TERM`.
    ///
    /// # Panics
    /// If it has ended.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no process to send {name} to");
    }

    /// Waits for the process to end.
    ///
    /// # Panics
    /// If it does not.
    pub fn ended(&mut self) -> ExitStatus {
        eventually("the server ends", || self.child.try_wait().expect("the process is ours"))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in KiB.
    ///
    /// # Panics
    /// If it has ended.
    pub fn resident_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    /// The part of it that belongs to no file, in KiB: what the program has allocated and used.
    ///
    /// # Panics
    /// If it has ended.
    pub fn allocated_kib(&self) -> u64 {
        self.status_kib("RssAnon:")
    }

    fn status_kib(&self, of: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix(of)).expect("it has memory");
        line.trim().trim_end_matches(" kB").parse().expect("it is a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_with(lines: &mpsc::Receiver<String>, words: &str) -> String {
    std::iter::from_fn(|| lines.recv_timeout(PATIENCE).ok())
        .find(|line| line.contains(words))
        .unwrap_or_else(|| panic!("no line with {words:?} came"))
}

/// The address in the line that says where it listens, in either format of the log.
fn listening(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).unwrap_or_default();
    if event["message"] == "listening" {
        return event["address"].as_str().map(str::to_owned);
    }
    let (_, fields) = line.split_once(": listening address=")?;
    fields.split(' ').next().map(str::to_owned)
}

/// A free local address, for programs that do not report which port the system chose. Another program may take it
/// first.
///
/// # Panics
/// If this machine has no free port.
pub fn free_address() -> SocketAddr {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.expect("a port is free")
}
