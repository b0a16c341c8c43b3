//! The ways to send a message.

pub(crate) mod console;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod http_api;
pub(crate) mod memory;
mod presets;
pub(crate) mod smtp;
pub(crate) mod transport_url;

use vestibule::{Secret, SendAttempt, SendError};

use crate::letter::Letter;
use crate::transport::console::Console;
use crate::transport::error::TransportError;
use crate::transport::file::Folder;
use crate::transport::http_api::HttpApi;
use crate::transport::memory::Memory;
use crate::transport::smtp::Smtp;
use transport_url::TransportUrl;

/// A way to send messages.
#[derive(Debug)]
pub enum Transport {
    /// To a relay.
    Smtp(Box<Smtp>),
    /// To a provider's HTTP API.
    HttpApi(Box<HttpApi>),
    /// To standard error, for development.
    Console(Console),
    /// To a folder, one file per message.
    Folder(Folder),
    /// To a mailbox in this process, for development and tests.
    Memory(Memory),
}

impl Transport {
    /// Parses the URL of a transport. Does not connect to anything.
    ///
    /// | URL | meaning |
    /// |---|---|
    /// | `smtps://user:pass@host[:465]` | SMTP, TLS from the start (RFC 8314) |
    /// | `smtp://user:pass@host[:587]` | SMTP, STARTTLS required; without TLS on loopback hosts (port 25) |
    /// | `http+postmark://TOKEN@`, also `sendgrid`, `resend`, `brevo` | the provider's API |
    /// | `http+mailgun://KEY@domain` | Mailgun, sending for `domain` |
    /// | `http+json://[TOKEN@ or user:pass@]host/path` | a POST of a plain JSON document |
    /// | `console:` · `file:///folder` · `memory:` | for development |
    ///
    /// `?endpoint=https://…` sends to another server with the provider's interface. For a relay, `?ehlo=name` is the
    /// name in the greeting (by default the host of the public URL), and `?message_timeout=600` and
    /// `?command_timeout=300` are the seconds it has to answer a message and anything else. User names, passwords and
    /// keys are percent-encoded. The prefix `http-mail+` means the same as `http+`.
    pub fn from_url(url: &Secret) -> Result<Self, TransportError> {
        let (scheme, rest) = match url.expose().trim().split_once(':') {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (url.expose().trim().to_ascii_lowercase(), ""),
        };
        let preset = scheme.strip_prefix("http+").or_else(|| scheme.strip_prefix("http-mail+"));
        match (scheme.as_str(), preset) {
            ("smtp" | "smtps", _) => {
                Ok(Self::Smtp(Box::new(Smtp::from_url(scheme == "smtps", &TransportUrl::parse(rest)?)?)))
            }
            (_, Some(preset)) => {
                let config = presets::config(preset, &TransportUrl::parse(rest)?)?;
                Ok(Self::HttpApi(Box::new(HttpApi::new(config)?)))
            }
            ("console", _) => nothing_more(rest).map(|()| Self::Console(Console)),
            ("memory", _) => nothing_more(rest).map(|()| Self::Memory(Memory::new())),
            ("file", _) => Folder::open(&transport_url::file_path(rest)?).map(Self::Folder),
            _ => Err(TransportError::UnknownScheme),
        }
    }

