//! Whether mail currently gets through, as far as this instance knows, and how long sending takes: pretended sending
//! behaves as real sending does (S3).
//!
//! Anyone can sign up with an address whose mail is refused, deferred or slow. So the outcome of a single message says
//! nothing here: only failures that would affect every message count, until one gets through, and pretended sending
//! takes as long as any of the latest real ones.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::ids::MailId;
use crate::domain::time::Timestamp;
use crate::mail::SendError;

/// The number of attempts whose durations are kept.
const KEPT: usize = 16;
/// Longer than between two attempts at a message: a failure not repeated by then is out of date.
const LATELY: Duration = Duration::from_mins(90);
/// An attempt that waits this long for the other side indicates that nothing gets through.
const STUCK_AFTER: Duration = Duration::from_secs(30);
/// A shorter outage has delayed no message for long.
const OUTAGE_MIN: Duration = Duration::from_secs(30);
/// Bounds a pretended wait, in case the clock jumps.
pub(crate) const PACE_MAX: Duration = Duration::from_mins(15);

/// The course of the latest attempts.
#[derive(Debug, Default)]
pub(crate) struct Traffic(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    got_through: VecDeque<Pace>,
    /// When the latest of them got through.
    through_at: Option<Timestamp>,
    /// The latest failure that would affect every message; `None` once one has got through since.
    failing: Option<Failing>,
    /// Before this time the other side wants no messages.
    paused_until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Failing {
    /// Since when nothing has got through.
    since: Timestamp,
    /// When the last failure happened.
    at: Timestamp,
    pace: Pace,
    error: SendError,
}

/// How long an attempt took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// From the lease until the message left, or until it failed.
    pub(crate) before: Duration,
    /// From then to the answer; `None` if it did not leave.
    pub(crate) after: Option<Duration>,
}

impl Traffic {
    /// A message got through, or failed. `true`: it is the first to get through after an outage.
    pub(crate) fn note(&self, pace: Pace, failure: Option<&SendError>, now: Timestamp) -> bool {
        let mut state = self.state();
        match failure {
            None => {
                (state.through_at, state.paused_until) = (Some(now), None);
                state.got_through.push_back(pace);
                if state.got_through.len() > KEPT {
                    state.got_through.pop_front();
                }
                state.failing.take().is_some_and(|failing| failing.since + OUTAGE_MIN <= now)
            }
            Some(error) if error.is_general() => {
                if let SendError::Throttled { retry_after, .. } = error {
                    state.paused_until = Some(now + (*retry_after).min(LONGEST_DELAY));
                }
                let since = state.failing.as_ref().map_or(now, |failing| failing.since);
                state.failing = Some(Failing { since, at: now, pace, error: error.clone() });
                false
            }
            Some(_) => false,
        }
    }

    /// Until when no message is tried, because the other side asked for it: an hour at most.
    pub(crate) fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.state().paused_until.filter(|until| *until > now)
    }

    /// Ends such a pause: someone knows better than the other side.
    pub(crate) fn resume(&self) {
        self.state().paused_until = None;
    }

    /// A message has been waiting this long for any answer of the other side.
    pub(crate) fn waits(&self, so_long: Duration, now: Timestamp) {
        let others_pass = self.state().through_at.is_some_and(|at| at + so_long > now);
        if so_long >= STUCK_AFTER && !others_pass {
            let cause = format!("no answer for {} s so far", so_long.as_secs());
            let pace = Pace { before: STUCK_AFTER, after: None };
            self.note(pace, Some(&SendError::Temporary(cause)), now);
        }
    }

    /// Why nothing currently gets through.
    pub(crate) fn outage(&self, now: Timestamp) -> Option<SendError> {
        self.failing(now).map(|failing| failing.error)
    }

    /// Since when nothing gets through, and why.
    pub(crate) fn failing_since(&self, now: Timestamp) -> Option<(Timestamp, SendError)> {
        self.failing(now).map(|failing| (failing.since, failing.error))
    }

    fn failing(&self, now: Timestamp) -> Option<Failing> {
        self.state().failing.clone().filter(|failing| failing.at + LATELY > now)
    }

    /// How long this message would take if it were a real one.
    pub(crate) fn pace(&self, mail: MailId, now: Timestamp) -> Pace {
        if let Some(failing) = self.failing(now) {
            return failing.pace;
        }
        let state = self.state();
        // The last byte of an id is random.
        let [.., random] = *mail.as_bytes();
        let kept = state.got_through.len().max(1);
        state.got_through.get(usize::from(random) % kept).copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest wait, without its random spread.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_hours(1);
