//! A mailbox inside the process: the inbox of the development server and of tests.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use vestibule::{Email, Secret, SendAttempt, SendError, Timestamp};

use crate::letter::Letter;

/// How long to wait for a provider that does not answer.
const STALL_MAX: Duration = Duration::from_mins(1);
/// Beyond this, the newest message replaces the oldest.
const MESSAGES_MAX: usize = 1000;

/// A mailbox in memory with at most 1000 messages. Clones share one mailbox.
#[derive(Clone, Debug)]
pub struct Memory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    messages: Mutex<Messages>,
    arrived: Notify,
    fault: watch::Sender<Fault>,
}

#[derive(Debug, Default)]
struct Messages {
    kept: VecDeque<Arc<Received>>,
    last_number: u64,
}

/// A message in the mailbox.
#[derive(Clone)]
pub struct Received {
    /// Counts from 1 in the order of arrival.
    pub number: u64,
    /// The kind of mail, as [`vestibule::MailContent::kind`].
    pub kind: &'static str,
    /// The recipient.
    pub to: Email,
    /// The subject.
    pub subject: String,
    /// The plain text body.
    pub text: String,
    /// The HTML body.
    pub html: String,
    /// The MIME source.
    pub source: String,
    /// The code in it, if there is one.
    pub code: Option<Secret>,
    /// The link with a token in it, if there is one.
    pub link: Option<Secret>,
    /// When its cause happened.
    pub created_at: Timestamp,
}

/// The kind of provider the mailbox simulates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// A working provider.
    #[default]
    Ok,
    /// An unreachable provider.
    Unreachable,
    /// A provider that asks to try again later.
    Temporary,
    /// A provider that refuses permanently.
    Permanent,
    /// A provider that does not answer, until the fault is changed.
    Stall,
}

impl Memory {
    /// An empty, working mailbox.
    pub fn new() -> Self {
        let inner =
            Inner { messages: Mutex::default(), arrived: Notify::new(), fault: watch::Sender::default() };
        Self { inner: Arc::new(inner) }
    }

    /// All messages, oldest first.
    pub fn list(&self) -> Vec<Arc<Received>> {
        self.messages().kept.iter().cloned().collect()
    }

    /// The newest message to this address.
    pub fn latest(&self, to: &Email) -> Option<Arc<Received>> {
        self.messages().kept.iter().rev().find(|message| message.to == *to).cloned()
    }

    /// The oldest message to this address with a number above `after`; waits for it at most `timeout`.
    pub async fn wait_for(&self, to: &Email, after: u64, timeout: Duration) -> Option<Arc<Received>> {
        let wait = async {
            loop {
                // Registered before looking, so that messages arriving in between wake it.
                let mut arrived = std::pin::pin!(self.inner.arrived.notified());
                arrived.as_mut().enable();
                if let Some(message) = self.first_after(to, after) {
                    return message;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(timeout, wait).await.ok()
    }

    /// Empties the mailbox. Numbering continues.
    pub fn clear(&self) {
        self.messages().kept.clear();
    }

    /// Changes the simulated fault, from the next message on; a stalled one continues with the new fault.
    pub fn set_fault(&self, fault: Fault) {
        self.inner.fault.send_replace(fault);
    }

    /// The simulated fault.
    pub fn fault(&self) -> Fault {
        *self.inner.fault.borrow()
    }

    pub(crate) async fn deliver(&self, letter: &Letter, attempt: &SendAttempt) -> Result<(), SendError> {
        let mut fault = self.inner.fault.subscribe();
        let answer = fault.wait_for(|fault| *fault != Fault::Stall);
        let Ok(fault) = tokio::time::timeout(STALL_MAX, answer).await else {
            let cause = format!("not handed over within {} s", STALL_MAX.as_secs());
            return Err(SendError::Temporary(cause));
        };
        match fault.map_or(Fault::Ok, |fault| *fault) {
            Fault::Unreachable => {
                return Err(SendError::Temporary("the mailbox is told not to be there".to_owned()));
            }
            Fault::Temporary => {
                return Err(SendError::Deferred("the mailbox is told to fail for now".to_owned()));
            }
            Fault::Permanent => return Err(SendError::Permanent("the mailbox is told to refuse".to_owned())),
            Fault::Ok | Fault::Stall => {}
        }
        attempt.leaves().await?;
        self.messages().add(letter);
        self.inner.arrived.notify_waiters();
        Ok(())
    }

    fn first_after(&self, to: &Email, after: u64) -> Option<Arc<Received>> {
        self.messages().kept.iter().find(|message| message.number > after && message.to == *to).cloned()
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.inner.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Messages {
    fn add(&mut self, letter: &Letter) {
        self.last_number += 1;
        self.kept.push_back(Arc::new(Received {
            number: self.last_number,
            kind: letter.kind(),
            to: letter.to().clone(),
            subject: letter.subject().to_owned(),
            text: letter.text().to_owned(),
            html: letter.html().to_owned(),
            source: String::from_utf8_lossy(letter.source()).into_owned(),
            code: letter.code().cloned(),
            link: letter.link().cloned(),
            created_at: letter.created_at(),
        }));
        if self.kept.len() > MESSAGES_MAX {
            self.kept.pop_front();
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// Bodies contain codes and links: a log shows only the number and the kind.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("number", &self.number)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
