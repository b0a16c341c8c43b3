//! The messages a relay has accepted, and its misbehaviour.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mail_parser::MessageParser;

/// A misbehaviour of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Accepts the message, and hangs up before it answers.
    HangsUp,
    /// Accepts the message, and answers after this long.
    Slow(Duration),
    /// Gives this answer at this step; the HTTP API with the status 400.
    Refuses(Step, &'static str),
    /// Asks to be left alone for a second: 421 at the greeting, 429 with `Retry-After`.
    Throttles,
}

/// A step of an SMTP conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `MAIL FROM`
    Sender,
    /// `RCPT TO`
    Recipient,
    /// The end of the message.
    Message,
}

/// The untaken messages, and the misbehaviour.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) letters: Mutex<Vec<Letter>>,
    pub(super) arrived: Condvar,
    pub(super) trouble: Mutex<Option<Trouble>>,
    /// The recipients to whom a message was refused permanently.
    pub(super) refused: Mutex<BTreeSet<String>>,
}

/// A message to one recipient.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The recipient of the envelope.
    pub to: String,
    /// Its Message-ID: copies of a message share it.
    pub message_id: String,
    /// Its subject, decoded.
    pub subject: String,
    /// The part in plain text, decoded.
    pub text: String,
    /// The part in HTML, decoded.
    pub html: String,
}

impl Inbox {
    pub(super) fn trouble(&self) -> Option<Trouble> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer at this step if it is a refusal. Permanent refusals of recipients are recorded.
    pub(super) fn refusal(&self, step: Step, recipients: &[String]) -> Option<&'static str> {
        let Some(Trouble::Refuses(at, answer)) = self.trouble() else { return None };
        if at != step {
            return None;
        }
        if answer.starts_with('5') && step != Step::Sender {
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).extend(recipients.iter().cloned());
        }
        Some(answer)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, letters: Vec<Letter>) {
        self.lock().extend(letters);
        self.arrived.notify_all();
    }
}

impl Letter {
    pub(super) fn read(recipients: &[String], source: &[u8]) -> Vec<Self> {
        let message = MessageParser::default().parse(source).unwrap_or_default();
        let text = message.body_text(0).unwrap_or_default();
        let html = message.body_html(0).unwrap_or_default();
        let to_one = |to: &String| Self {
            to: to.clone(),
            message_id: message.message_id().unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: text.clone().into_owned(),
            html: html.clone().into_owned(),
        };
        recipients.iter().map(to_one).collect()
    }

    /// The code: the first word of only four to eight digits.
    ///
    /// # Panics
    /// If there is none.
    pub fn code(&self) -> String {
        let is_code = |word: &&str| (4..=8).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
        let code = self.text.split_whitespace().find(is_code);
        code.unwrap_or_else(|| panic!("no code in {self:?}")).to_owned()
    }

    /// The link: the first word that is a URL.
    ///
    /// # Panics
    /// If there is none.
    pub fn link(&self) -> &str {
        let link = self.text.split_whitespace().find(|word| word.starts_with("http"));
        link.unwrap_or_else(|| panic!("no link in {self:?}"))
    }

    /// The part of the link after its last `=`.
    ///
    /// # Panics
    /// If there is none.
    pub fn token(&self) -> &str {
        self.link().rsplit_once('=').unwrap_or_else(|| panic!("no token in {self:?}")).1
    }
}
