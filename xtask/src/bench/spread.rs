//! Summaries of repeated measurements.

use std::fmt;
use std::time::Duration;

/// Median, smallest and largest of some durations.
#[derive(Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: Duration,
    min: Duration,
    max: Duration,
    runs: usize,
}

impl Spread {
    /// `None` without durations. The median of an even number is the lower of the two middle ones.
    pub(super) fn of(mut durations: Vec<Duration>) -> Option<Self> {
        durations.sort();
        let (min, max) = (*durations.first()?, *durations.last()?);
        Some(Self { median: durations[(durations.len() - 1) / 2], min, max, runs: durations.len() })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, min, max] = [self.median, self.min, self.max].map(|d| d.as_secs_f64() * 1000.0);
        write!(f, "median {median:.1} ms, min {min:.1}, max {max:.1} ({} runs)", self.runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_runs_does_not_matter() {
        let spread = Spread::of([30, 10, 20, 40].map(Duration::from_millis).into()).unwrap();
        assert_eq!(spread.to_string(), "median 20.0 ms, min 10.0, max 40.0 (4 runs)");
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
