//! A third-party mail server: `tests/peers/smtp.py`.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc;

use serde_json::Value;
use vestibule_testing::{PATIENCE, Server, Site, eventually, lines};

/// A mail server in a separate process. Dropping it ends it.
pub(crate) struct Relay {
    child: Child,
    orders: ChildStdin,
    reports: mpsc::Receiver<String>,
    pub(crate) port: u16,
    /// The file with the authority of its certificate, if it speaks TLS.
    pub(crate) authority: String,
}

/// A message as parsed by Python.
#[derive(Debug)]
pub(crate) struct Message(pub(crate) Value);

impl Relay {
    /// Has a port, but refuses connections.
    pub(crate) fn down(site: &Site, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/smtp.py");
        let mut command = vestibule_testing::python();
        command.arg(script).args(arguments).current_dir(site.path(""));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, reports) = (child.stdin.take().unwrap(), lines(child.stdout.take().unwrap()));
        let ready: Value = serde_json::from_str(&reports.recv_timeout(PATIENCE).unwrap()).unwrap();
        let port = u16::try_from(ready["port"].as_u64().unwrap()).unwrap();
        let authority = ready["authority"].as_str().unwrap_or_default().to_owned();
        Self { child, orders, reports, port, authority }
    }

    pub(crate) fn start(site: &Site, arguments: &[&str]) -> Self {
        let mut relay = Self::down(site, arguments);
        relay.comes_up();
        relay
    }

    /// From now on it accepts connections.
    pub(crate) fn comes_up(&mut self) {
        self.orders.write_all(b"listen\n").unwrap();
        eventually("the relay listens", || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok());
    }

    /// The URL of a local relay without TLS.
    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The next message.
    pub(crate) fn receives(&self) -> Message {
        let report = self.reports.recv_timeout(PATIENCE).expect("a message arrives");
        Message(serde_json::from_str(&report).unwrap())
    }

    /// The next message, after the server has recorded that it was sent: only then its code counts.
    pub(crate) fn receives_from(&self, server: &Server) -> Message {
        let message = self.receives();
        eventually("the hand-over is noted", || {
            (server.get("/readyz").json(200)["mails_waiting"] == 0).then_some(())
        });
        message
    }

    /// The messages that arrived and were not received yet.
    pub(crate) fn unread(&self) -> Vec<String> {
        self.reports.try_iter().collect()
    }
}

/// Starts a server with mail sent to this address.
pub(crate) fn serve(site: &Site, mail_url: &str, more: &[(&str, &str)]) -> Server {
    let mail = [("VESTIBULE_MAIL_URL", mail_url), ("VESTIBULE_MAIL_FROM", "no-reply@example.net")];
    site.serve_with(&[&mail, more].concat())
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Message {
    /// The values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let headers = self.0["headers"].as_array().unwrap().iter();
        let values = headers.filter(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
        values.map(|pair| pair[1].as_str().unwrap()).collect()
    }

    /// The text of the part of this type.
    pub(crate) fn part(&self, content_type: &str) -> &str {
        let parts: Vec<&Value> = self.0["parts"].as_array().unwrap().iter().collect();
        let part = parts.iter().find(|part| part[0] == content_type);
        part.unwrap_or_else(|| panic!("no {content_type} in {parts:?}"))[1].as_str().unwrap()
    }

    /// The code, as a person finds it.
    pub(crate) fn code(&self) -> String {
        let line = self.part("text/plain").lines().find(|line| line.starts_with("Your code for "));
        line.unwrap().rsplit_once(' ').unwrap().1.to_owned()
    }

    pub(crate) fn link(&self) -> &str {
        self.part("text/plain").lines().find(|line| line.starts_with("http")).unwrap()
    }

    /// The token in the link.
    pub(crate) fn token(&self) -> &str {
        self.link().split_once("/confirm?token=").unwrap().1
    }
}
