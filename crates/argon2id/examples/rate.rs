//! Hashes per second with the policy's usual cost, on every core at once: `rate [SECONDS]`. The kernel of this crate, and
//! the `argon2` crate in memory that it reuses too.

#![expect(clippy::disallowed_methods, reason = "an example measures time on its own")]

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use vestibule_argon2id::{Arena, Kernel, TAG_LENGTH};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

fn main() {
    let seconds = std::env::args().nth(1).map_or(3, |text| text.parse().expect("a number of seconds"));
    let length = Duration::from_secs(seconds);
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(TAG_LENGTH)).expect("a valid cost");
    let library = rate(length, || {
        let mut blocks = vec![Block::new(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        move || {
            let mut tag = [0; TAG_LENGTH];
            argon2
                .hash_password_into_with_memory(b"password", b"somesalt", &mut tag, &mut blocks)
                .expect("a hash");
        }
    });
    let kernel = rate(length, || {
        let (mut arena, params) = (Arena::default(), params.clone());
        move || drop(arena.hash(&params, b"password", b"somesalt").expect("a hash"))
    });
    println!(
        "argon2 crate {library:.1}/s, {:?} {kernel:.1}/s, {:.2} times as fast",
        Kernel::chosen(),
        kernel / library
    );
}

/// Of all cores together.
fn rate<H: FnMut() + Send>(length: Duration, hasher: impl Fn() -> H) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let count = |mut hash: H| {
        // Once before: the memory is touched for the first time.
        hash();
        let (start, mut times) = (Instant::now(), 0_u32);
        while start.elapsed() < length {
            hash();
            times += 1;
        }
        f64::from(times) / start.elapsed().as_secs_f64()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn({
                    let hash = hasher();
                    move || count(hash)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}
