//! How well two sets of durations can be distinguished.

use std::fmt;

/// The area under the ROC curve: the chance that a sample of one set is longer than one of the other, or shorter,
/// whichever is greater. 0.5: they cannot be distinguished; 1: always.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Auc {
    value: f64,
    /// The ends of its 99.9 % interval, after Hanley and `McNeil` (1982).
    pub(super) low: f64,
    high: f64,
}

/// The two-sided 99.9 % quantile of the normal distribution.
const Z: f64 = 3.2905;

impl Auc {
    pub(super) fn of(one: &[u64], other: &[u64]) -> Self {
        let longer = chance(one, other);
        let value = longer.max(1.0 - longer);
        let (n, m) = (number(one.len()), number(other.len()));
        let (q1, q2) = (value / (2.0 - value), 2.0 * value * value / (1.0 + value));
        let spread =
            value * (1.0 - value) + (n - 1.0) * (q1 - value * value) + (m - 1.0) * (q2 - value * value);
        let error = (spread.max(0.0) / (n * m)).sqrt();
        Self { value, low: (value - Z * error).max(0.0), high: (value + Z * error).min(1.0) }
    }
}

impl fmt::Display for Auc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AUC {:.3} ({:.3} to {:.3})", self.value, self.low, self.high)
    }
}

/// The chance that a sample of `one` is longer than one of `other`, from the sum of its ranks (Mann and Whitney). Ties
/// count half.
fn chance(one: &[u64], other: &[u64]) -> f64 {
    let mut all: Vec<(u64, bool)> = one.iter().map(|sample| (*sample, true)).collect();
    all.extend(other.iter().map(|sample| (*sample, false)));
    all.sort_unstable();
    let mut ranks = 0.0;
    let mut at = 0;
    while at < all.len() {
        let equal = all[at..].iter().take_while(|(sample, _)| *sample == all[at].0).count();
        let mean_rank = number(at + 1) + (number(equal) - 1.0) / 2.0;
        let of_one = all[at..at + equal].iter().filter(|(_, is_one)| *is_one).count();
        ranks += mean_rank * number(of_one);
        at += equal;
    }
    let (n, m) = (number(one.len()), number(other.len()));
    (ranks - n * (n + 1.0) / 2.0) / (n * m)
}

/// The median.
pub(super) fn median(samples: &[u64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).map_or(0.0, |middle| number(usize::try_from(*middle).unwrap_or(usize::MAX)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "far fewer than 2^52 samples, each far less than 2^52 microseconds"
)]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_cannot_be_told_apart() {
        let samples: Vec<u64> = (0..1000).map(|n| n * 7919 % 1000).collect();
        let auc = Auc::of(&samples, &samples);
        assert!((auc.value - 0.5).abs() < 1e-9 && auc.low < 0.48 && auc.high > 0.52, "{auc}");
    }

    #[test]
    fn a_set_that_is_always_longer_is_told_apart() {
        let (short, long): (Vec<u64>, Vec<u64>) = ((0..500).collect(), (500..1000).collect());
        assert!((Auc::of(&short, &long).value - 1.0).abs() < 1e-9);
        assert!((Auc::of(&long, &short).value - 1.0).abs() < 1e-9);
        assert!(Auc::of(&long, &short).low > 0.99);
    }

    // Of the nine pairs 1 is less in all three of them, 3 and 5 are greater in one and two: 1 - 3/9.
    #[test]
    fn the_chance_counts_pairs() {
        assert!((chance(&[1, 3, 5], &[2, 4, 6]) - 3.0 / 9.0).abs() < 1e-9);
        assert!((chance(&[2, 2], &[2, 2]) - 0.5).abs() < 1e-9);
        assert!((median(&[5, 1, 9]) - 5.0).abs() < 1e-9);
    }
}
