//! How mail is sent: through the configured transport, or in development to a mailbox in this process.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use vestibule::{Mail, MailTransport, Secret, SendAttempt, SendError};
use vestibule_http::Brand;
use vestibule_mail::{Letter, Look, Mailer, MailerConfig, Memory, Transport};

use crate::config::problem::Problem;
use crate::config::settings::Config;
use crate::failure::Failure;

/// A mailer that in development also prints to the console what a person must type or click.
pub(crate) struct EchoingMailer {
    /// Replaced when the settings are read again; an attempt that runs ends with the one it began with.
    mailer: RwLock<Arc<Mailer>>,
    echo: bool,
    outcomes: Outcomes,
}

/// How often attempts to send ended in which way.
#[derive(Debug, Default)]
pub(crate) struct Outcomes([AtomicU64; 7]);

impl Outcomes {
    const NAMES: [&str; 7] =
        ["sent", "temporary", "throttled", "refused", "deferred", "uncertain", "permanent"];

    fn note(&self, outcome: Result<(), &SendError>) {
        let index = match outcome {
            Ok(()) => 0,
            Err(SendError::Temporary(_)) => 1,
            Err(SendError::Throttled { .. }) => 2,
            Err(SendError::Refused(_)) => 3,
            Err(SendError::Deferred(_)) => 4,
            Err(SendError::Uncertain(_)) => 5,
            Err(SendError::Permanent(_)) => 6,
        };
        self.0[index].fetch_add(1, Ordering::Relaxed);
    }

    /// Each way by its name.
    pub(crate) fn read(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Self::NAMES.into_iter().zip(self.0.iter().map(|counter| counter.load(Ordering::Relaxed)))
    }
}

impl EchoingMailer {
    pub(crate) fn new(config: &Config, dev: bool, public_url: &str) -> Result<Self, Failure> {
        let mailer = mailer(config, dev, public_url).map_err(|problem| Failure::problems(&[problem]))?;
        let echo = dev && !matches!(mailer.transport(), Transport::Console(_));
        Ok(Self { mailer: RwLock::new(Arc::new(mailer)), echo, outcomes: Outcomes::default() })
    }

    /// How the attempts ended.
    pub(crate) const fn outcomes(&self) -> &Outcomes {
        &self.outcomes
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
        let sent = mailer.send(mail, attempt).await;
        self.outcomes.note(sent.as_ref().copied());
        sent?;
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

/// The colours and links of the pages.
fn look(brand: &Brand) -> Look {
    let link = |at: &str| if at.contains("://") { at.to_owned() } else { format!("mailto:{at}") };
    Look {
        accent: brand.accent.to_string(),
        on_accent: brand.accent.text_on().to_string(),
        link: brand.accent.on_light().to_string(),
        link_dark: brand.accent.on_dark().to_string(),
        support: brand.support.as_deref().map(link),
        privacy_url: brand.privacy_url.clone(),
    }
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
        look: look(&config.pages.brand),
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
