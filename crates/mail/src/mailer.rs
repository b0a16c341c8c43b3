//! From a [`Mail`] to a sent message: render, send, and report errors without revealing secrets.

use std::path::PathBuf;

use minijinja::Value;
use vestibule::{Mail, MailTransport, Secret, SendAttempt, SendError};

use crate::letter::Letter;
use crate::letter_error::LetterError;
use crate::look::Look;
use crate::sender::Sender;
use crate::templates::{TemplateError, Templates};
use crate::transport::Transport;
use crate::values::Values;
use crate::{cause, values};

/// Longer names do not fit a subject line.
const SITE_NAME_CHARS_MAX: usize = 60;

/// What a [`Mailer`] needs to know about the site.
#[derive(Clone, Debug)]
pub struct MailerConfig {
    /// The sender.
    pub from: Sender,
    /// The name of the site in subjects and texts: at most 60 characters.
    pub site_name: String,
    /// The URL of the site, `https://…`, shown so that the reader knows what the mail is about.
    pub public_url: String,
    /// The owner's colours and links.
    pub look: Look,
    /// A folder whose files replace the embedded templates one by one.
    pub templates: Option<PathBuf>,
}

/// Renders mails and sends them through a [`Transport`].
pub struct Mailer {
    templates: Templates,
    transport: Transport,
    from: Sender,
}

/// Why a [`Mailer`] cannot be built. Every error in the templates is found here, not when sending.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailerError {
    /// Empty, longer than 60 characters, or with a control character.
    #[error("the site's name must have 1 to 60 characters and no control characters")]
    SiteName,
    /// Not an `http` or `https` address with a host.
    #[error("the public URL must be http:// or https:// with a host")]
    PublicUrl,
    /// The sender cannot be written in a header.
    #[error("the sender: {0}")]
    Sender(#[from] LetterError),
    /// A template is missing or broken.
    #[error(transparent)]
    Templates(#[from] TemplateError),
}

impl Mailer {
    /// Loads and checks all templates. Does not connect to anything.
    pub fn new(config: MailerConfig, mut transport: Transport) -> Result<Self, MailerError> {
        config.from.mailbox()?;
        let site = site_values(&config)?;
        transport.introduce(&site["host"].to_string());
        let templates = Templates::load(site, &config.look, config.templates.as_deref())?;
        Ok(Self { templates, transport, from: config.from })
    }

    /// The message as it would be sent.
    pub fn render(&self, mail: &Mail) -> Result<Letter, LetterError> {
        Letter::build(mail, self.templates.render(mail)?, &self.from)
    }

    /// A sample mail of this kind with made-up values, in this language or the closest available. `None`: there is no
    /// such kind.
    pub fn preview(&self, kind: &str, locale: &str) -> Option<Result<Letter, LetterError>> {
        let sample = values::samples().into_iter().find(|mail| mail.content.kind() == kind)?;
        Some(self.render(&Mail { locale: Some(locale.to_owned()), ..sample }))
    }

    /// The languages of the templates.
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        self.templates.locales()
    }

    /// The transport of the messages.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }
}

impl MailTransport for Mailer {
    async fn send(&self, mail: &Mail, attempt: &SendAttempt) -> Result<(), SendError> {
        let letter = self.render(mail).map_err(|error| SendError::Permanent(error.to_string()))?;
        self.transport.deliver(&letter, attempt).await.map_err(|error| {
            let shown = |secret: Option<&Secret>| secret.map_or("", |s| s.expose()).to_owned();
            let (link, code) = (shown(letter.link()), shown(letter.code()));
            let in_mail = letter.to().in_mail();
            let hidden = [
                (letter.to().as_str(), "[address]"),
                (in_mail.as_str(), "[address]"),
                (link.as_str(), "[link]"),
                (code.as_str(), "[code]"),
            ];
            cause::redacted(error, &hidden)
        })
    }
}

fn site_values(config: &MailerConfig) -> Result<Values, MailerError> {
    let name = config.site_name.trim();
    if name.is_empty() || name.chars().count() > SITE_NAME_CHARS_MAX || name.contains(char::is_control) {
        return Err(MailerError::SiteName);
    }
    if config.public_url.contains(char::is_control) {
        return Err(MailerError::PublicUrl);
    }
    let url = reqwest::Url::parse(&config.public_url).map_err(|_| MailerError::PublicUrl)?;
    let host =
        url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or(MailerError::PublicUrl)?;
    let shown = config.public_url.trim().trim_end_matches('/');
    Ok(Values::from([
        ("site_name", Value::from(name)),
        ("public_url", Value::from(shown)),
        ("host", Value::from(host)),
    ]))
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer")
            .field("from", &self.from)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}
