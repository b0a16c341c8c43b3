//! The outbox, as administrators and operators see and help it.

use crate::ops::admin::{Actor, AdminError, UserRef, find};
use crate::ops::audit::Entry;
use crate::ops::cursor::{List, PageSize};
use crate::ops::list_users::Page;
use crate::store::Tx;
use crate::store::outbox::{self, Place};
use crate::{Accounts, AuditKind, Email, Fault, MailId, Timestamp};

/// Dead letters that one transaction brings back at most.
const BATCH: i64 = 1000;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It is handed over when it is due.
    Waiting,
    /// The relay has taken it.
    Sent,
    /// Given up: a dead letter.
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

/// A message of the outbox. It has no text, no link and no code: those are made when it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMail {
    /// Names the message; its Message-ID.
    pub id: MailId,
    /// What it is, such as `confirm`.
    pub kind: String,
    /// What became of it.
    pub state: MailState,
    /// Whom it is for, as long as that is known: sign-ups and users may be gone.
    pub to: Option<Email>,
    /// When its cause happened.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub due_at: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When the relay took it.
    pub sent_at: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Option<Timestamp>,
}

/// Which messages to list.
#[derive(Clone, Debug, Default)]
pub struct MailQuery {
    /// Only messages of this state.
    pub state: Option<MailState>,
    /// Messages per page, 1 to 200; 50 where it is `None`.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// Why a message was left alone.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The actor does not have the role `admin`.
    #[error("this needs the role admin")]
    Forbidden,
    /// There is no such message.
    #[error("there is no such message in the outbox")]
    NotFound,
    /// The relay has it.
    #[error("the message was handed over before")]
    AlreadySent,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// A page of the outbox: newest first, or, of those that wait, in the order of their turn.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`LimitInvalid`](AdminError::LimitInvalid),
    /// [`CursorInvalid`](AdminError::CursorInvalid), [`Fault`](AdminError::Fault).
    pub async fn list_mail(
        &self,
        actor: Actor<'_>,
        query: &MailQuery,
    ) -> Result<Page<QueuedMail>, AdminError> {
        actor.must_be_admin()?;
        let (size, state) = (PageSize::new(query.limit)?, query.state);
        let name = state.map_or("", MailState::name);
        let list = List { root: &self.0.root, conditions: &[b"mail", name.as_bytes()] };
        let from = match &query.cursor {
            None => Place::start(state),
            Some(cursor) => place(&list.open(cursor)?).ok_or(AdminError::CursorInvalid)?,
        };
        let read = move |tx: &mut Tx<'_>| outbox::page(tx, state, from, size.and_one_more());
        let items: Vec<QueuedMail> = self.0.store.read(read).await.map_err(AdminError::Fault)?;
        let end = |last: &QueuedMail| format!("{} {}", last.due_at.map_or(0, Timestamp::as_millis), last.id);
        Ok(size.page(items, |last| list.cursor(&end(last))))
    }

