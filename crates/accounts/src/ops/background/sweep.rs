//! The sweeper's step, and what a ready check asks.

use crate::accounts::Accounts;
use crate::domain::time::{MONTH, SKEW, Timestamp};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::migrations::{NEWEST, version};
use crate::store::tables::{
    audit, challenges, invitations, keys, limits, outbox, registrations, sessions, webhooks,
};

/// Rows that one transaction deletes at most, so that nobody waits for it.
const ROWS: i64 = 1000;

/// What is over, and since when.
#[derive(Clone, Copy)]
struct Times {
    now: Timestamp,
    month_ago: Timestamp,
    idempotency: Timestamp,
    audit: Timestamp,
    hard_stop: i64,
}

type Sweep = fn(&mut Tx<'_>, &Times) -> Result<u64, Fault>;

const SWEEPS: [Sweep; 14] = [
    |tx, times| registrations::sweep(tx, times.now, ROWS),
    |tx, times| challenges::sweep(tx, times.now, ROWS),
    |tx, times| invitations::sweep(tx, times.now, ROWS),
    |tx, times| sessions::sweep_tokens(tx, times.now, ROWS),
    |tx, times| sessions::sweep(tx, times.now, ROWS),
    |tx, times| outbox::sweep(tx, times.month_ago, ROWS),
    |tx, times| limits::sweep_events(tx, times.month_ago, ROWS),
    |tx, times| limits::sweep_subjects(tx, times.month_ago, times.hard_stop, ROWS),
    |tx, times| audit::sweep(tx, times.audit, ROWS),
    |tx, times| webhooks::sweep(tx, times.month_ago, ROWS),
    |tx, times| keys::sweep_signing(tx, times.now, times.month_ago),
    |tx, times| keys::sweep_idempotency(tx, times.idempotency, ROWS),
    // The clock went back: what lies ahead of it would wait for it.
    |tx, times| limits::bring_back(tx, times.now + SKEW, times.now, ROWS),
    |tx, times| outbox::bring_back(tx, times.now + SKEW, times.now, ROWS),
];

/// The state that a ready check reports.
#[derive(Clone, Debug)]
pub struct Health {
    /// Messages that wait in the outbox, counted to [`COUNTED`](Self::COUNTED).
    pub mails_waiting: i64,
    /// When the oldest of those counted was queued.
    pub oldest_mail_at: Option<Timestamp>,
    /// Dead letters, counted to [`COUNTED`](Self::COUNTED).
    pub mails_failed: i64,
    /// Why no mail gets through at present, as far as this instance knows.
    pub last_mail_error: Option<String>,
}

impl Health {
    /// Messages are counted so far and no further: a ready check costs the same however many there are.
    pub const COUNTED: i64 = 1000;
}

impl Accounts {
    /// Forgets what has expired, at most a thousand rows of each table a step; returns how many rows went. Also follows
    /// the database's clock and reads the signing keys. Call it about once a minute, and after a rest again while it
    /// finds something.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn sweep(&self) -> Result<usize, Fault> {
        let core = &self.0;
        if let Some(database_now) = core.store.now().await? {
            core.settings.env.follow(database_now);
        }
        let now = core.now();
        core.read_keys().await?;
        let times = Times {
            now,
            month_ago: now - MONTH,
            idempotency: now - core.policy().sign_up.idempotency_lifetime,
            audit: now - core.policy().audit_retention,
            hard_stop: core.policy().sign_in.hard_stop,
        };
        let mut rows = 0;
        // A transaction for each, so that nobody waits for all of them.
        for sweep in SWEEPS {
            rows += core.store.write(move |tx| sweep(tx, &times)).await?;
        }
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    /// Whether a sign-up would work now: the store takes writes and has the schema of this program. Mail that is failing
    /// is reported, but does not count: the message would wait.
    ///
    /// Writes are believed in where one succeeded in the last ten seconds and none has failed since; else one is tried.
    ///
    /// # Errors
    /// [`Fault`] with the cause when a sign-up would not work.
    pub async fn health(&self) -> Result<Health, Fault> {
        let core = &self.0;
        if core.store.is_damaged() {
            return Err(Fault::Unavailable("the database is damaged: restore the last backup".into()));
        }
        // A full disk and a read-only replica answer reads and refuse writes.
        if !core.store.takes_writes() {
            core.store.write(limits::probe).await?;
        }
        let (found, (mails_waiting, oldest_mail_at, mails_failed)) = core
            .store
            .read(|tx| -> Result<_, Fault> { Ok((version(tx)?, outbox::counts(tx, Health::COUNTED)?)) })
            .await?;
        if found != NEWEST {
            return Err(Fault::Unavailable(format!("the schema has version {found} instead of {NEWEST}")));
        }
        Ok(Health {
            mails_waiting,
            oldest_mail_at,
            mails_failed,
            last_mail_error: core.traffic.outage(core.now()).map(|error| error.to_string()),
        })
    }

    /// Whether no mail gets through at present, as far as this instance knows.
    pub fn is_mail_down(&self) -> bool {
        self.0.traffic.outage(self.0.now()).is_some()
    }
}
