//! What an import says: rows that are wrong, how far it is, and the summary.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;
use vestibule::{ImportOptions, ImportRefusal, ImportedTime, ImportedUser};

use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::cli::terminal::progress::Progress;
use crate::failure::Failure;
use crate::printable;
use crate::transfer::record::Refusal;

/// How many rows are read before it says how far it is.
const STEP: u64 = 100;
/// Roles without a mapping that are named, at most.
const ROLES: usize = 20;

/// What has become of the rows so far.
pub(super) struct Report {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) skipped: u64,
    /// `None`: nobody is.
    pub(super) invited: Option<u64>,
    pub(super) failed: u64,
    /// Records that are no users.
    pub(super) others: u64,
    /// Rows that were read, and their octets, since it last said so.
    unsaid: (u64, u64),
    hashes: BTreeMap<&'static str, u64>,
    unmapped: BTreeMap<String, u64>,
    progress: Progress,
    is_dry: bool,
}

impl Report {
    /// `length` of the file in octets, where it is known.
    pub(super) fn new(length: Option<u64>, options: ImportOptions) -> Self {
        Self {
            created: 0,
            updated: 0,
            skipped: 0,
            invited: options.invite.then_some(0),
            failed: 0,
            others: 0,
            unsaid: (0, 0),
            hashes: BTreeMap::new(),
            unmapped: BTreeMap::new(),
            progress: Progress::new(length),
            is_dry: options.dry_run,
        }
    }

    pub(super) fn read(&mut self, octets: usize) {
        self.unsaid = (self.unsaid.0 + 1, self.unsaid.1 + octets as u64 + 1);
        if self.unsaid.0 == STEP {
            let (rows, octets) = std::mem::take(&mut self.unsaid);
            self.progress.advance("", rows, octets);
        }
    }

    /// Something beside the rows.
    pub(super) fn say(&self, words: &str) {
        self.progress.line(words);
    }

    pub(super) fn understood(&mut self, user: &ImportedUser, unmapped: Vec<String>) {
        let kind = user.password_hash.as_ref().map_or("no password", |hash| hash.kind());
        *self.hashes.entry(kind).or_default() += 1;
        for role in unmapped {
            if self.unmapped.len() < ROLES || self.unmapped.contains_key(&role) {
                *self.unmapped.entry(role).or_default() += 1;
            }
        }
    }

    pub(super) fn refuse(&mut self, number: u64, refusal: &Refusal) {
        self.failed += 1;
        let Refusal { field, reason } = refusal;
        let place = if field.is_empty() { String::new() } else { format!("{field}: ") };
        let line = format!("row {number}: {place}{reason}");
        self.progress.line(&printable::text(&line));
    }

    /// Prints the summary, and returns it in words.
    pub(super) fn print(&self, context: &Context) -> Result<String, Failure> {
        self.progress.end();
        let Self { created, updated, skipped, failed, .. } = self;
        let mut words = format!("created {created}, updated {updated}, skipped {skipped}, failed {failed}");
        if let Some(invited) = self.invited {
            let _ = write!(words, ", invited {invited}");
        }
        if context.json {
            output::object(json!({
                "dry_run": self.is_dry, "created": created, "updated": updated, "skipped": skipped, "failed": failed,
                "invited": self.invited.unwrap_or_default(),
                "hashes": self.hashes, "roles_left_out": self.unmapped, "other_records": self.others,
            }))?;
            return Ok(words);
        }
        if self.is_dry {
            eprintln!("This was a dry run: nothing is written.");
        }
        output::line(&words)?;
        for (kind, number) in &self.hashes {
            output::line(&format!("  {kind}: {number}"))?;
        }
        for (role, number) in &self.unmapped {
            eprintln!(
                "The role {} of {} is left out: --map-role OLD=NEW keeps it.",
                printable::text(role),
                output::number(*number, "user")
            );
        }
        if self.others > 0 {
            eprintln!("Not users: {}.", output::number(self.others, "record"));
        }
        Ok(words)
    }
}

/// Which field a refusal is about.
pub(super) fn told(refusal: ImportRefusal) -> Refusal {
    let field = match refusal {
        ImportRefusal::UserNameTaken => "user_name",
        ImportRefusal::EmailTaken => "email",
        ImportRefusal::ExternalIdTaken => "external_id",
        ImportRefusal::WeakHash => {
            return Refusal::new("password_hash", format!("{refusal}: --allow-weak"));
        }
        ImportRefusal::NotYet(ImportedTime::Created) => "created_at",
        ImportRefusal::Unconfirmed => {
            return Refusal::new(
                "email_confirmed_at",
                "the address is not confirmed: its owner signs up again, or is mailed a link with --invite; or leave the field \
                 out if you know that it is theirs",
            );
        }
        ImportRefusal::NotYet(ImportedTime::EmailConfirmed) => "email_confirmed_at",
        ImportRefusal::NotYet(ImportedTime::Disabled) => "disabled_at",
        ImportRefusal::NotYet(ImportedTime::TermsAccepted) => "terms_accepted_at",
    };
    Refusal::new(field, refusal.to_string())
}
