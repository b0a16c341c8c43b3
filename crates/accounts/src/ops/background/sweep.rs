//! The step of the sweeper, and the state for readiness checks.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::time::{HOUR, MONTH, SKEW, Timestamp};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::copy::hold::{self, Role};
use crate::store::migrations::{NEWEST, version};
use crate::store::tables::application::{assertions, codes, requests};
use crate::store::tables::users::search;
use crate::store::tables::{
    audit, challenges, invitations, keys, limits, outbox, passkeys, registrations, sessions,
    sign_in_challenges, webhooks,
};

/// Rows deleted per transaction at most, so that nothing waits long for it.
const ROWS: i64 = 1000;

/// Users indexed per transaction at most: each has some thirty rows in the index.
const INDEXED: i64 = 250;
/// Such transactions per step.
const INDEXED_TIMES: usize = 4;

/// The times before which things have expired.
#[derive(Clone, Copy)]
struct Times {
    now: Timestamp,
    month_ago: Timestamp,
    idempotency: Timestamp,
    audit: Timestamp,
    hard_stop: i64,
}

type Sweep = fn(&mut Tx<'_>, &Times) -> Result<u64, Fault>;

const SWEEPS: [Sweep; 19] = [
    |tx, times| registrations::sweep(tx, times.now, ROWS),
    |tx, times| challenges::sweep(tx, times.now, ROWS),
    |tx, times| sign_in_challenges::sweep(tx, times.now, ROWS),
    |tx, times| requests::sweep(tx, times.now, ROWS),
    // A used one is kept for a while, so that its second use is noticed.
    |tx, times| codes::sweep(tx, times.now - HOUR, ROWS),
    // While it counts anywhere, whichever clock that goes by.
    |tx, times| assertions::sweep(tx, times.now - SKEW, ROWS),
    |tx, times| passkeys::sweep_ceremonies(tx, times.now, ROWS),
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
    // After the clock was set back, events ahead of it would stay too long.
    |tx, times| limits::bring_back(tx, times.now + SKEW, times.now, ROWS),
    |tx, times| outbox::bring_back(tx, times.now + SKEW, times.now, ROWS),
];

/// The state reported by a readiness check.
#[derive(Clone, Debug)]
pub struct Health {
    /// Messages waiting in the outbox, counted up to [`COUNTED`](Self::COUNTED).
    pub mails_waiting: i64,
    /// When the oldest of those counted was queued.
    pub oldest_mail_at: Option<Timestamp>,
    /// Dead letters, counted up to [`COUNTED`](Self::COUNTED).
    pub mails_failed: i64,
    /// Why no mail currently gets through, as far as this instance knows.
    pub last_mail_error: Option<String>,
}

impl Health {
    /// The bound of counting messages: a readiness check costs the same however many there are.
    pub const COUNTED: i64 = 1000;
}

/// Refuses once the accounts have moved to another database.
fn is_being_moved(tx: &mut Tx<'_>) -> Result<(), Fault> {
    match hold::role(tx)? {
        Some(Role::Source { to, finished_at: Some(_) }) => {
            Err(Fault::Unavailable(format!("the accounts have moved to {to}")))
        }
        _ => Ok(()),
    }
}

/// Indexes users for searching who are not yet.
async fn index_users(core: &Core) -> Result<u64, Fault> {
    let mut indexed = 0;
    for _ in 0..INDEXED_TIMES {
        let now = core.store.write(|tx| search::index_more(tx, INDEXED)).await?;
        indexed += now;
        if now == 0 {
            break;
        }
    }
    Ok(indexed)
}

impl Accounts {
    /// Deletes what has expired, at most a thousand rows of each table per step, indexes up to a thousand users for searching
    /// who came without the index, and tells up to fifty users that a second
    /// factor is due, where a policy demands one; returns how many rows were deleted or changed. Also follows the database's
    /// clock and reads the signing keys. Call it about once a minute, and again after a pause while it finds something.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
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
            hard_stop: core.limits().hard_stop,
        };
        let mut rows = 0;
        // A transaction for each, so that nothing waits for all of them.
        for sweep in SWEEPS {
            rows += core.store.write(move |tx| sweep(tx, &times)).await?;
        }
        rows += index_users(core).await?;
        rows += core.clone().reseal_authenticators(ROWS).await?;
        rows += core.clone().bring_in_step().await?;
        #[cfg(feature = "import")]
        core.learn_foreign_hashes().await?;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    /// Whether a sign-up would work now: the store accepts writes and has this program's schema. Failing mail is
    /// reported but does not count: the message would wait.
    ///
    /// If a write has succeeded in the last ten seconds and none has failed since, writes are assumed to work;
    /// otherwise one is tried. While the accounts are copied to another database, reads go on, so this is no failure; once
    /// they have moved, it is.
    ///
    /// # Errors
    /// [`Fault`] with the cause if a sign-up would not work.
    pub async fn health(&self) -> Result<Health, Fault> {
        let core = &self.0;
        if core.store.is_damaged() {
            return Err(Fault::Unavailable("the database is damaged: restore the last backup".into()));
        }
        // A full disk and a read-only replica answer reads and refuse writes.
        if !core.store.takes_writes() {
            match core.store.write(limits::probe).await {
                Err(Fault::ReadOnly) => core.store.read(is_being_moved).await?,
                probed => probed?,
            }
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

    /// Whether mail currently does not get through, as far as this instance knows.
    pub fn is_mail_down(&self) -> bool {
        self.0.traffic.outage(self.0.now()).is_some()
    }
}
