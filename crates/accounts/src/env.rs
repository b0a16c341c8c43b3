//! The surroundings of the library: the only source of time and randomness, and who runs its commands. An operation reads
//! `now` once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::rand;
use tokio::sync::watch;

use crate::domain::access::operator::Operator;
use crate::domain::time::Timestamp;

/// The source of time of an [`Accounts`](crate::Accounts), and its operator. Randomness always comes from the operating
/// system.
#[derive(Clone, Debug, Default)]
pub struct Env {
    clock: Clock,
    /// The last id's time and counter: milliseconds · 4096 + counter.
    last_id: Arc<AtomicU64>,
    operator: Option<Arc<Operator>>,
}

#[derive(Clone, Debug)]
enum Clock {
    /// The machine's clock, corrected by its difference to the database's clock when last compared.
    System {
        ahead_millis: Arc<AtomicI64>,
    },
    Manual(ManualClock),
}

impl Default for Clock {
    fn default() -> Self {
        Self::System { ahead_millis: Arc::default() }
    }
}

/// A clock that moves only when told to, for tests.
#[derive(Clone, Debug)]
pub struct ManualClock(watch::Sender<Timestamp>);

impl ManualClock {
    /// A clock set to `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(watch::Sender::new(start))
    }

    /// Moves the clock forward. Waits for a time that has then come are over.
    pub fn advance(&self, length: Duration) {
        self.0.send_modify(|now| *now = *now + length);
    }

    /// Moves the clock back, as an administrator does to correct it.
    pub fn turn_back(&self, length: Duration) {
        self.0.send_modify(|now| *now = *now - length);
    }

    /// The time on the clock.
    pub fn now(&self) -> Timestamp {
        *self.0.borrow()
    }
}

impl Env {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that a test moves.
    pub fn manual(clock: &ManualClock) -> Self {
        Self { clock: Clock::Manual(clock.clone()), ..Self::default() }
    }

    /// The same, in the hands of this operator: the audit trail names them for what they do as
    /// [`Actor::Operator`](crate::Actor).
    #[must_use]
    pub fn operated_by(self, operator: Operator) -> Self {
        Self { operator: Some(operator.into()), ..self }
    }

    pub(crate) fn operator(&self) -> Option<&Operator> {
        self.operator.as_deref()
    }

    /// The time now. Instances that share a database agree on it.
    pub fn now(&self) -> Timestamp {
        match &self.clock {
            Clock::Manual(clock) => clock.now(),
            Clock::System { ahead_millis } => {
                Timestamp::from_millis(machine_millis().saturating_add(ahead_millis.load(Ordering::Relaxed)))
            }
        }
    }

    /// Waits until `time`: for what accompanies the sending of a message, never for a decision.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    pub(crate) async fn until(&self, time: Timestamp) {
        match &self.clock {
            Clock::System { .. } => {
                let length = time.since(self.now());
                if !length.is_zero() {
                    tokio::time::sleep(length).await;
                }
            }
            Clock::Manual(clock) => {
                // `self` holds a sender, so the channel cannot close.
                let _ = clock.0.subscribe().wait_for(|now| *now >= time).await;
            }
        }
    }

    /// Waits until `length` after `begun`, so that an answer does not reveal how long its work took. With a clock moved
    /// by hand there is nothing to hide.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    pub(crate) async fn no_sooner_than(&self, length: Duration, begun: Stopwatch) {
        if let Clock::System { .. } = self.clock {
            tokio::time::sleep(length.saturating_sub(begun.elapsed())).await;
        }
    }

    /// Follows the database's clock from now on, so that a minute is the same minute on every instance (G6).
    pub(crate) fn follow(&self, database_now: Timestamp) {
        if let Clock::System { ahead_millis } = &self.clock {
            ahead_millis.store(database_now.as_millis() - machine_millis(), Ordering::Relaxed);
        }
    }

    /// `N` bytes from the operating system's generator.
    ///
    /// # Panics
    /// If the operating system provides no randomness: nothing that follows would be safe.
    #[expect(clippy::unused_self, reason = "randomness is asked of the environment, like the time")]
    #[expect(clippy::disallowed_methods, reason = "this is the entropy that everything else is given")]
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        rand::fill(&mut bytes).expect("the operating system gives random bytes");
        bytes
    }

    /// The bytes of a new `UUIDv7` for the time `now`. Ids of one process sort in the order of creation: the 12 bits
    /// after the milliseconds are a counter (RFC 9562 §6.2, method 1).
    pub(crate) fn new_id(&self, now: Timestamp) -> [u8; 16] {
        let earliest = u64::try_from(now.as_millis()).unwrap_or(0) << 12;
        let next = |last: u64| Some(earliest.max(last + 1));
        let last = self.last_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(0);
        let place = earliest.max(last + 1);
        let mut random: [u8; 10] = self.random();
        [.., random[0], random[1]] = (place & 0xfff).to_be_bytes();
        uuid::Builder::from_unix_timestamp_millis(place >> 12, &random).into_uuid().into_bytes()
    }

    /// The bytes of a `UUIDv7` for something that was made at `then`, the `place`th of its kind: of one time, ids sort by
    /// their places.
    #[cfg(feature = "import")]
    pub(crate) fn past_id(&self, then: Timestamp, place: usize) -> [u8; 16] {
        let mut random: [u8; 10] = self.random();
        [random[0], random[1]] = u16::try_from(place & 0xfff).unwrap_or_default().to_be_bytes();
        let millis = u64::try_from(then.as_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
fn machine_millis() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// Measures how long something took; not for deciding when something ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the only reader of the monotonic clock")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// One that was started this long ago.
    #[cfg(test)]
    pub(crate) fn started_before(length: Duration) -> Self {
        Self(Self::start().0.checked_sub(length).unwrap())
    }
}

/// Measures the processor time of the thread that starts and reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuStopwatch(Duration);

impl CpuStopwatch {
    pub(crate) fn start() -> Self {
        Self(Self::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        Self::now().saturating_sub(self.0)
    }

    /// What this thread has used since it began.
    fn now() -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_they_were_made() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let env = Env::system();
        let ids: Vec<[u8; 16]> = (0..10_000).map(|_| env.new_id(now)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        // Version 7, variant 10 (RFC 9562 §5.7).
        assert!(ids.iter().all(|id| id[6] >> 4 == 7 && id[8] >> 6 == 0b10));
        let later = env.new_id(now + Duration::from_secs(1));
        assert!(later > ids[9_999]);
    }
}
