//! Messages of the outbox, as administrators and operators see them.

use crate::domain::email::Email;
use crate::domain::ids::MailId;
use crate::domain::time::Timestamp;

/// The state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It is sent when it is due.
    Waiting,
    /// The relay has accepted it.
    Sent,
    /// It was given up: a dead letter.
    Failed,
}

impl MailState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::Failed];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A message of the outbox. It contains no text, link or code: those are made when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMail {
    /// Names the message; its Message-ID.
    pub id: MailId,
    /// Its kind, such as `confirm`.
    pub kind: String,
    /// Its state.
    pub state: MailState,
    /// The recipient, if still known: the sign-up or user may have been deleted.
    pub to: Option<Email>,
    /// When its cause happened.
    pub created_at: Timestamp,
    /// When it is next tried.
    pub due_at: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When the relay accepted it.
    pub sent_at: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Option<Timestamp>,
}
