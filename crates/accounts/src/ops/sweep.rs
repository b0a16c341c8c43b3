//! The sweeper's step, and what a ready check asks.

use crate::limits::MONTH;
use crate::store::migrations::{NEWEST, version};
use crate::store::{audit, challenges, invitations, keys, limits, outbox, registrations, sessions, webhooks};
use crate::{Accounts, Fault, SendError, Timestamp};

/// Rows of a table that one step deletes at most, so that nobody waits for it.
const ROWS: i64 = 1000;

/// The state that a ready check reports.
#[derive(Clone, Debug)]
pub struct Health {
    /// Messages that wait in the outbox.
    pub mails_waiting: i64,
    /// When the oldest of them was queued.
    pub oldest_mail_at: Option<Timestamp>,
    /// Dead letters.
    pub mails_failed: i64,
    /// The cause of the last failure to hand over, while mail is failing on this instance.
    pub last_mail_error: Option<String>,
}

impl Accounts {
    /// Forgets what has expired, at most a thousand rows of each table a step; returns how many rows went. Also follows
    /// the database's clock and reads the signing keys. Call it about once a minute.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn sweep(&self) -> Result<usize, Fault> {
        let inner = &self.0;
        if let Some(database_now) = inner.store.now().await? {
            inner.settings.env.follow(database_now);
        }
        let now = inner.now();
        inner.read_keys().await?;
        let forgotten = now - inner.policy().sign_up.idempotency_lifetime;
        let (retention, hard_stop) = (inner.policy().audit_retention, inner.policy().sign_in.hard_stop);
        let rows = inner
            .store
            .write(move |tx| -> Result<u64, Fault> {
                Ok(registrations::sweep(tx, now, ROWS)?
                    + challenges::sweep(tx, now, ROWS)?
                    + invitations::sweep(tx, now, ROWS)?
                    + sessions::sweep(tx, now, ROWS)?
                    + outbox::sweep(tx, now - MONTH, ROWS)?
                    + limits::sweep(tx, now - MONTH, hard_stop)?
                    + audit::sweep(tx, now - retention, ROWS)?
                    + webhooks::sweep(tx, now - MONTH, ROWS)?
                    + keys::sweep_signing(tx, now, now - MONTH)?
                    + keys::sweep_idempotency(tx, forgotten)?)
            })
            .await?;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    /// Whether a sign-up would work now: the store takes writes and has the schema of this program. Mail that is failing
    /// is reported, but does not count: the message would wait.
    ///
    /// # Errors
    /// [`Fault`] with the cause when a sign-up would not work.
    pub async fn health(&self) -> Result<Health, Fault> {
        let inner = &self.0;
        // A full disk and a read-only replica answer reads and refuse writes.
        let (found, (mails_waiting, oldest_mail_at, mails_failed)) = inner
            .store
            .write(|tx| -> Result<_, Fault> {
                limits::probe(tx)?;
                Ok((version(tx)?, outbox::counts(tx)?))
            })
            .await?;
        if found != NEWEST {
            return Err(Fault::Unavailable(format!("the schema has version {found} instead of {NEWEST}")));
        }
        Ok(Health {
            mails_waiting,
            oldest_mail_at,
            mails_failed,
            last_mail_error: inner.mail_error().map(|error| error.to_string()),
        })
    }

    /// Whether no mail gets through at present, as far as this instance knows.
    pub fn is_mail_down(&self) -> bool {
        self.outage().is_some()
    }

    pub(super) fn outage(&self) -> Option<SendError> {
        self.0.mail_error().filter(|error| matches!(error, SendError::Temporary(_)))
    }
}
