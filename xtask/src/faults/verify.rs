//! Asks a server what it remembers, and compares that with what it has acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use vestibule_testing::{PATIENCE, Relay};

use super::client::{ADMIN, Client, Outcome};
use super::ledger::{Entries, Ledger};
use crate::shell::Result;

/// Sessions kept in use: older ones end by themselves.
const KEPT: usize = 40;

/// Keeps the administrator's token.
#[derive(Default)]
pub(super) struct Verifier {
    access: String,
}

impl Verifier {
    /// Checks that everything acknowledged is there.
    ///
    /// # Errors
    /// What was lost.
    pub(super) fn verify(&mut self, client: Client, ledger: &Ledger) -> Result {
        let users = self.list(client, "/v1/admin/users?limit=200")?;
        let waiting = self.list(client, "/v1/admin/registrations?limit=200")?;
        let mut entries = ledger.open();
        let mut lost: Vec<String> =
            entries.users.difference(&users).map(|it| format!("the user {it}")).collect();
        lost.extend(entries.waiting.difference(&waiting).map(|it| format!("the sign-up of {it}")));
        for email in std::mem::take(&mut entries.confirming) {
            if users.contains(&email) {
                entries.users.insert(email);
            } else if waiting.contains(&email) {
                entries.waiting.insert(email);
            } else {
                lost.push(format!("{email}, which was being confirmed"));
            }
        }
        lost.extend(sessions(client, &mut entries));
        if lost.is_empty() { Ok(()) } else { Err(format!("lost: {}", lost.join(", "))) }
    }

    /// Checks that every sign-up got its mail unless the relay refused it permanently, with at most one extra copy per
    /// doubt whether one had left, and that nothing waits in the outbox. Returns the number of messages and of copies.
    ///
    /// # Errors
    /// What is missing or extra.
    pub(super) fn verify_mails(
        &mut self,
        client: Client,
        ledger: &Ledger,
        relay: &Relay,
        doubts: u32,
    ) -> Result<(usize, usize)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let waiting = self.mails_waiting(client)?;
            if waiting.is_empty() {
                break;
            }
            if Instant::now() > deadline {
                return Err(format!("mail is stuck in the outbox: {waiting:?}"));
            }
            for id in waiting {
                // A message that is being sent is not sent again because of this.
                client.post_as(&format!("/v1/admin/mail/{id}/retry"), &self.access);
            }
            sleep(Duration::from_secs(1));
        }
        let (letters, refused) = (relay.untaken(), relay.refused());
        let told: BTreeSet<&str> = letters.iter().map(|letter| letter.to.as_str()).collect();
        let entries = ledger.open();
        let missing: Vec<&String> =
            entries.waiting.difference(&refused).filter(|email| !told.contains(email.as_str())).collect();
        if !missing.is_empty() {
            return Err(format!("no mail went to {missing:?}"));
        }
        let mut copies: BTreeMap<&str, u32> = BTreeMap::new();
        for letter in &letters {
            *copies.entry(&letter.message_id).or_default() += 1;
        }
        if let Some((id, number)) = copies.iter().find(|(_, number)| **number > 1 + doubts) {
            return Err(format!("{number} copies of {id} after {doubts} doubts"));
        }
        Ok((copies.len(), letters.len() - copies.len()))
    }

    /// All addresses in a list, page by page.
    fn list(&mut self, client: Client, path: &str) -> Result<BTreeSet<String>> {
        let mut emails = BTreeSet::new();
        let mut cursor = String::new();
        loop {
            let page = self.ask(client, &format!("{path}{cursor}"))?;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            emails.extend(items.iter().filter_map(|item| item["email"].as_str().map(str::to_owned)));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(emails),
            }
        }
    }

    /// The waiting messages.
    fn mails_waiting(&mut self, client: Client) -> Result<Vec<String>> {
        let page = self.ask(client, "/v1/admin/mail?limit=200&state=waiting")?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        Ok(items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)).collect())
    }

    /// Sends a request as the administrator, signing in again when the token has expired.
    fn ask(&mut self, client: Client, path: &str) -> Result<Value> {
        for _ in 0..2 {
            match client.get(path, &self.access) {
                Outcome::Acknowledged(answer) => return Ok(answer),
                Outcome::Refused(401) => {
                    let signed_in = client.sign_in(ADMIN).acknowledged();
                    self.access = signed_in.ok_or("the administrator cannot sign in")?.access;
                }
                other => return Err(format!("{path}: {other:?}")),
            }
        }
        Err(format!("{path}: refused after a sign-in"))
    }
}

/// Sessions that are gone. Each refresh token is used, and must give one that works.
fn sessions(client: Client, entries: &mut Entries) -> Vec<String> {
    let mut lost = Vec::new();
    for access in std::mem::take(&mut entries.refreshing) {
        if client.get("/v1/me", &access).acknowledged().is_none() {
            lost.push("a session whose refresh got no answer".to_owned());
        }
    }
    let surplus = entries.sessions.len().saturating_sub(KEPT);
    entries.sessions.drain(..surplus);
    for tokens in &mut entries.sessions {
        match client.refresh(&tokens.refresh) {
            Outcome::Acknowledged(next) => *tokens = next,
            other => lost.push(format!("a refresh token: {other:?}")),
        }
        if client.get("/v1/me", &tokens.access).acknowledged().is_none() {
            lost.push("a session".to_owned());
        }
    }
    lost
}
