//! How often things happened in this instance since it started. Counting takes no lock. An operation that the database makes run again
//! counts again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::access::way::Way;
use super::audit::AuditKind;

/// What operations count.
#[derive(Debug)]
pub(crate) struct Tally {
    events: Box<[AtomicU64]>,
    ways: Box<[AtomicU64]>,
    refreshes: AtomicU64,
}

impl Default for Tally {
    fn default() -> Self {
        let counters = |number| std::iter::repeat_with(AtomicU64::default).take(number).collect();
        Self {
            events: counters(AuditKind::ALL.len()),
            ways: counters(Way::ALL.len()),
            refreshes: AtomicU64::new(0),
        }
    }
}

impl Tally {
    pub(crate) fn event(&self, kind: AuditKind) {
        if let Some(counter) = AuditKind::ALL.iter().zip(&self.events).find(|(it, _)| **it == kind) {
            counter.1.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn session_began(&self, way: Way) {
        if let Some(counter) = Way::ALL.iter().zip(&self.ways).find(|(it, _)| **it == way) {
            counter.1.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn refreshed(&self) {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn events(&self) -> Vec<(AuditKind, u64)> {
        AuditKind::ALL.iter().copied().zip(self.events.iter().map(read)).collect()
    }

    pub(crate) fn ways(&self) -> Vec<(Way, u64)> {
        Way::ALL.iter().copied().zip(self.ways.iter().map(read)).collect()
    }

    pub(crate) fn refreshes(&self) -> u64 {
        read(&self.refreshes)
    }
}

/// How many took how long together.
#[derive(Debug, Default)]
pub(crate) struct Took {
    number: AtomicU64,
    micros: AtomicU64,
}

impl Took {
    pub(crate) fn note(&self, time: Duration) {
        self.number.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> (u64, Duration) {
        (read(&self.number), Duration::from_micros(read(&self.micros)))
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_as_what_it_is() {
        let tally = Tally::default();
        tally.event(AuditKind::SignedUp);
        tally.event(AuditKind::SignedUp);
        tally.session_began(Way::Passkey);
        assert_eq!(tally.events().iter().map(|(_, number)| number).sum::<u64>(), 2);
        assert!(tally.events().contains(&(AuditKind::SignedUp, 2)));
        assert!(tally.ways().contains(&(Way::Passkey, 1)));
        let took = Took::default();
        took.note(Duration::from_millis(3));
        took.note(Duration::from_millis(4));
        assert_eq!(took.read(), (2, Duration::from_millis(7)));
    }
}
