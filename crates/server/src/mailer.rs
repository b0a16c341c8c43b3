//! How mail is sent: through the configured transport, or in development to a mailbox in this process.

use std::io::{self, Write as _};
use std::sync::{Arc, PoisonError, RwLock};

use vestibule::{Mail, MailTransport, Secret, SendAttempt, SendError};
use vestibule_mail::{Letter, Mailer, MailerConfig, Memory, Transport};

use crate::config::problem::Problem;
use crate::config::settings::Config;
use crate::failure::Failure;

/// A mailer that in development also prints to the console what a person must type or click.
pub(crate) struct EchoingMailer {
    /// Replaced when the settings are read again; an attempt that runs ends with the one it began with.
    mailer: RwLock<Arc<Mailer>>,
    echo: bool,
}

impl EchoingMailer {
    pub(crate) fn new(config: &Config, dev: bool, public_url: &str) -> Result<Self, Failure> {
        let mailer = mailer(config, dev, public_url).map_err(|problem| Failure::problems(&[problem]))?;
        let echo = dev && !matches!(mailer.transport(), Transport::Console(_));
        Ok(Self { mailer: RwLock::new(Arc::new(mailer)), echo })
    }

    /// From now on, mail is sent by this one.
    pub(crate) fn replace(&self, mailer: Mailer) {
        *self.mailer.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(mailer);
    }

    fn mailer(&self) -> Arc<Mailer> {
        Arc::clone(&self.mailer.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The name of the transport, for the log.
    pub(crate) fn name(&self) -> &'static str {
        self.mailer().transport().name()
    }

    /// The mailbox, if mail is delivered there.
    pub(crate) fn mailbox(&self) -> Option<Memory> {
        match self.mailer().transport() {
            Transport::Memory(memory) => Some(memory.clone()),
            _ => None,
        }
    }
}

impl MailTransport for EchoingMailer {
    async fn send(&self, mail: &Mail, attempt: &SendAttempt) -> Result<(), SendError> {
        let mailer = self.mailer();
        mailer.send(mail, attempt).await?;
        if self.echo
            && let Ok(letter) = mailer.render(mail)
        {
            // There may be no reader; the mail was sent all the same.
            let _ = io::stdout().write_all(echo(&letter).as_bytes());
        }
        Ok(())
    }
}

/// A mailer that only renders: it needs no transport.
pub(crate) fn for_preview(config: &Config) -> Result<Mailer, Problem> {
    built(config, Transport::Memory(Memory::new()), &config.public_url(None))
}

/// Builds the mailer from the settings.
pub(crate) fn mailer(config: &Config, dev: bool, public_url: &str) -> Result<Mailer, Problem> {
    let transport = match &config.mail.url {
        Some(url) => Transport::from_url(url).map_err(|error| {
            Problem::new(format!("{}: {error}", config.place("mail.url")), "correct the URL")
        })?,
        None if dev => Transport::Memory(Memory::new()),
        None => return Err(Problem::new("`mail.url` is not set", "set VESTIBULE_MAIL_URL")),
    };
    built(config, transport, public_url)
}

fn built(config: &Config, transport: Transport, public_url: &str) -> Result<Mailer, Problem> {
    let local = || "Vestibule <no-reply@vestibule.localhost>".parse().ok();
    let from = config.sender().or_else(local);
    let from = from.ok_or_else(|| {
        Problem::new("`mail.from` is not set", "set VESTIBULE_MAIL_FROM, e.g. no-reply@example.org")
    })?;
    let wanted = MailerConfig {
        from,
        site_name: config.service_name.clone(),
        public_url: public_url.to_owned(),
        templates: config.mail.templates_dir.clone(),
    };
    Mailer::new(wanted, transport).map_err(|error| {
        Problem::new(
            format!("{}: {error}", config.place("mail.templates_dir")),
            "correct the template, or take the file out of the folder",
        )
    })
}

/// What a person must type or click, for any kind of mail.
fn echo(letter: &Letter) -> String {
    let shown = |name: &str, value: Option<&Secret>| {
        value.map_or_else(String::new, |it| format!("    {name:<5} {}\n", it.expose()))
    };
    let (to, kind) = (letter.to().as_str(), letter.kind());
    format!("  mail to {to}: {kind}\n{}{}", shown("code", letter.code()), shown("link", letter.link()))
}
