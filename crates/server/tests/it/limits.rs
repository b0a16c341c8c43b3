//! Limits across instances: what one of them counts applies to all of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_testing::{Client, Server, Site, WIDE_LIMITS};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "velvet-comet-lichen-27\n";
/// Wrong passwords that cost no wait (L2).
const FREE: usize = 5;
const REQUESTS: usize = 400;
const THREADS: usize = 16;

/// The number of answers of each status.
fn attack(instances: &[Client]) -> BTreeMap<u16, usize> {
    let body = json!({"email": EMAIL, "password": "another-long-word-9"});
    let attacker = &|first: usize| {
        let numbers = (first..REQUESTS).step_by(THREADS);
        let ask = |number: usize| instances[number % instances.len()].post("/v1/login", None, &body).status;
        numbers.map(ask).collect::<Vec<_>>()
    };
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || attacker(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut statuses = BTreeMap::new();
    for status in answers {
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

// L2, L3: four instances, 400 concurrent wrong passwords: no more of them are answered than by one instance.
#[test]
#[expect(clippy::disallowed_methods, reason = "the wait after five failures ends while a slow machine asks")]
fn four_instances_tell_no_more_than_one() {
    let site = Site::postgres();
    // Otherwise the limit of the one client would mask the limit of the account.
    let start = || site.serve_with(&WIDE_LIMITS);
    let servers: Vec<Server> = std::iter::repeat_with(start).take(4).collect();
    site.run_with_input(&["user", "create", "--password-stdin", "--email", EMAIL], PASSWORD).ok();
    let begun = Instant::now();
    let statuses = attack(&servers.iter().map(Server::http).collect::<Vec<_>>());
    let took = begun.elapsed();
    // After five failures one more try is allowed after a second, another two seconds later, and so on.
    let free_by_now =
        [1, 3, 7, 15, 31, 63].into_iter().filter(|end| took >= Duration::from_secs(*end)).count();
    let told = statuses.get(&401).copied().unwrap_or_default();
    assert!((FREE..=FREE + free_by_now).contains(&told), "{statuses:?} in {took:?}");
    let refused = statuses.get(&429).copied().unwrap_or_default();
    let overloaded = statuses.get(&503).copied().unwrap_or_default();
    assert_eq!(told + refused + overloaded, REQUESTS, "{statuses:?}");
    let shown = site.run(&["limits", "show", EMAIL, "--json"]).ok().json().remove(0);
    assert_eq!(shown["failures"], told, "every one that was told was counted");
}
