//! How fast this machine hashes passwords: the limit of sign-ins.

use std::time::Duration;

use vestibule::{HashPolicy, time_of_hash};

use super::report::Finding;

const CHECK: &str = "passwords";
/// People notice a sign-in that takes longer, and few of them at once fill the queue.
const SLOW: Duration = Duration::from_millis(500);

/// Hashes some passwords.
pub(super) fn check(policy: &HashPolicy) -> Finding {
    match time_of_hash(policy) {
        Some((time, threads)) => judged(time, threads, policy.memory_kib),
        None => {
            Finding::fail(CHECK, format!("a hash with {} MiB cannot be computed", policy.memory_kib / 1024))
                .fix("take hash.memory_kib and hash.passes out of the settings")
        }
    }
}

fn judged(time: Duration, threads: usize, memory_kib: u32) -> Finding {
    // No machine has more threads than fit.
    let at_once = u32::try_from(threads).unwrap_or(u32::MAX);
    let per_second = f64::from(at_once) / time.as_secs_f64().max(f64::EPSILON);
    let found = format!(
        "Argon2id takes {:.0} ms: up to {per_second:.0} sign-ins a second with {threads} thread(s), {} MiB",
        time.as_secs_f64() * 1000.0,
        u64::from(memory_kib) / 1024 * u64::from(at_once),
    );
    if time <= SLOW {
        return Finding::ok(CHECK, found);
    }
    Finding::warn(CHECK, found)
        .cause("the machine is slow or busy, or hash.memory_kib and hash.passes ask for much")
        .fix("`vestibule check-config --explain hash.passes` says what they are set to; lower them, or give the machine more")
}

#[cfg(test)]
mod tests {
    use super::super::report::State;
    use super::*;

    #[test]
    fn sign_ins_take_half_a_second_at_most() {
        let good = judged(Duration::from_millis(40), 2, 19_456);
        assert_eq!(good.state, State::Ok);
        assert_eq!(good.found, "Argon2id takes 40 ms: up to 50 sign-ins a second with 2 thread(s), 38 MiB");
        assert_eq!(judged(Duration::from_millis(501), 2, 19_456).state, State::Warn);
        assert_eq!(judged(Duration::ZERO, 1, 19_456).state, State::Ok);
    }
}
