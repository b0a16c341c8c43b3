//! The least that a password costs.

use std::time::{Duration, Instant};

use vestibule_argon2id::{Arena, Params, TAG_LENGTH};

/// The usual cost.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Hashes per second of all cores together, and the CPU time of one in milliseconds: where others use the machine too, it
/// takes longer than that.
pub(crate) fn rate(seconds: f64) -> (f64, f64) {
    let length = Duration::from_secs_f64(seconds);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let all: Vec<(f64, f64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(move || one_core(length))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no hash panics")).collect()
    });
    let (rate, cpu) = all.iter().fold((0.0, 0.0), |(rate, cpu), (own, time)| (rate + own, cpu + time));
    (rate, cpu / f64::from(u32::try_from(all.len()).unwrap_or(1)))
}

/// The CPU time of the calling thread.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or_default())
}

fn one_core(length: Duration) -> (f64, f64) {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(TAG_LENGTH)).expect("a valid cost");
    let mut arena = Arena::default();
    let mut hash = || drop(arena.hash(&params, b"password", b"somesalt").expect("a hash"));
    // Once before: the memory is touched for the first time.
    hash();
    let (start, before, mut times) = (Instant::now(), cpu_time(), 0_u32);
    while start.elapsed() < length {
        hash();
        times += 1;
    }
    let cpu = cpu_time().saturating_sub(before).as_secs_f64() * 1000.0;
    (f64::from(times) / start.elapsed().as_secs_f64(), cpu / f64::from(times))
}
