//! One run of an import: batch after batch, until the file ends, a row is wrong, or somebody presses Ctrl-C.

use std::io::BufRead;
use std::pin::pin;

use vestibule::{Accounts, ImportOptions, Imported, ImportedUser};

use super::report::{self, Report};
use crate::cli::context::Context;
use crate::failure::Failure;
use crate::transfer::bookmark::{Bookmark, Mark, digest};
use crate::transfer::record::{Record, Refusal};
use crate::transfer::refused::Refused;
use crate::transfer::rows::Rows;

/// Users in one transaction: others wait while it lasts.
const BATCH: usize = 250;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Whole,
    Interrupted,
    /// At a row that is wrong.
    Stopped,
}

/// A row that was understood, and where it came from.
struct Row {
    number: u64,
    raw: Vec<u8>,
    user: ImportedUser,
}

/// Rows to be written together, and what is known after the last of them.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    is_last: bool,
    is_stopped: bool,
}

/// Everything that a run needs.
pub(super) struct Run<'a> {
    accounts: &'a Accounts,
    options: ImportOptions,
    stops: bool,
    refused: Option<Refused>,
    report: Report,
    bookmark: Option<Bookmark>,
    database: String,
    /// How many records were read, and the last of them.
    records: u64,
    last: Vec<u8>,
}

/// A user of a record, and the roles that nothing is said about.
type Read = Result<Option<(ImportedUser, Vec<String>)>, Refusal>;

impl<'a> Run<'a> {
    pub(super) fn new(
        accounts: &'a Accounts,
        options: ImportOptions,
        stops: bool,
        refused: Option<Refused>,
        report: Report,
        bookmark: Option<Bookmark>,
        database: String,
    ) -> Self {
        let (records, last) = (0, Vec::new());
        Self { accounts, options, stops, refused, report, bookmark, database, records, last }
    }

    /// Imports the records after the mark, or all.
    pub(super) async fn all<R: BufRead>(
        &mut self,
        mut rows: Rows<R>,
        read: impl Fn(Record) -> Read,
        mark: Option<&Mark>,
    ) -> Result<Ended, Failure> {
        let mut interrupted = pin!(tokio::signal::ctrl_c());
        if let Some(mark) = mark {
            self.go_to(&mut rows, &read, mark).await?;
        }
        loop {
            let batch = self.read(&mut rows, &read)?;
            let is_refused = self.write(batch.rows).await?;
            if batch.is_stopped || (is_refused && self.stops) {
                return Ok(Ended::Stopped);
            }
            if batch.is_last {
                self.forget_place();
                return Ok(Ended::Whole);
            }
            self.keep_place();
            tokio::select! {
                biased;
                _ = &mut interrupted => return Ok(Ended::Interrupted),
                () = std::future::ready(()) => {}
            }
        }
    }

    fn next<R: BufRead>(&mut self, rows: &mut Rows<R>) -> Result<Option<Record>, Failure> {
        let found = rows.next().map_err(|error| unreadable(&error))?;
        if let Some(record) = &found {
            self.records += 1;
            self.last.clone_from(&record.raw);
            self.report.read(record.raw.len());
        }
        Ok(found)
    }

    /// Goes to the mark. The users before it are looked at again: where they are missing, the database is not the one
    /// that they went into.
    async fn go_to<R: BufRead>(
        &mut self,
        rows: &mut Rows<R>,
        read: impl Fn(Record) -> Read,
        mark: &Mark,
    ) -> Result<(), Failure> {
        let mut known = Vec::new();
        while self.records < mark.records {
            let Some(record) = self.next(rows)? else { break };
            if self.records + BATCH as u64 > mark.records
                && let Ok(Some((user, _))) = read(record)
            {
                known.push(user);
            }
        }
        if digest(&self.last) != mark.last {
            return Err(Failure::failed(format!("the file has changed before its record {}", mark.records))
                .fix("leave --resume out: users who are there are skipped"));
        }
        let look = ImportOptions { update: false, dry_run: true, ..self.options };
        let found = self.accounts.import_users(known, look).await?;
        if found.iter().any(|one| matches!(one, Imported::Created(_))) {
            return Err(Failure::failed("users that were imported before are missing in this database")
                .fix("leave --resume out: those who are there are skipped"));
        }
        Ok(())
    }

