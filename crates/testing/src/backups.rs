//! Backups while people sign up: each is whole, and has whatever was acknowledged before it began.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::http::Client;
use crate::site::{PASSWORD, Site, WIDE_LIMITS};

/// How many people sign up at the same time.
const PEOPLE: usize = 4;
/// What their addresses end with.
const HOST: &[u8] = b"@during.example.org";

/// Makes one backup after another while so many people sign up; how many backups were made.
///
/// # Panics
/// If a sign-up is refused, a backup is not whole, or one lacks a sign-up that was acknowledged before it began.
pub fn back_up_during_sign_ups(site: &Site, sign_ups: usize) -> usize {
    let server = site.serve_with(&WIDE_LIMITS);
    let (next, acknowledged) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let done = || acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
    let sign_up = &|http: Client| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= sign_ups {
                return;
            }
            http.sign_up(&format!("s{number}{}", String::from_utf8_lossy(HOST)), PASSWORD);
            done().push(number);
        }
    };
    thread::scope(|scope| {
        let people = (0..PEOPLE).map(|_| server.http()).map(|http| scope.spawn(move || sign_up(http)));
        let people: Vec<_> = people.collect();
        let mut made = 0;
        loop {
            // Looked up first, so that the last backup is made when all have signed up.
            let is_last = people.iter().all(thread::ScopedJoinHandle::is_finished);
            let before = done().clone();
            let name = format!("during-{made}.backup");
            site.run(&["backup", "create", &name]).ok();
            site.run(&["backup", "verify", &name]).ok();
            let held = held(&fs::read(site.path(&name)).expect("a backup can be read"));
            let missing: Vec<_> = before.iter().filter(|number| !held.contains(number)).collect();
            assert!(missing.is_empty(), "{name} lacks sign-ups that were acknowledged before: {missing:?}");
            fs::remove_file(site.path(&name)).expect("a backup can be deleted");
            made += 1;
            if is_last {
                assert_eq!(before.len(), sign_ups, "everybody has signed up");
                return made;
            }
        }
    })
}

/// The numbers of the sign-ups whose addresses are in a file.
fn held(backup: &[u8]) -> BTreeSet<usize> {
    let places = backup.windows(HOST.len()).enumerate().filter(|(_, bytes)| *bytes == HOST);
    let number = |(at, _): (usize, _)| -> Option<usize> {
        let before = &backup[..at];
        let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (name, digits) = before.split_at(at - digits);
        name.ends_with(b"s").then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
    };
    places.filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_wherever_they_are() {
        let file =
            b"\x00s12@during.example.orgs7@during.example.org..s***@during.example.org9@during.example.org";
        assert_eq!(held(file), BTreeSet::from([7, 12]));
        assert_eq!(held(b"s1@during.example.or"), BTreeSet::new());
    }
}
