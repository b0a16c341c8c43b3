//! Checks whether Argon2 is as fast as it should be. By default, Cargo builds the dependencies of a development build
//! without optimisation, and a password then takes 20 to 50 times as long to hash.

use std::time::Duration;

use vestibule_argon2id::Kernel;

use super::argon::{Arena, Recipe};
use crate::domain::password::Password;
use crate::env::Stopwatch;

/// A small hash whose time predicts that of a large one: a quarter of a millisecond with optimisation.
const TRIAL: Recipe = Recipe::new(256, 1);
/// The fastest counts: others may have been delayed by something else.
const TRIES: usize = 5;
/// The same for a hash of the usual cost. The first also pays for the memory.
const MEASUREMENTS: usize = 4;
/// The limit on the predicted time of a hash of the usual cost: 14 ms with optimisation and 400 ms without, as measured
/// here. The real time is about twice that, since large memory is slower.
const SLOW: Duration = Duration::from_millis(150);

/// How long one hash of this recipe takes on a thread of its own, when nothing else runs. The fastest of some counts.
/// `None`: it cannot be computed.
pub(super) fn measured(recipe: Recipe) -> Option<Duration> {
    fastest(recipe, MEASUREMENTS)
}

/// Logs what makes hashes slow here, with the fix.
pub(super) fn warn_if_slow(recipe: Recipe) {
    if Kernel::is_distrusted() {
        tracing::warn!(
            chosen = ?Kernel::chosen(),
            "the fastest way to hash passwords on this processor computed a known hash wrongly, and is not used. The \
             processor or its memory may be damaged"
        );
    }
    warn_if_not_optimised(recipe);
}

fn warn_if_not_optimised(recipe: Recipe) {
    // A release is optimised unless someone deliberately turned it off.
    if !cfg!(debug_assertions) {
        return;
    }
    if let Some(one) = fastest(TRIAL, TRIES).filter(|trial| takes(recipe, *trial) > SLOW) {
        tracing::warn!(
            "one password takes at least {:.1} s to hash, because this build does not optimise Argon2. Add this to the \
             Cargo.toml of your program: [profile.dev.package.vestibule-argon2id] opt-level = 3, and the same for argon2 \
             and blake2",
            takes(recipe, one).as_secs_f64()
        );
    }
}

fn fastest(recipe: Recipe, tries: usize) -> Option<Duration> {
    let password = Password::new("a trial of this build").ok()?;
    let mut arena = Arena::default();
    let try_once = || {
        let watch = Stopwatch::start();
        recipe.hash(&mut arena, &password, &[0; 16]).map(|_| watch.elapsed())
    };
    std::iter::repeat_with(try_once).take(tries).flatten().min()
}

/// The predicted time of a hash of this recipe.
fn takes(recipe: Recipe, trial: Duration) -> Duration {
    let times = u32::try_from(recipe.work() / TRIAL.work()).unwrap_or(u32::MAX);
    trial.saturating_mul(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_tells_how_long_a_hash_takes() {
        let usual = Recipe::new(19_456, 2);
        assert_eq!(takes(usual, Duration::from_micros(250)), Duration::from_millis(38));
        assert!(takes(usual, Duration::from_micros(2_600)) > SLOW, "without optimisation");
        assert_eq!(takes(TRIAL, SLOW), SLOW);
        assert!(fastest(TRIAL, TRIES).is_some());
    }
}