    fn read<R: BufRead>(
        &mut self,
        rows: &mut Rows<R>,
        read: impl Fn(Record) -> Read,
    ) -> Result<Batch, Failure> {
        let mut batch = Batch::default();
        while batch.rows.len() < BATCH && !batch.is_last && !batch.is_stopped {
            let Some(record) = self.next(rows)? else {
                batch.is_last = true;
                continue;
            };
            let (number, raw) = (record.number, record.raw.clone());
            match read(record) {
                Ok(Some((user, unmapped))) => {
                    self.report.understood(&user, unmapped);
                    batch.rows.push(Row { number, raw, user });
                }
                Ok(None) => self.report.others += 1,
                Err(refusal) => {
                    self.refuse(number, &raw, &refusal)?;
                    batch.is_stopped = self.stops;
                }
            }
        }
        Ok(batch)
    }

    /// Imports a batch; whether any of it was refused.
    async fn write(&mut self, batch: Vec<Row>) -> Result<bool, Failure> {
        let (places, users): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|row| ((row.number, row.raw), row.user)).unzip();
        let done = self.accounts.import_users(users, self.options).await?;
        let mut is_refused = false;
        for ((number, raw), outcome) in places.into_iter().zip(done) {
            match outcome {
                Imported::Created(_) => self.report.created += 1,
                Imported::Updated(_) => self.report.updated += 1,
                Imported::Skipped(_) | Imported::Waiting => self.report.skipped += 1,
                Imported::Invited => *self.report.invited.get_or_insert(0) += 1,
                Imported::Refused(refusal) => {
                    is_refused = true;
                    self.refuse(number, &raw, &report::told(refusal))?;
                }
            }
        }
        Ok(is_refused)
    }

    fn refuse(&mut self, number: u64, raw: &[u8], refusal: &Refusal) -> Result<(), Failure> {
        self.report.refuse(number, refusal);
        match &mut self.refused {
            Some(refused) => refused.keep(raw).map_err(|error| cannot_keep(&error)),
            None => Ok(()),
        }
    }

    /// Keeps where it would go on. Without, a later run skips the users who are there.
    fn keep_place(&mut self) {
        let Some(bookmark) = &self.bookmark else { return };
        let (records, database) = (self.records, self.database.clone());
        if let Err(error) = bookmark.put(&Mark { records, last: digest(&self.last), database }) {
            let shown = bookmark.path().display();
            self.report
                .say(&format!("Cannot write {shown}: {error}. --resume will not know how far it came."));
            self.bookmark = None;
        }
    }

    fn forget_place(&self) {
        if let Some(bookmark) = &self.bookmark
            && let Err(error) = bookmark.remove()
        {
            self.report.say(&format!("Cannot delete {}: {error}", bookmark.path().display()));
        }
    }

    /// Prints what has become of the rows, and records it; how many were refused, and how the run ended.
    pub(super) async fn finish(
        self,
        context: &Context,
        format: &str,
        ended: Result<Ended, Failure>,
    ) -> Result<(u64, Ended), Failure> {
        if let Some(refused) = self.refused {
            refused.finish().map_err(|error| cannot_keep(&error))?;
        }
        let summary = self.report.print(context)?;
        if !self.options.dry_run {
            self.accounts.note_import(&format!("from {format}: {summary}")).await?;
        }
        Ok((self.report.failed, ended?))
    }
}

pub(super) fn unreadable(error: &std::io::Error) -> Failure {
    Failure::failed(format!("the file cannot be read: {error}"))
}

fn cannot_keep(error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot write the file of errors: {error}"))
}
