//! When what could not be handed over is tried again, and when it is given up (M6).

use std::time::Duration;

use crate::{SendError, Timestamp};

/// What a worker's step takes at once.
pub(super) const BATCH: i64 = 16;
/// A worker that has not finished by then is taken for dead; transports give up after a minute.
pub(super) const LEASE: Duration = Duration::from_secs(90);
/// The wait after the first failure; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_secs(30);
/// The longest wait, but for its spread.
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// A hand-over that was tried.
pub(super) struct Attempt<'a> {
    pub(super) id: &'a [u8; 16],
    /// How many there have been, this one included.
    pub(super) number: i64,
    /// Since when it has been tried.
    pub(super) since: Timestamp,
    /// After this long it is given up.
    pub(super) patience: Duration,
}

impl Attempt<'_> {
    /// When to try again after this failure; `None` to give up.
    pub(super) fn next(&self, failure: &SendError, now: Timestamp) -> Option<Timestamp> {
        let due_at = now + self.back_off();
        match failure {
            SendError::Temporary(_) | SendError::Deferred(_) => {
                Some(due_at).filter(|due_at| *due_at < self.since + self.patience)
            }
            SendError::Permanent(_) => None,
        }
    }

    /// 30 s · 2ⁿ, at most an hour, plus up to a quarter that depends on the id, so that not all come back at once.
    fn back_off(&self) -> Duration {
        let doublings = u32::try_from(self.number - 1).unwrap_or(0).min(7);
        let wait = (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY);
        let spread = self.id.last().copied().unwrap_or(0);
        wait + wait * u32::from(spread) / 1024
    }
}
