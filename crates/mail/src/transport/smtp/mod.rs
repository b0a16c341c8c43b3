//! SMTP to a relay (RFC 5321), with TLS unless the relay is on this machine.
//!
//! The dialogue is driven step by step, so that an error can be judged by where it happened (`verdict.rs`), and so that
//! it is known from when on the relay may have the message.

mod verdict;

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;
use vestibule::{Secret, SendAttempt, SendError};

use super::error::TransportError;
use super::transport_url::{TransportUrl, is_loopback};
use crate::letter::Letter;
use verdict::{Failed, Step, judged, late};

/// For the packets of TCP, which either come soon or never.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// The waits that RFC 5321 §4.5.3.2 asks of a sender: for any answer but the following two; for the answer to `DATA`;
/// for the answer to the message. A relay that scans a message, or passes it on, before it answers needs the last.
const COMMAND_MAX: Duration = Duration::from_mins(5);
const DATA_MAX: Duration = Duration::from_mins(2);
const MESSAGE_MAX: Duration = Duration::from_mins(10);
const NO_STARTTLS: &str = "the relay does not offer STARTTLS, and mail is sent unencrypted to this machine only: switch \
                           TLS on at the relay, or put one on this machine";
/// The goodbye is a courtesy.
const QUIT_MAX: Duration = Duration::from_secs(2);
/// Connections kept open between messages.
const IDLE_MAX: usize = 4;
/// Relays close connections that carry too many messages; ours are closed earlier.
const MESSAGES_PER_CONNECTION: u32 = 50;

/// An SMTP relay.
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<(Secret, Secret)>,
    hello: Option<ClientId>,
    timeouts: Timeouts,
    idle: Mutex<Vec<Connection>>,
}

enum Security {
    /// For loopback only.
    None,
    StartTls(TlsParameters),
    Implicit(TlsParameters),
}

/// How long the relay may take to answer.
#[derive(Clone, Copy)]
struct Timeouts {
    command: Duration,
    message: Duration,
}

struct Connection {
    smtp: AsyncSmtpConnection,
    messages: u32,
}

impl Smtp {
    pub(crate) fn from_url(implicit_tls: bool, url: &TransportUrl) -> Result<Self, TransportError> {
        use TransportError::Malformed;
        url.only_parameters(&["ehlo", "command_timeout", "message_timeout"])?;
        if url.host.is_empty() {
            return Err(Malformed("the relay's host is missing"));
        }
        if !matches!(url.path.as_str(), "" | "/") {
            return Err(Malformed("a relay has no path"));
        }
        let credentials = match (&url.user, &url.password) {
            (Some(user), Some(password)) => Some((user.clone(), password.clone())),
            (None, None) => None,
            (Some(_), None) => return Err(Malformed("the password is missing after the user name")),
            (None, Some(_)) => return Err(Malformed("the user name is missing before the password")),
        };
        let tls =
            || TlsParameters::new(url.host.clone()).map_err(|error| TransportError::Tls(error.to_string()));
        let (security, port) = match (implicit_tls, is_loopback(&url.host)) {
            (true, _) => (Security::Implicit(tls()?), 465),
            (false, true) => (Security::None, 25),
            (false, false) => (Security::StartTls(tls()?), 587),
        };
        let wrong = || Malformed("`ehlo` must be a host name, or an address in brackets");
        let hello = url.parameter("ehlo").map(|name| client_id(name).ok_or_else(wrong)).transpose()?;
        Ok(Self {
            host: url.host.clone(),
            port: url.port.unwrap_or(port),
            security,
            credentials,
            hello,
            timeouts: Timeouts {
                command: url.seconds("command_timeout")?.unwrap_or(COMMAND_MAX),
                message: url.seconds("message_timeout")?.unwrap_or(MESSAGE_MAX),
            },
            idle: Mutex::default(),
        })
    }

    /// Sets the name in the greeting, unless the URL specifies it.
    pub(crate) fn introduce(&mut self, host: &str) {
        if self.hello.is_none() {
            self.hello = client_id(host);
        }
    }

    pub(crate) async fn deliver(&self, letter: &Letter, attempt: &SendAttempt) -> Result<(), SendError> {
        if let Some(connection) = self.kept().await {
            match self.deliver_through(connection, letter, attempt).await {
                // Too old, idle for too long, too many messages: nothing that should delay a message.
                Err(failed) if failed.is_worn => {}
                outcome => return outcome.map_err(SendError::from),
            }
        }
        let connection = self.open().await?;
        self.deliver_through(connection, letter, attempt).await.map_err(SendError::from)
    }

    /// Whether the relay would accept mail from us: connects, and signs in.
    pub(crate) async fn reach(&self) -> Result<(), SendError> {
        quit(self.open().await?).await;
        Ok(())
    }

    async fn deliver_through(
        &self,
        mut connection: Connection,
        letter: &Letter,
        attempt: &SendAttempt,
    ) -> Result<(), Failed> {
        let outcome = self.message(&mut connection.smtp, letter, attempt).await;
        connection.messages += 1;
        if outcome.is_ok() && connection.messages < MESSAGES_PER_CONNECTION {
            self.keep(connection);
        } else {
            quit(connection).await;
        }
        outcome
    }