    /// Its name, for a log line at start: `smtp`, `http`, `console`, `file` or `memory`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "smtp",
            Self::HttpApi(_) => "http",
            Self::Console(_) => "console",
            Self::Folder(_) => "file",
            Self::Memory(_) => "memory",
        }
    }

    /// Sets the name in the greeting, unless the URL specifies it.
    pub(crate) fn introduce(&mut self, host: &str) {
        if let Self::Smtp(smtp) = self {
            smtp.introduce(host);
        }
    }

    /// Whether a relay would accept mail from us: connects, with TLS where it is required, signs in, and quits. Other
    /// transports cannot be tested without a message.
    ///
    /// # Errors
    /// The error that any message would meet, whoever it is for.
    pub async fn reach(&self) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.reach().await,
            Self::HttpApi(_) | Self::Console(_) | Self::Folder(_) | Self::Memory(_) => Ok(()),
        }
    }

    /// Sends one message. Each transport bounds its own time; [`Mailer`](crate::Mailer) redacts the cause of a failure.
    pub(crate) async fn deliver(&self, letter: &Letter, attempt: &SendAttempt) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.deliver(letter, attempt).await,
            Self::HttpApi(api) => api.deliver(letter, attempt).await,
            Self::Console(console) => {
                attempt.leaves().await?;
                console.deliver(letter)
            }
            Self::Folder(folder) => {
                attempt.leaves().await?;
                folder.deliver(letter).await
            }
            Self::Memory(memory) => memory.deliver(letter, attempt).await,
        }
    }
}

fn nothing_more(rest: &str) -> Result<(), TransportError> {
    if matches!(rest, "" | "//") { Ok(()) } else { Err(TransportError::Malformed("nothing may follow here")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Transport, TransportError> {
        Transport::from_url(&Secret::from(url))
    }

    #[test]
    fn each_scheme_has_its_transport() {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("file://{}", folder.path().display());
        for (url, name) in [
            ("smtp://127.0.0.1:1025", "smtp"),
            ("smtps://user:p%40ss@mail.example.org", "smtp"),
            ("SMTP://mail.example.org?ehlo=app.example.org", "smtp"),
            ("http+postmark://TOKEN@", "http"),
            ("http-mail+postmark://TOKEN@", "http"),
            ("http+sendgrid://SG.key@", "http"),
            ("http+mailgun://key@mg.example.org", "http"),
            ("http+resend://re_key@", "http"),
            ("http+brevo://xkeysib@", "http"),
            ("http+json://user:pass@mail.example.org/send", "http"),
            ("console:", "console"),
            ("console", "console"),
            ("memory://", "memory"),
            (&file, "file"),
        ] {
            assert_eq!(parse(url).unwrap_or_else(|e| panic!("{url}: {e}")).name(), name, "{url}");
        }
    }

    // O1: whatever is wrong, the error does not repeat the password.
    #[test]
    fn errors_and_debug_never_show_credentials() {
        for url in [
            "smtp://user:hunter2@",
            "smtp://user:hunter2@host:99999",
            "smtp://user:hunter2@host:port",
            "smtp://user:hunter2/x@host",
            "smtp://user:hunter2%zz@host",
            "smtp://hunter2@host",
            "smtp://user:hunter2@ho st",
            "smtp://user:hunter2@host?hunter=2",
            "smtp://user:hunter2@host/path",
            "imap://user:hunter2@host",
            "user:hunter2@host",
            "http+nobody://hunter2@",
            "http+postmark://hunter2@?endpoint=http://example.org",
            "http+postmark://hunter2@?endpoint=ftp://example.org",
            "http+postmark://hunter2@host",
            "http+mailgun://hunter2@",
            "http+mailgun://hunter2@../x",
            "http+postmark://@",
            "console:hunter2",
            "file://hunter2/x",
        ] {
            let error = parse(url).map(|_| ()).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
        }
        for url in ["smtps://user:hunter2@host", "http+postmark://hunter2@", "http+json://u:hunter2@host/"] {
            assert!(!format!("{:?}", parse(url).unwrap()).contains("hunter2"), "{url}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |url: &str| parse(url).map(|_| ()).expect_err(url);
        assert_eq!(error("mail.example.org"), TransportError::UnknownScheme);
        assert_eq!(error("smtp://host?tls=no"), TransportError::UnknownParameter("tls".to_owned()));
        assert_eq!(error("http+json://u:p@host/?endpoint=http://example.org/"), TransportError::Unencrypted);
        assert!(error("smtp://user@host").to_string().contains("password"));
        assert!(error("http+postmark://").to_string().contains("key"));
        assert!(error("http+mailgun://key@").to_string().contains("domain"));
    }
}
