//! What an instance measures of itself, for an operator who watches it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::domain::access::way::Way;
use crate::domain::audit::AuditKind;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::{outbox, sessions};

/// Sessions are counted up to here.
const SESSIONS_MOST: i64 = 10_000;
/// Messages are counted up to here.
const MAILS_MOST: i64 = 1_000;

/// What this instance has done since it started. Reading it takes no lock that an operation takes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Measures {
    /// What was written to the audit trail.
    pub events: Vec<(AuditKind, u64)>,
    /// How the sessions began.
    pub sign_ins: Vec<(Way, u64)>,
    /// Refresh tokens exchanged.
    pub refreshes: u64,
    /// Passwords waiting for the hash threads, or with them.
    pub hashes_waiting: u64,
    /// Passwords refused because too many waited.
    pub hashes_refused: u64,
    /// Passwords that were hashed or compared, and how long that took together, with the time in the queue.
    pub hashes: (u64, Duration),
    /// How long one hash takes at present, without the time in the queue.
    pub hash_time: Duration,
    /// Work of the database by class, and how long it took together, with the time in queues.
    pub database: [(WorkClass, u64, Duration); 3],
    /// SQLite: commits, and the changes that were in them.
    pub commits: Option<(u64, u64)>,
    /// How old the key is that signs now.
    pub signing_key_age: Option<Duration>,
}

/// What the database was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkClass {
    /// To look something up.
    Read,
    /// To change something, in a transaction.
    Write,
    /// To look through many rows.
    Survey,
}

impl WorkClass {
    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Survey => "survey",
        }
    }
}

/// What is in the database now, counted to a bound.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Backlog {
    /// Active sessions, counted up to 10,000.
    pub sessions_live: i64,
    /// Messages that wait, counted up to 1,000.
    pub mails_waiting: i64,
    /// When the oldest of them was queued.
    pub oldest_mail_at: Option<Timestamp>,
    /// Dead letters, counted up to 1,000.
    pub mails_failed: i64,
}

impl Accounts {
    /// What this instance has done since it started.
    pub fn measures(&self) -> Measures {
        let core = &self.0;
        let (load, times) = (core.hasher.load(), core.store.times());
        let class = |class, (number, time)| (class, number, time);
        let now = core.now();
        Measures {
            events: core.tally.events(),
            sign_ins: core.tally.ways(),
            refreshes: core.tally.refreshes(),
            hashes_waiting: load.waiting.load(Ordering::Relaxed),
            hashes_refused: load.refused.load(Ordering::Relaxed),
            hashes: load.answered.read(),
            hash_time: core.hasher.pace(),
            database: [
                class(WorkClass::Read, times.reads.read()),
                class(WorkClass::Write, times.writes.read()),
                class(WorkClass::Survey, times.surveys.read()),
            ],
            commits: core
                .store
                .groups()
                .map(|it| (it.commits.load(Ordering::Relaxed), it.jobs.load(Ordering::Relaxed))),
            signing_key_age: core.keys().signs_since(now).map(|since| now.since(since)),
        }
    }

    /// What is in the database now. It looks through many rows: ask for it now and then.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn backlog(&self) -> Result<Backlog, Fault> {
        let now = self.0.now();
        let idle = now - self.0.policy().tokens.session_idle;
        let read = move |tx: &mut Tx<'_>| -> Result<Backlog, Fault> {
            let (mails_waiting, oldest_mail_at) = outbox::count_waiting(tx, MAILS_MOST)?;
            Ok(Backlog {
                sessions_live: sessions::count_live(tx, now, idle, SESSIONS_MOST)?,
                mails_waiting,
                oldest_mail_at,
                mails_failed: outbox::count_failed(tx, MAILS_MOST)?,
            })
        };
        self.0.store.survey(read).await
    }
}
