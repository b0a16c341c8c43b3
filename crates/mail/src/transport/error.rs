//! Why a transport cannot be used.

use std::path::PathBuf;

/// Why a transport cannot be used. Explains what to write instead and never quotes credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The scheme of the URL is unknown.
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
    /// The request template of an HTTP API renders to something invalid.
    #[error("the request template of the mail API: {0}")]
    RequestTemplate(String),
    /// The folder cannot be written to.
    #[error("{path}: {cause}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error.
        cause: String,
    },
}
