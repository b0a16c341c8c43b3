//! SMTP to a relay (RFC 5321), with TLS unless the relay is on this machine.
//!
//! The dialogue is driven step by step, so that a refusal can be judged by where it happened: what is refused before the
//! recipient was named is the operator's to repair and worth another try; what is refused afterwards is final.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;
use vestibule::{Secret, SendError};

use super::locator::{Locator, is_loopback};
use crate::{Letter, TransportError, cause};

const CONNECT_MAX: Duration = Duration::from_secs(10);
const COMMAND_MAX: Duration = Duration::from_secs(30);
/// A farewell is a courtesy.
const QUIT_MAX: Duration = Duration::from_secs(2);
/// Connections kept open between messages.
const IDLE_MAX: usize = 4;
/// Relays close connections that carry too many messages; leave before.
const MESSAGES_PER_CONNECTION: u32 = 50;

/// A relay that is spoken to in SMTP.
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<(Secret, Secret)>,
    hello: ClientId,
    idle: Mutex<Vec<Connection>>,
}

enum Security {
    /// Loopback only.
    None,
    StartTls(TlsParameters),
    Implicit(TlsParameters),
}

struct Connection {
    smtp: AsyncSmtpConnection,
    messages: u32,
}

/// Where in the dialogue something failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Connect,
    SignIn,
    /// Who sends is always us.
    Sender,
    Message,
}

impl Smtp {
    pub(crate) fn from_locator(implicit_tls: bool, url: &Locator) -> Result<Self, TransportError> {
        use TransportError::Malformed;
        url.only_parameters(&["ehlo"])?;
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
        let hello =
            url.parameter("ehlo").map_or_else(ClientId::default, |name| ClientId::Domain(name.to_owned()));
        Ok(Self {
            host: url.host.clone(),
            port: url.port.unwrap_or(port),
            security,
            credentials,
            hello,
            idle: Mutex::default(),
        })
    }

    pub(crate) async fn deliver(&self, letter: &Letter) -> Result<(), SendError> {
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => self.open().await?,
        };
        let outcome = message(&mut connection.smtp, letter).await;
        connection.messages += 1;
        if outcome.is_ok() && connection.messages < MESSAGES_PER_CONNECTION {
            self.keep(connection);
        } else {
            quit(connection).await;
        }
        outcome
    }

    /// A connection from before that still answers.
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
        let server = (self.host.as_str(), self.port);
        let connect =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_MAX), &self.hello, implicit, None);
        let mut smtp = step(Step::Connect, connect).await?;
        if let Security::StartTls(tls) = &self.security {
            if !smtp.can_starttls() {
                let cause = "the relay does not offer STARTTLS, and mail is not sent unencrypted";
                return Err(SendError::Temporary(cause.to_owned()));
            }
            step(Step::Connect, smtp.starttls(tls.clone(), &self.hello)).await?;
        }
        if let Some((user, password)) = &self.credentials {
            let credentials = Credentials::new(user.expose().to_owned(), password.expose().to_owned());
            step(Step::SignIn, smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)).await?;
        }
        Ok(Connection { smtp, messages: 0 })
    }
}

/// `MAIL`, `RCPT`, `DATA` and the message.
async fn message(smtp: &mut AsyncSmtpConnection, letter: &Letter) -> Result<(), SendError> {
    let envelope = letter.envelope();
    let mut parameters = Vec::new();
    if !letter.source().is_ascii() {
        // Only a UTF-8 local part does this (RFC 6531); everything else was encoded.
        if !smtp.server_info().supports_feature(Extension::SmtpUtfEight) {
            let cause = "the relay does not offer SMTPUTF8, which an address with letters beyond ASCII needs";
            return Err(SendError::Permanent(cause.to_owned()));
        }
        parameters = vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)];
    }
    step(Step::Sender, smtp.command(Mail::new(envelope.from().cloned(), parameters))).await?;
    for to in envelope.to() {
        step(Step::Message, smtp.command(Rcpt::new(to.clone(), Vec::new()))).await?;
    }
    step(Step::Message, smtp.command(Data)).await?;
    step(Step::Message, smtp.message(letter.source())).await?;
    Ok(())
}

async fn quit(mut connection: Connection) {
    // The message has been judged already; how the goodbye goes changes nothing.
    let _ = timeout(QUIT_MAX, connection.smtp.abort()).await;
}

async fn step<T>(at: Step, work: impl Future<Output = Result<T, Error>>) -> Result<T, SendError> {
    match timeout(COMMAND_MAX, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(judged(at, &error)),
        Err(_) => {
            Err(SendError::Temporary(format!("the relay did not answer within {} s", COMMAND_MAX.as_secs())))
        }
    }
}

fn judged(at: Step, error: &Error) -> SendError {
    let code = error.status().map(u16::from);
    // The reply to a sign-in is left out: it may quote what was sent (O1).
    let reply = || cause::one_line(&error.to_string());
    match (at, code) {
        (Step::SignIn, Some(code)) => SendError::Temporary(format!(
            "the relay refused the user name or password ({code}): check the mail settings"
        )),
        // RFC 4954 §6: sign-in required, too weak, failed, encryption required.
        (_, Some(code @ (530 | 534 | 535 | 538))) => {
            SendError::Temporary(format!("the relay wants another sign-in ({code}): check the mail settings"))
        }
        (Step::Connect, Some(_)) => {
            SendError::Temporary(format!("the relay refuses to talk to us: {}", reply()))
        }
        (Step::Sender | Step::Message, Some(500..)) => {
            SendError::Permanent(format!("the relay refused the message: {}", reply()))
        }
        // RFC 5321 §3.8: 421 closes, whatever was asked.
        (Step::Sender, Some(_)) | (Step::Message, Some(421)) => {
            SendError::Temporary(format!("the relay takes nothing now: {}", reply()))
        }
        (Step::Message, Some(_)) => {
            SendError::Deferred(format!("the relay deferred the message: {}", reply()))
        }
        (Step::Connect, None) => SendError::Temporary(format!("no connection to the relay: {}", reply())),
        (Step::SignIn, None) => SendError::Temporary(format!("sign-in at the relay: {}", reply())),
        (Step::Sender | Step::Message, None) => {
            SendError::Temporary(format!("the connection to the relay broke: {}", reply()))
        }
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
        Smtp::from_locator(false, &Locator::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn only_loopback_goes_unencrypted() {
        assert!(matches!(smtp("//127.0.0.1"), Smtp { security: Security::None, port: 25, .. }));
        assert!(matches!(smtp("//[::1]:1025"), Smtp { security: Security::None, port: 1025, .. }));
        for url in ["//mail.example.org", "//10.0.0.1", "//localhost.example.org", "//u:p@mail.example.org"] {
            assert!(matches!(smtp(url), Smtp { security: Security::StartTls(_), port: 587, .. }), "{url}");
        }
    }

    // M6: somebody in between who hides STARTTLS gets neither the password nor the mail.
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
        let Err(SendError::Temporary(cause)) = relay.open().await.map(|_| ()) else {
            panic!("not temporary")
        };
        assert!(cause.contains("STARTTLS"), "{cause}");
        assert_eq!(server.await.unwrap(), ["EHLO"]);
    }
}