    /// The messages to a user, newest first, at most 50: about the account and its links, and about the sign-ups and
    /// the invitation of its address. The link to a new address is among them, with that address in `to`. A link that a
    /// newer one replaced belongs to nobody any more, and neither does its message.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::NotFound`], [`AdminError::Fault`].
    pub async fn mails_to(&self, actor: Actor<'_>, user: &UserRef) -> Result<Vec<QueuedMail>, AdminError> {
        actor.must_be_admin()?;
        let user = user.clone();
        let read = move |tx: &mut Tx<'_>| -> Result<Vec<QueuedMail>, AdminError> {
            let account = find(tx, &user)?;
            Ok(outbox::to_user(tx, account.id)?)
        };
        self.0.store.read(read).await
    }

    /// Makes a message due now, a dead letter, too. Where a worker is handing it over at this moment it may go twice, under
    /// the same Message-ID and with the same link and code. What nobody needs any more is dropped when its turn comes.
    ///
    /// # Errors
    /// [`OutboxError::Forbidden`], [`NotFound`](OutboxError::NotFound), [`AlreadySent`](OutboxError::AlreadySent),
    /// [`Fault`](OutboxError::Fault).
    pub async fn retry_mail(&self, actor: Actor<'_>, id: MailId) -> Result<QueuedMail, OutboxError> {
        let entry = assisting(actor)?;
        let (inner, now) = (self.0.clone(), self.0.now());
        let retry = move |tx: &mut Tx<'_>| -> Result<QueuedMail, OutboxError> {
            let mail = unsent(tx, id)?;
            if !outbox::retry(tx, id, now)? {
                return Err(OutboxError::AlreadySent);
            }
            about(&entry, &mail, "tried again").write(tx, &inner, now)?;
            unsent(tx, id)
        };
        let mail = self.0.store.write(retry).await?;
        self.0.mail_queued.notify_one();
        Ok(mail)
    }

    /// Makes all dead letters due now; says how many.
    ///
    /// # Errors
    /// [`OutboxError::Forbidden`], [`OutboxError::Fault`]: what was brought back before it, stays so.
    pub async fn retry_failed_mail(&self, actor: Actor<'_>) -> Result<usize, OutboxError> {
        let entry = assisting(actor)?;
        let (mut number, mut after) = (0, MailId::from_bytes([0; 16]));
        loop {
            let (inner, entry, now) = (self.0.clone(), entry.clone(), self.0.now());
            let retry = move |tx: &mut Tx<'_>| -> Result<Vec<MailId>, Fault> {
                let ids = outbox::retry_failed(tx, after, now, BATCH)?;
                if !ids.is_empty() {
                    entry.detail(format!("{} dead letters tried again", ids.len())).write(tx, &inner, now)?;
                }
                Ok(ids)
            };
            let ids = self.0.store.write(retry).await?;
            // Behind the last one: what fails again meanwhile is not brought back for ever.
            let Some(last) = ids.iter().max() else { break };
            (number, after) = (number + ids.len(), *last);
        }
        self.0.mail_queued.notify_one();
        Ok(number)
    }

    /// Takes a message that was not sent out of the outbox, for good.
    ///
    /// # Errors
    /// [`OutboxError::Forbidden`], [`NotFound`](OutboxError::NotFound), [`AlreadySent`](OutboxError::AlreadySent),
    /// [`Fault`](OutboxError::Fault).
    pub async fn drop_mail(&self, actor: Actor<'_>, id: MailId) -> Result<(), OutboxError> {
        let entry = assisting(actor)?;
        let (inner, now) = (self.0.clone(), self.0.now());
        let remove = move |tx: &mut Tx<'_>| -> Result<(), OutboxError> {
            let mail = unsent(tx, id)?;
            if !outbox::remove(tx, id)? {
                return Err(OutboxError::AlreadySent);
            }
            Ok(about(&entry, &mail, "dropped").write(tx, &inner, now)?)
        };
        self.0.store.write(remove).await
    }
}

fn assisting(actor: Actor<'_>) -> Result<Entry, OutboxError> {
    actor.must_be_admin().map_err(|_| OutboxError::Forbidden)?;
    Ok(Entry::by(AuditKind::Assisted, actor))
}

fn about(entry: &Entry, mail: &QueuedMail, what: &str) -> Entry {
    let entry = entry.detail(format!("mail {} ({}) {what}", mail.id, mail.kind));
    mail.to.as_ref().map_or_else(|| entry.clone(), |email| entry.address(email))
}

fn unsent(tx: &mut Tx<'_>, id: MailId) -> Result<QueuedMail, OutboxError> {
    let mail = outbox::by_id(tx, id)?.ok_or(OutboxError::NotFound)?;
    if mail.state == MailState::Sent { Err(OutboxError::AlreadySent) } else { Ok(mail) }
}

fn place(text: &str) -> Option<Place> {
    let (due, id) = text.split_once(' ')?;
    Some(Place { due: Timestamp::from_millis(due.parse().ok()?), id: id.parse().ok()? })
}
