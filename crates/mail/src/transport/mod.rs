//! The ways a message can leave.

pub(crate) mod console;
pub(crate) mod file;
pub(crate) mod http_api;
pub(crate) mod locator;
pub(crate) mod memory;
mod presets;
pub(crate) mod smtp;

use std::path::PathBuf;

use vestibule::{Secret, SendError};

use crate::{Console, Folder, HttpApi, Letter, Memory, Smtp};
use locator::Locator;

/// A way to hand a message over.
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

/// Why a transport cannot be used. Says what to write instead and never quotes credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The text does not begin with a scheme that is known.
    #[error(
        "not a mail transport: expected smtp://, smtps://, http+postmark://, http+sendgrid://, http+mailgun://, \
         http+resend://, http+brevo://, http+json://, console:, file: or memory:"
    )]
    UnknownScheme,
    /// A part of the URL is malformed.
    #[error("the mail transport's URL: {0}")]
    Malformed(&'static str),
    /// A parameter after `?` that this transport does not have.
    #[error("the mail transport's URL: there is no parameter `{0}` here")]
    UnknownParameter(String),
    /// Mail, or the key of an API, would travel unencrypted.
    #[error(
        "the mail transport's URL: http:// is allowed on this machine only (127.0.0.0/8, ::1, localhost); use https://"
    )]
    Unencrypted,
    /// TLS cannot be set up.
    #[error("TLS of the mail transport: {0}")]
    Tls(String),
    /// The request template of an HTTP API does not render to what it should.
    #[error("the request template of the mail API: {0}")]
    RequestTemplate(String),
    /// The folder cannot be written to.
    #[error("{path}: {cause}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
}

impl Transport {
    /// Reads a transport from its URL. Does not contact anybody.
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
    /// `?endpoint=https://…` sends to another server with the provider's interface; `?ehlo=name` is the name said to a
    /// relay. User names, passwords and keys are percent-encoded. The prefix `http-mail+` means the same as `http+`.
    pub fn from_url(url: &Secret) -> Result<Self, TransportError> {
        let (scheme, rest) = match url.expose().trim().split_once(':') {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (url.expose().trim().to_ascii_lowercase(), ""),
        };
        let preset = scheme.strip_prefix("http+").or_else(|| scheme.strip_prefix("http-mail+"));
        match (scheme.as_str(), preset) {
            ("smtp" | "smtps", _) => {
                Ok(Self::Smtp(Box::new(Smtp::from_locator(scheme == "smtps", &Locator::parse(rest)?)?)))
            }
            (_, Some(preset)) => {
                let config = presets::config(preset, &Locator::parse(rest)?)?;
                Ok(Self::HttpApi(Box::new(HttpApi::new(config)?)))
            }
            ("console", _) => nothing_more(rest).map(|()| Self::Console(Console)),
            ("memory", _) => nothing_more(rest).map(|()| Self::Memory(Memory::new())),
            ("file", _) => Folder::open(&locator::file_path(rest)?).map(Self::Folder),
            _ => Err(TransportError::UnknownScheme),
        }
    }

    /// What it is, for a log line at the start: `smtp`, `http`, `console`, `file` or `memory`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "smtp",
            Self::HttpApi(_) => "http",
            Self::Console(_) => "console",
            Self::Folder(_) => "file",
            Self::Memory(_) => "memory",
        }
    }

    /// Hands one message over. [`Mailer`](crate::Mailer) bounds the time and cleans the cause of a failure.
    pub(crate) async fn deliver(&self, letter: &Letter) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.deliver(letter).await,
            Self::HttpApi(api) => api.deliver(letter).await,
            Self::Console(console) => console.deliver(letter),
            Self::Folder(folder) => folder.deliver(letter).await,
            Self::Memory(memory) => memory.deliver(letter).await,
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

    // O1: whatever is wrong, the message does not repeat the password.
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
