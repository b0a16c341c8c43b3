//! How long hashes of other programs take to compare, so that a failed sign-in takes as long as the dearest of them, for
//! every name (L1).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(feature = "import")]
use super::foreign::hash::ForeignHash;
use crate::domain::password::Password;
#[cfg(feature = "import")]
use crate::env::Stopwatch;

/// A comparison takes a little longer now and then: an eighth is added to what it usually takes.
const MARGIN: u32 = 8;

/// One comparison with a hash of another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForeignTime {
    /// What hashes have in common that take equally long.
    class: String,
    pub(super) length: Duration,
}

/// Whether `hash` matches; notes how long it took. A damaged one matches nothing and takes no time (P5).
#[cfg(feature = "import")]
pub(super) fn compare(password: &Password, hash: &str, taken: &mut Vec<ForeignTime>) -> bool {
    let Ok(hash) = ForeignHash::parse(hash) else { return false };
    let watch = Stopwatch::start();
    let matches = hash.matches(password);
    taken.push(ForeignTime { class: hash.class(), length: watch.elapsed() });
    matches
}

/// None of them is known without the feature `import`.
#[cfg(not(feature = "import"))]
pub(super) fn compare(_: &Password, _: &str, _: &mut Vec<ForeignTime>) -> bool {
    false
}

/// The usual time of each class.
#[derive(Debug, Default)]
pub(super) struct ForeignTimes(Mutex<BTreeMap<String, Duration>>);

impl ForeignTimes {
    /// A panic elsewhere leaves the times intact: they are changed in single steps.
    fn times(&self) -> MutexGuard<'_, BTreeMap<String, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows what was measured, upwards sooner than downwards.
    pub(super) fn note(&self, taken: &[ForeignTime]) {
        let mut times = self.times();
        for ForeignTime { class, length } in taken {
            let usual = times.entry(class.clone()).or_insert(*length);
            *usual = if length > usual { (*usual * 3 + *length) / 4 } else { (*usual * 15 + *length) / 16 };
        }
    }

    /// What a failed comparison takes beyond hashes of ours.
    pub(super) fn extra(&self) -> Duration {
        let dearest = self.times().values().max().copied().unwrap_or_default();
        dearest + dearest / MARGIN
    }

    /// Forgets the classes that are stored no more.
    #[cfg(feature = "import")]
    pub(super) fn keep_only(&self, classes: &[String]) {
        self.times().retain(|class, _| classes.contains(class));
    }

    #[cfg(feature = "import")]
    pub(super) fn knows(&self, class: &str) -> bool {
        self.times().contains_key(class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(class: &str, millis: u64) -> ForeignTime {
        ForeignTime { class: class.to_owned(), length: Duration::from_millis(millis) }
    }

    #[test]
    fn the_dearest_class_decides() {
        let times = ForeignTimes::default();
        assert_eq!(times.extra(), Duration::ZERO);
        times.note(&[taken("bcrypt 12", 200), taken("bcrypt 4", 8)]);
        assert_eq!(times.extra(), Duration::from_millis(225));
        times.note(&[taken("bcrypt 12", 400)]);
        assert_eq!(times.extra(), Duration::from_micros(281_250), "a quarter of the way up");
        times.note(&[taken("bcrypt 12", 90)]);
        assert_eq!(times.extra(), Duration::from_millis(270), "a sixteenth of the way down");
    }

    #[cfg(feature = "import")]
    #[test]
    fn what_is_stored_no_more_is_forgotten() {
        let times = ForeignTimes::default();
        times.note(&[taken("bcrypt 12", 200), taken("bcrypt 4", 8)]);
        times.keep_only(&["bcrypt 4".to_owned()]);
        assert!(times.knows("bcrypt 4") && !times.knows("bcrypt 12"));
        assert_eq!(times.extra(), Duration::from_millis(9));
    }

    // P5: a corrupt hash is a failed comparison.
    #[test]
    fn a_damaged_hash_matches_nothing() {
        let (password, mut times) = (Password::new("violet-otter-maps").unwrap(), Vec::new());
        assert!(!compare(&password, "$2b$10$corrupt", &mut times) && times.is_empty());
    }
}
