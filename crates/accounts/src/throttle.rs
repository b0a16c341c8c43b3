//! Counts recent actions per client in memory: for actions too frequent to store, and harmless beyond the work they
//! cause. Limits that must hold across instances and restarts are counted in the store (`limits.rs`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::policy::Rate;
use crate::store::tables::limits::Subject;

/// Clients remembered at a time, in 80 KiB. A further one replaces another, whose count then starts again: whoever has
/// that many addresses has that many quotas anyway.
const PLACES: usize = 2048;

/// The current window of each client. Memory is allocated with the first.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<Vec<Option<Window>>>);

/// A client's window begins with its first counted action; when the window ends, its count is dropped.
#[derive(Clone, Copy, Debug)]
struct Window {
    subject: Subject,
    begun: Timestamp,
    number: i64,
}

impl Throttle {
    /// `Some`: the client must wait that long; otherwise the action is counted.
    pub(crate) fn take(&self, subject: Subject, rate: Rate, now: Timestamp) -> Option<Duration> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.resize(PLACES, None);
        let place = places.get_mut(place_of(&subject))?;
        // A clock that was set back does not lengthen a wait.
        let goes_on = |window: &&mut Window| {
            window.subject == subject && (window.begun..window.begun + rate.window).contains(&now)
        };
        if let Some(window) = place.as_mut().filter(goes_on) {
            if window.number >= rate.most {
                return Some((window.begun + rate.window).since(now));
            }
            window.number += 1;
            return None;
        }
        *place = Some(Window { subject, begun: now, number: 1 });
        None
    }
}

/// Subjects are keyed hashes: nobody can choose their place.
fn place_of(subject: &Subject) -> usize {
    let [a, b, ..] = *subject;
    usize::from(u16::from_be_bytes([a, b])) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::new(3, Duration::from_mins(1));

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
    }

    #[test]
    fn so_many_in_a_window_and_no_more() {
        let throttle = Throttle::default();
        let takes = |client: u8, seconds| throttle.take([client; 16], RATE, at(seconds));
        assert_eq!([takes(1, 0), takes(1, 10), takes(1, 20)], [None; 3]);
        assert_eq!(takes(1, 30), Some(Duration::from_secs(30)));
        assert_eq!(takes(2, 30), None);
        assert_eq!([takes(1, 59), takes(1, 60)], [Some(Duration::from_secs(1)), None]);
    }

    #[test]
    fn a_clock_that_goes_back_lets_everybody_begin_anew() {
        let throttle = Throttle::default();
        assert_eq!([0, 0, 0].map(|seconds| throttle.take([1; 16], RATE, at(3600 + seconds))), [None; 3]);
        assert_eq!(throttle.take([1; 16], RATE, at(0)), None);
    }

    #[test]
    fn the_memory_is_bounded() {
        let throttle = Throttle::default();
        for number in 0..10_000_u32 {
            let mut subject = [0; 16];
            subject[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
            assert_eq!(throttle.take(subject, RATE, at(0)), None);
        }
        assert!(size_of::<Option<Window>>() * throttle.0.lock().unwrap().capacity() <= 80 * 1024);
    }
}
