//! The outbox, as administrators and operators see and manage it.

use crate::accounts::Accounts;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::ids::MailId;
use crate::domain::mail::queued::{MailState, QueuedMail};
use crate::domain::time::Timestamp;
use crate::domain::user::UserRef;
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::paging::{List, Page, PageSize};
use crate::ops::admin::users::find;
use crate::store::Tx;
use crate::store::tables::outbox::{self, Place};
use crate::trail::Entry;

/// Dead letters retried per transaction at most.
const BATCH: i64 = 1000;

/// Which messages to list.
#[derive(Clone, Debug, Default)]
pub struct MailQuery {
    /// Only messages in this state.
    pub state: Option<MailState>,
    /// Messages per page, 1 to 200; 50 if `None`.
    pub limit: Option<u32>,
    /// The cursor at the end of the previous page.
    pub cursor: Option<String>,
}

/// Why a message was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The actor does not have the role `admin`.
    #[error("this needs the role admin")]
    Forbidden,
    /// There is no such message.
    #[error("there is no such message in the outbox")]
    NotFound,
    /// The relay has accepted it.
    #[error("the message was handed over before")]
    AlreadySent,
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// A page of the outbox: newest first, or, for waiting messages, in the order of their turn.
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
        let (items, end) = self.0.store.survey(read).await.map_err(AdminError::Fault)?;
        let cursor = |due: Timestamp, id: MailId| list.cursor(&format!("{} {id}", due.as_millis()));
        let end = end.map(|end| cursor(end.due, end.id));
        let behind = |last: &QueuedMail| cursor(last.due_at.unwrap_or(Timestamp::from_millis(0)), last.id);
        Ok(size.page_until(items, end, behind))
    }

    /// The messages to a user, newest first, at most 50: about the account and its links, and about the sign-ups and
    /// the invitation of its address. The link to a new address is among them, with that address in `to`. A link
    /// replaced by a newer one no longer belongs to anyone, and neither does its message.
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

    /// Makes a message due now, even a dead letter. If a worker is sending it at this moment it may be sent twice,
    /// under the same Message-ID and with the same link and code. A message that is no longer needed is dropped when
    /// its turn comes.
    ///
    /// # Errors
    /// [`OutboxError::Forbidden`], [`NotFound`](OutboxError::NotFound), [`AlreadySent`](OutboxError::AlreadySent),
    /// [`Fault`](OutboxError::Fault).
    pub async fn retry_mail(&self, actor: Actor<'_>, id: MailId) -> Result<QueuedMail, OutboxError> {
        let entry = assisting(actor)?;
        let (core, now) = (self.0.clone(), self.0.now());
        let retry = move |tx: &mut Tx<'_>| -> Result<QueuedMail, OutboxError> {
            let mail = unsent(tx, id)?;
            if !outbox::retry(tx, id, now)? {
                return Err(OutboxError::AlreadySent);
            }
            about(&entry, &mail, "tried again").write(tx, &core, now)?;
            unsent(tx, id)
        };
        let mail = self.0.store.write(retry).await?;
        self.0.traffic.resume();
        self.0.mail_queued.notify_one();
        Ok(mail)
    }

    /// Makes all dead letters due now; returns how many.
    ///
    /// # Errors
    /// [`OutboxError::Forbidden`], [`OutboxError::Fault`]: messages made due before the fault stay due.
    pub async fn retry_failed_mail(&self, actor: Actor<'_>) -> Result<usize, OutboxError> {
        let entry = assisting(actor)?;
        let (mut number, mut after) = (0, MailId::from_bytes([0; 16]));
        loop {
            let (core, entry, now) = (self.0.clone(), entry.clone(), self.0.now());
            let retry = move |tx: &mut Tx<'_>| -> Result<Vec<MailId>, Fault> {
                let ids = outbox::retry_failed(tx, after, now, BATCH)?;
                if !ids.is_empty() {
                    entry.detail(format!("{} dead letters tried again", ids.len())).write(tx, &core, now)?;
                }
                Ok(ids)
            };
            let ids = self.0.store.write(retry).await?;
            // Continue after the last one, so that messages that fail again meanwhile are not retried for ever.
            let Some(last) = ids.iter().max() else { break };
            (number, after) = (number + ids.len(), *last);
        }
        self.0.traffic.resume();
        self.0.mail_queued.notify_one();
        Ok(number)
    }

    /// Deletes an unsent message from the outbox.
    ///
    /// # Errors
    /// [`OutboxError::Forbidden`], [`NotFound`](OutboxError::NotFound), [`AlreadySent`](OutboxError::AlreadySent),
    /// [`Fault`](OutboxError::Fault).
    pub async fn drop_mail(&self, actor: Actor<'_>, id: MailId) -> Result<(), OutboxError> {
        let entry = assisting(actor)?;
        let (core, now) = (self.0.clone(), self.0.now());
        let remove = move |tx: &mut Tx<'_>| -> Result<(), OutboxError> {
            let mail = unsent(tx, id)?;
            if !outbox::remove(tx, id)? {
                return Err(OutboxError::AlreadySent);
            }
            Ok(about(&entry, &mail, "dropped").write(tx, &core, now)?)
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