    /// A kept connection that still answers.
    async fn kept(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if timeout(CONNECT_MAX, connection.smtp.test_connected()).await == Ok(true) {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }

    async fn open(&self) -> Result<Connection, SendError> {
        let implicit = match &self.security {
            Security::Implicit(tls) => Some(tls.clone()),
            Security::None | Security::StartTls(_) => None,
        };
        let (server, hello) = ((self.host.as_str(), self.port), self.hello.clone().unwrap_or_default());
        let connect = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_MAX), &hello, implicit, None);
        // The greeting and the answer to EHLO.
        let mut smtp = step(Step::Connect, self.timeouts.command * 2, connect).await?;
        if let Security::StartTls(tls) = &self.security {
            if !smtp.can_starttls() {
                return Err(SendError::Refused(NO_STARTTLS.to_owned()));
            }
            step(Step::Connect, self.timeouts.command * 2, smtp.starttls(tls.clone(), &hello)).await?;
        }
        if let Some((user, password)) = &self.credentials {
            let credentials = Credentials::new(user.expose().to_owned(), password.expose().to_owned());
            let sign_in = smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            step(Step::SignIn, self.timeouts.command, sign_in).await?;
        }
        Ok(Connection { smtp, messages: 0 })
    }

    /// Sends `MAIL`, `RCPT`, `DATA` and the message.
    async fn message(
        &self,
        smtp: &mut AsyncSmtpConnection,
        letter: &Letter,
        attempt: &SendAttempt,
    ) -> Result<(), Failed> {
        let envelope = letter.envelope();
        let (mut sender, mut parameters) = (Step::Sender, Vec::new());
        if !letter.source().is_ascii() {
            // Only a UTF-8 local part needs this (RFC 6531); everything else was encoded.
            if !smtp.server_info().supports_feature(Extension::SmtpUtfEight) {
                let cause =
                    "the relay does not offer SMTPUTF8, which an address with letters beyond ASCII needs";
                return Err(SendError::Permanent(cause.to_owned()).into());
            }
            sender = Step::SenderUtf8;
            parameters =
                vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)];
        }
        let Timeouts { command, message } = self.timeouts;
        step(sender, command, smtp.command(Mail::new(envelope.from().cloned(), parameters))).await?;
        attempt.answered();
        for to in envelope.to() {
            step(Step::Recipient, command, smtp.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        step(Step::Data, command.min(DATA_MAX), smtp.command(Data)).await?;
        // After the final dot the relay is responsible, whether or not its answer arrives (RFC 5321 §4.2.5).
        attempt.leaves().await?;
        step(Step::Message, message, smtp.message(letter.source())).await?;
        Ok(())
    }
}

/// A host name, or an address literal (RFC 5321 §4.1.3), with or without its brackets.
fn client_id(name: &str) -> Option<ClientId> {
    let bare = name.trim_start_matches('[').trim_end_matches(']').trim_start_matches("IPv6:");
    match bare.parse() {
        Ok(IpAddr::V4(address)) => return Some(ClientId::Ipv4(address)),
        Ok(IpAddr::V6(address)) => return Some(ClientId::Ipv6(address)),
        Err(_) => {}
    }
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    is_name.then(|| ClientId::Domain(name.to_owned()))
}

async fn quit(mut connection: Connection) {
    // The outcome of the message is known; the goodbye does not change it.
    let _ = timeout(QUIT_MAX, connection.smtp.abort()).await;
}

async fn step<T>(
    at: Step,
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failed> {
    match timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(judged(at, &error)),
        Err(_) => Err(late(at, limit)),
    }
}

/// Where it is and how it is spoken to, without user name and password.
impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            Security::None => "no TLS",
            Security::StartTls(_) => "STARTTLS",
            Security::Implicit(_) => "TLS",
        };
        let signs_in = if self.credentials.is_some() { "signed in" } else { "without signing in" };
        write!(f, "{}:{} ({security}, {signs_in})", self.host, self.port)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            Security::None => "none",
            Security::StartTls(_) => "STARTTLS",
            Security::Implicit(_) => "TLS",
        };
        let signed_in = self.credentials.is_some();
        let mut it = f.debug_struct("Smtp");
        it.field("host", &self.host).field("port", &self.port).field("security", &security);
        it.field("signs_in", &signed_in).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    fn smtp(url: &str) -> Smtp {
        Smtp::from_url(false, &TransportUrl::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn only_loopback_goes_unencrypted() {
        assert!(matches!(smtp("//127.0.0.1"), Smtp { security: Security::None, port: 25, .. }));
        assert!(matches!(smtp("//[::1]:1025"), Smtp { security: Security::None, port: 1025, .. }));
        for url in ["//mail.example.org", "//10.0.0.1", "//localhost.example.org", "//u:p@mail.example.org"] {
            assert!(matches!(smtp(url), Smtp { security: Security::StartTls(_), port: 587, .. }), "{url}");
        }
    }

    // M6: an attacker in between who hides STARTTLS gets neither the password nor the mail.
    #[tokio::test]
    async fn without_starttls_nothing_is_said() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut relay = smtp("//user:pass@mail.example.org");
        relay.host = "127.0.0.1".to_owned();
        relay.port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            stream.write_all(b"220 relay\r\n").await.unwrap();
            let (mut heard, mut line) = (Vec::new(), String::new());
            while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
                heard.push(line[..4].to_owned());
                line.clear();
                stream.write_all(b"250-relay\r\n250 AUTH PLAIN\r\n").await.unwrap();
            }
            heard
        });
        let Err(SendError::Refused(cause)) = relay.open().await.map(|_| ()) else { panic!("not refused") };
        assert!(cause.contains("STARTTLS"), "{cause}");
        assert_eq!(server.await.unwrap(), ["EHLO"]);
    }
}
