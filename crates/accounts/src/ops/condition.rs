//! How a running server is, and what it depends on, for administrators; and the mail with which they try whether mail arrives.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::ids::{AuditId, MailId};
use crate::domain::mail::kind::MailKind;
use crate::domain::mail::queued::MailState;
use crate::domain::time::{DAY, Timestamp};
use crate::fault::Fault;
use crate::limits::take_admin_mail;
use crate::mail::MailContent;
use crate::ops::admin::error::AdminError;
use crate::ops::draft::Draft;
use crate::store::Tx;
use crate::store::condition::DatabaseCondition;
use crate::store::migrations::version;
use crate::store::tables::audit::{self, Filter};
use crate::store::tables::limits::lock;
use crate::store::tables::outbox::{self, Leased, Place};
use crate::token::subject;
use crate::trail::Entry;

/// Messages are counted up to here.
const MAILS_MOST: i64 = 1_000;

/// How a running server is, and what it depends on. What mail and the hash threads do is as far as this instance knows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Condition {
    /// The database.
    pub database: DatabaseCondition,
    /// The version of its schema.
    pub schema: i64,
    /// When the newest message was taken that has been taken.
    pub mail_sent_at: Option<Timestamp>,
    /// Since when no message gets through, and why.
    pub mail_failing: Option<(Timestamp, String)>,
    /// Why one of the waiting messages could not be sent so far.
    pub waiting_error: Option<String>,
    /// Messages that wait, counted up to 1,000.
    pub mails_waiting: i64,
    /// When the oldest of them was queued.
    pub oldest_mail_at: Option<Timestamp>,
    /// Passwords waiting for the hash threads, or with them.
    pub hashes_waiting: u64,
    /// How long one hash takes at present, without the time in the queue.
    pub hash_time: Duration,
    /// Since when the key signs that signs now.
    pub key_signs_since: Option<Timestamp>,
    /// When the newest backup was made that the audit trail knows of.
    pub backed_up_at: Option<Timestamp>,
}

impl Accounts {
    /// How the server is, and what it depends on.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::Fault`].
    pub async fn condition(&self, actor: Actor<'_>) -> Result<Condition, AdminError> {
        actor.must_be_admin()?;
        let core = &self.0;
        let database = core.store.condition(&core.settings.env).await?;
        let now = core.now();
        let read = move |tx: &mut Tx<'_>| -> Result<_, Fault> {
            let sent = Some(MailState::Sent);
            let (sent, _) = outbox::page(tx, sent, Place::start(sent), 1)?;
            let backups = Filter::Kind(AuditKind::BackedUp);
            let backups = audit::before(tx, &backups, AuditId::first_at(now + DAY), 1)?;
            let waiting = (outbox::waiting_error(tx, MAILS_MOST)?, outbox::count_waiting(tx, MAILS_MOST)?);
            Ok((version(tx)?, sent, backups, waiting))
        };
        let (schema, sent, backups, waiting) = core.store.survey(read).await?;
        let (waiting_error, (mails_waiting, oldest_mail_at)) = waiting;
        Ok(Condition {
            database,
            schema,
            mail_sent_at: sent.first().and_then(|mail| mail.sent_at),
            mail_failing: core.traffic.failing_since(now).map(|(since, error)| (since, error.to_string())),
            waiting_error,
            mails_waiting,
            oldest_mail_at,
            hashes_waiting: core.hasher.load().waiting.load(Ordering::Relaxed),
            hash_time: core.hasher.pace(),
            key_signs_since: core.keys().signs_since(now),
            backed_up_at: backups.first().map(|event| event.at),
        })
    }

    /// Queues a message to the address of the administrator who asks for it. It goes the way of all mail, and counts as any
    /// that administrators have sent.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], also for whoever has no address; [`Limited`](AdminError::Limited),
    /// [`Fault`](AdminError::Fault).
    pub async fn send_test_mail(&self, actor: Actor<'_>) -> Result<(), AdminError> {
        actor.must_be_admin()?;
        let Actor::User(who, _) = actor else { return Err(AdminError::Forbidden) };
        let (core, now, account) = (self.0.clone(), self.0.now(), who.account.clone());
        let mail = MailId::from_bytes(core.settings.env.new_id(now));
        let entry = Entry::by(AuditKind::Assisted, actor).about(&account).detail("a test mail to themselves");
        let queue = move |tx: &mut Tx<'_>| -> Result<(), AdminError> {
            let address = subject::address(&core.root, &account.email);
            lock(tx, &address, now)?;
            if let Some(retry_after) = take_admin_mail(tx, &core, &address, now)? {
                return Err(AdminError::Limited { retry_after });
            }
            outbox::push_to(tx, mail, MailKind::Test, account.id.as_bytes(), account.id, now)?;
            Ok(entry.write(tx, &core, now)?)
        };
        self.0.store.write(queue).await?;
        self.0.mail_queued.notify_one();
        Ok(())
    }
}

/// A message that says nothing but that it has arrived.
pub(crate) fn compose(tx: &mut Tx<'_>, leased: &Leased) -> Result<Draft, Fault> {
    Draft::notice(tx, leased, MailContent::Test)
}
