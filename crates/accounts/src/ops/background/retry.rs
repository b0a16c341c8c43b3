//! When an attempt is repeated, and when it is given up (M6).

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::domain::time::Timestamp;
use crate::env::Env;
use crate::fault::Fault;
use crate::mail::SendError;
use crate::traffic::LONGEST_DELAY;

/// Items leased per step of a worker.
pub(crate) const BATCH: usize = 16;
/// A worker that has not renewed its lease by then is considered dead, and its message is sent again.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// A lease is renewed when this much of it is left, so that a slow database does not cost it.
const RENEWED_BEFORE: Duration = Duration::from_secs(10);
/// The pause before another try when the database did not renew the lease.
const ASKED_AGAIN: Duration = Duration::from_secs(1);
/// The wait after the first failure; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_secs(30);
/// A failed attempt.
pub(crate) struct Attempt<'a> {
    pub(crate) id: &'a [u8; 16],
    /// Its number, counted from 1.
    pub(crate) number: i64,
    /// When it was queued.
    pub(crate) since: Timestamp,
    /// How long to keep trying.
    pub(crate) patience: Duration,
}

impl Attempt<'_> {
    /// When to try again after this failure; `None` to give up.
    pub(crate) fn next(&self, failure: &SendError, now: Timestamp) -> Option<Timestamp> {
        let end = self.since + self.patience;
        let due_at = now + self.back_off();
        match failure {
            SendError::Temporary(_)
            | SendError::Refused(_)
            | SendError::Deferred(_)
            | SendError::Uncertain(_) => Some(due_at).filter(|due_at| *due_at < end),
            SendError::Throttled { retry_after, .. } => {
                let due_at = due_at.max(now + *retry_after);
                // The last attempt comes before the end, even if it is too early.
                Some(due_at.min(end - FIRST_DELAY)).filter(|due_at| *due_at > now)
            }
            SendError::Permanent(_) => None,
        }
    }

    /// 30 s · 2ⁿ, at most an hour, plus up to a quarter that depends on the id, so that not all return together.
    fn back_off(&self) -> Duration {
        let doublings = u32::try_from(self.number - 1).unwrap_or(0).min(7);
        let wait = (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY);
        let spread = self.id.last().copied().unwrap_or(0);
        wait + wait * u32::from(spread) / 1024
    }
}

/// The result of `work`; meanwhile `renew` extends the lease, and says whether it is still ours.
pub(crate) async fn while_kept<T, R>(
    env: &Env,
    taken_at: Timestamp,
    renew: impl Fn(Timestamp) -> R,
    work: impl Future<Output = T>,
) -> T
where
    R: Future<Output = Result<bool, Fault>>,
{
    let mut work = pin!(work);
    let mut next = taken_at + LEASE - RENEWED_BEFORE;
    loop {
        if let Either::Left((result, _)) = select(work.as_mut(), pin!(env.until(next))).await {
            return result;
        }
        let until = env.now() + LEASE;
        let mut renewing = pin!(renew(until));
        let renewed = match select(work.as_mut(), renewing.as_mut()).await {
            Either::Left((result, _)) => {
                // Not cut off: a renewal must not come after the outcome is recorded.
                let _ = renewing.await;
                return result;
            }
            Either::Right((renewed, _)) => renewed,
        };
        next = match renewed {
            Ok(true) => until - RENEWED_BEFORE,
            Ok(false) => return work.await,
            // When the lease is over any worker may take it, as if this one had died.
            Err(fault) => {
                tracing::warn!(%fault, "what is being handed over was not kept");
                env.now() + ASKED_AGAIN
            }
        };
    }
}
