//! What the server has acknowledged, and must remember whatever happens.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::client::Tokens;

/// Shared by all clients of the server.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Entries>);

/// The entries.
#[derive(Default)]
pub(super) struct Entries {
    /// Addresses with an open sign-up.
    pub(super) waiting: BTreeSet<String>,
    /// Addresses that have an account.
    pub(super) users: BTreeSet<String>,
    /// Addresses whose confirmation was not answered: they have an open sign-up or an account.
    pub(super) confirming: BTreeSet<String>,
    /// Sessions, with unused tokens.
    pub(super) sessions: Vec<Tokens>,
    /// Access tokens of sessions whose refresh was not answered.
    pub(super) refreshing: Vec<String>,
    /// The number of acknowledged requests.
    pub(super) acknowledged: u64,
}

impl Ledger {
    pub(super) fn open(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Removes a random session, to use its refresh token.
    pub(super) fn take_session(&mut self, dice: &mut fastrand::Rng) -> Option<Tokens> {
        (!self.sessions.is_empty()).then(|| self.sessions.swap_remove(dice.usize(..self.sessions.len())))
    }

    /// A random one of these addresses.
    pub(super) fn any(of: &BTreeSet<String>, dice: &mut fastrand::Rng) -> Option<String> {
        if of.is_empty() { None } else { of.iter().nth(dice.usize(..of.len())).cloned() }
    }
}
