//! People who sign up, confirm, sign in and refresh concurrently, until the server goes away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use vestibule_testing::Relay;

use super::client::{Client, Outcome};
use super::ledger::{Entries, Ledger};

/// The number of concurrent people.
const PEOPLE: u32 = 4;

/// Stops the people when it is dropped, also by a panic.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The people of one round.
pub(super) struct Load<'a> {
    pub(super) client: Client,
    pub(super) ledger: &'a Ledger,
    pub(super) relay: &'a Relay,
    pub(super) round: u32,
    pub(super) seed: u64,
}

impl Load<'_> {
    /// Runs `meanwhile` while people use the server, and stops them afterwards.
    pub(super) fn while_people_ask<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for number in 0..PEOPLE {
                let over = &over;
                scope.spawn(move || self.person(number, over));
            }
            let _end = End(&over);
            meanwhile()
        })
    }

    fn person(&self, number: u32, over: &AtomicBool) {
        let mut dice = fastrand::Rng::with_seed(self.seed ^ (u64::from(self.round) << 8 | u64::from(number)));
        let mut signed_up = 0;
        while !over.load(Ordering::SeqCst) {
            let answered = match dice.u8(..10) {
                0..=3 => {
                    signed_up += 1;
                    self.sign_up(&format!("r{}-p{number}-{signed_up}@example.org", self.round))
                }
                4..=6 => self.confirm(&mut dice),
                7 => self.sign_in(&mut dice),
                _ => self.refresh(&mut dice),
            };
            if !answered {
                sleep(Duration::from_millis(5));
            }
        }
    }

    fn sign_up(&self, email: &str) -> bool {
        let signed_up = self.client.sign_up(email).acknowledged().is_some();
        if signed_up {
            let mut entries = self.ledger.open();
            entries.waiting.insert(email.to_owned());
            entries.acknowledged += 1;
        }
        signed_up
    }

    fn confirm(&self, dice: &mut fastrand::Rng) -> bool {
        let Some(email) = Entries::any(&self.ledger.open().waiting, dice) else { return false };
        let Some(letter) = self.relay.letters_to(&email).pop() else { return false };
        let outcome = self.client.confirm(letter.token());
        let mut entries = self.ledger.open();
        match outcome {
            Outcome::Acknowledged(()) => {
                entries.waiting.remove(&email);
                entries.confirming.remove(&email);
                entries.users.insert(email);
                entries.acknowledged += 1;
            }
            Outcome::Unknown => {
                if entries.waiting.remove(&email) {
                    entries.confirming.insert(email);
                }
            }
            Outcome::Refused(_) => {}
        }
        true
    }

    fn sign_in(&self, dice: &mut fastrand::Rng) -> bool {
        let Some(email) = Entries::any(&self.ledger.open().users, dice) else { return false };
        let Some(tokens) = self.client.sign_in(&email).acknowledged() else { return false };
        let mut entries = self.ledger.open();
        entries.sessions.push(tokens);
        entries.acknowledged += 1;
        true
    }

    fn refresh(&self, dice: &mut fastrand::Rng) -> bool {
        let Some(tokens) = self.ledger.open().take_session(dice) else { return false };
        let outcome = self.client.refresh(&tokens.refresh);
        let mut entries = self.ledger.open();
        match outcome {
            Outcome::Acknowledged(next) => {
                entries.sessions.push(next);
                entries.acknowledged += 1;
            }
            Outcome::Unknown => entries.refreshing.push(tokens.access),
            Outcome::Refused(_) => entries.sessions.push(tokens),
        }
        true
    }
}
