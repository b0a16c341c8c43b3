//! A mail relay in the process of the test: it accepts every message, unless told otherwise, and the test reads them.

mod api;
pub(crate) mod inbox;
mod smtp;

use std::collections::BTreeSet;
use std::io::Result;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Instant;

use self::inbox::Inbox;
use self::inbox::{Letter, Trouble};
use crate::waiting::PATIENCE;

/// A relay on a local port. It listens as long as the test runs.
///
/// It implements as much of RFC 5321 as a sender needs if nothing goes wrong; for everything else there is the server's
/// `tests/peers/smtp.py`.
#[derive(Clone)]
pub struct Relay {
    smtp: SocketAddr,
    api: SocketAddr,
    inbox: Arc<Inbox>,
}

impl Relay {
    /// Begins to listen.
    ///
    /// # Panics
    /// If this machine has no free port.
    pub fn start() -> Self {
        let inbox = Arc::<Inbox>::default();
        let smtp = listen(&inbox, smtp::converse);
        let api = listen(&inbox, api::converse);
        Self { smtp, api, inbox }
    }

    /// For `VESTIBULE_MAIL_URL`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.smtp)
    }

    /// The same for its HTTP API, which is that of Resend.
    pub fn api_url(&self) -> String {
        format!("http+resend://key@?endpoint=http://{}", self.api)
    }

    /// Sets or ends a misbehaviour.
    pub fn makes(&self, trouble: Option<Trouble>) {
        *self.inbox.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// The recipients to whom it has refused a message permanently.
    pub fn refused(&self) -> BTreeSet<String> {
        self.inbox.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The oldest untaken message to this address; waits for it.
    ///
    /// # Panics
    /// If none comes.
    pub fn take(&self, to: &str) -> Letter {
        let deadline = Instant::now() + PATIENCE;
        let mut letters = self.inbox.lock();
        loop {
            if let Some(at) = letters.iter().position(|letter| letter.to == to) {
                return letters.remove(at);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no mail to {to}; there is {letters:?}");
            let waited = self.inbox.arrived.wait_timeout(letters, left);
            letters = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The untaken messages to this address, oldest first.
    pub fn letters_to(&self, to: &str) -> Vec<Letter> {
        self.inbox.lock().iter().filter(|letter| letter.to == to).cloned().collect()
    }

    /// All untaken messages.
    pub fn untaken(&self) -> Vec<Letter> {
        self.inbox.lock().clone()
    }
}

/// Listens on a new port, with a thread for each connection.
fn listen(inbox: &Arc<Inbox>, converse: fn(&TcpStream, &Inbox) -> Result<()>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    let shared = Arc::clone(inbox);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let inbox = Arc::clone(&shared);
            // An error of a sender that hangs up early is ignored.
            thread::spawn(move || drop(converse(&stream, &inbox)));
        }
    });
    address
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};

    use super::*;

    #[test]
    fn a_message_is_read_by_its_recipient() {
        let relay = Relay::start();
        let address = relay.url().strip_prefix("smtp://").unwrap().to_owned();
        let mut stream = TcpStream::connect(address).unwrap();
        let message = "Subject: =?utf-8?b?SMO2aGU=?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            Your code, until 2026-11-22: 0421\r\n..\r\nhttps://example.org/confirm?token=3Dabc=\r\ndef\r\n\
            --b\r\nContent-Type: text/html\r\n\r\n<b>0421</b>\r\n--b--\r\n";
        for line in ["EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<ada@example.org> X=1", "VRFY x", "DATA"] {
            stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        }
        stream.write_all(format!("{message}.\r\nQUIT\r\n").as_bytes()).unwrap();
        let letter = relay.take("ada@example.org");
        assert_eq!((letter.subject.as_str(), letter.code().as_str()), ("H\u{f6}he", "0421"));
        assert_eq!(letter.link(), "https://example.org/confirm?token=abcdef");
        assert_eq!(letter.token(), "abcdef");
        assert!(letter.text.contains("\n.\r\n") || letter.text.contains("\n.\n"), "{letter:?}");
        assert!(letter.html.contains("<b>0421</b>"), "{letter:?}");
        assert!(relay.untaken().is_empty());
        let answers: Vec<_> = BufReader::new(stream).lines().map_while(Result::ok).collect();
        assert!(
            answers.iter().any(|line| line.starts_with("502")) && answers.last().unwrap().starts_with("221")
        );
    }
}
