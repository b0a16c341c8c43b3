//! `vestibule audit`: the audit trail, read from the database.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vestibule::{Accounts, Actor, AuditEvent, AuditId, AuditKind, AuditQuery, OperatorName, Timestamp};

use super::context::Context;
use super::terminal::output;
use crate::config::values::Span;
use crate::failure::Failure;
use crate::open;

/// The pause between two polls for new entries.
const POLL: Duration = Duration::from_secs(1);
/// Instances commit in any order, so an entry may appear after younger ones, but not later than this.
const OVERLAP: Duration = Duration::from_secs(10);
/// The most entries `audit_after` returns.
const BATCH: usize = 1000;
/// The largest page of the library.
const PAGE_MAX: usize = 200;

/// What to read of the audit trail.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the newest entries
    Tail(Tail),
    /// Print entries as NDJSON, oldest first
    Export(Export),
}

/// The end of the trail.
#[derive(Clone, Debug, Args)]
pub(crate) struct Tail {
    /// How many entries
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    lines: usize,
    /// Keep printing new entries as they arrive
    #[arg(short, long)]
    follow: bool,
}

/// Which entries to export.
#[derive(Clone, Debug, Args)]
pub(crate) struct Export {
    /// Start at this date (midnight UTC) or time, or this long ago: 2026-03-01, 2026-03-01T09:30:00Z, 12h, 30d
    #[arg(long, value_name = "DATE|DURATION")]
    since: Option<Since>,
    /// Only entries of this kind, such as `signed_in`
    #[arg(long, value_parser = kind)]
    kind: Option<AuditKind>,
}

/// A point in time, given as such or as how long ago it was.
#[derive(Clone, Copy, Debug)]
enum Since {
    At(Timestamp),
    Ago(Duration),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ago = text.parse().map(|Span(length)| Self::Ago(length));
        ago.or_else(|_| text.parse().map(Self::At)).map_err(|_| {
            "not a date (2026-03-01), a time (2026-03-01T09:30:00Z) or a length of time (30m, 12h, 7d)"
                .to_owned()
        })
    }
}

fn kind(text: &str) -> Result<AuditKind, String> {
    let names = || AuditKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    AuditKind::from_name(text).ok_or_else(|| format!("the kinds are {}", names()))
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let config = context.config()?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        match command {
            Command::Tail(wanted) => tail(context, &accounts, &wanted).await,
            Command::Export(wanted) => export(&accounts, &wanted).await,
        }
    })
}

async fn tail(context: &Context, accounts: &Accounts, wanted: &Tail) -> Result<(), Failure> {
    // Noted before the list is read, so that no entry is lost between listing and following.
    let looked = accounts.now();
    let mut seen = BTreeSet::new();
    if wanted.follow {
        seen.extend(after(accounts, looked - OVERLAP).await?.iter().map(|event| event.id));
    }
    let events = newest(accounts, wanted.lines).await?;
    seen.extend(events.iter().map(|event| event.id));
    print(context, &events)?;
    if wanted.follow { follow(context, accounts, looked, seen).await } else { Ok(()) }
}

/// The newest entries, oldest first.
async fn newest(accounts: &Accounts, number: usize) -> Result<Vec<AuditEvent>, Failure> {
    let mut query = AuditQuery::default();
    let mut events = Vec::new();
    while events.len() < number {
        query.limit = u32::try_from((number - events.len()).min(PAGE_MAX)).ok();
        let page = accounts.list_audit(Actor::Operator, &query).await?;
        events.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    events.reverse();
    Ok(events)
}

/// Runs until the reader leaves or a signal ends it.
async fn follow(
    context: &Context,
    accounts: &Accounts,
    mut looked: Timestamp,
    mut seen: BTreeSet<AuditId>,
) -> Result<(), Failure> {
    while !output::reader_left() {
        let from = looked - OVERLAP;
        looked = accounts.now();
        let mut events = after(accounts, from).await?;
        seen.retain(|id| *id >= AuditId::first_at(from));
        events.retain(|event| seen.insert(event.id));
        print(context, &events)?;
        rest().await;
    }
    Ok(())
}

/// All entries from this time on.
async fn after(accounts: &Accounts, from: Timestamp) -> Result<Vec<AuditEvent>, Failure> {
    let mut after = AuditId::first_at(from);
    let mut events = Vec::new();
    loop {
        let batch = accounts.audit_after(Actor::Operator, Some(after), None).await?;
        let more = batch.len() == BATCH;
        events.extend(batch);
        match events.last() {
            Some(last) if more => after = last.id,
            _ => return Ok(events),
        }
    }
}

async fn export(accounts: &Accounts, wanted: &Export) -> Result<(), Failure> {
    let since = wanted.since.map(|since| match since {
        Since::At(time) => time,
        Since::Ago(length) => accounts.now() - length,
    });
    let mut after = since.map(AuditId::first_at);
    loop {
        let events = accounts.audit_after(Actor::Operator, after, wanted.kind).await?;
        events.iter().try_for_each(|event| output::object(as_json(event)))?;
        after = events.last().map(|last| last.id);
        if events.len() < BATCH || output::reader_left() {
            return Ok(());
        }
    }
}

fn print(context: &Context, events: &[AuditEvent]) -> Result<(), Failure> {
    if context.json {
        return events.iter().try_for_each(|event| output::object(as_json(event)));
    }
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let rows: Vec<_> = events
        .iter()
        .map(|event| {
            let user = event.user_id.map(|id| id.to_string());
            let whom = event.email.clone().or(user);
            let actor = event.actor.user().filter(|_| event.actor.user() != event.user_id);
            let actor = actor.map_or_else(|| event.actor_name().into_owned(), |id| id.to_string());
            [
                event.at.to_string(),
                event.kind.name().to_owned(),
                actor,
                text(whom),
                text(event.ip.clone()),
                text(event.detail.clone()),
            ]
        })
        .collect();
    output::table(["at", "what", "by", "about", "from", "detail"], &rows)
}

fn as_json(event: &AuditEvent) -> Value {
    json!({
        "id": event.id,
        "at": event.at,
        "kind": event.kind.name(),
        "actor": event.actor.name(),
        "actor_id": event.actor.user(),
        "operator": event.operator.as_ref().map(OperatorName::as_str),
        "user_id": event.user_id,
        "email": event.email,
        "ip": event.ip,
        "user_agent": event.user_agent,
        "detail": event.detail,
    })
}

#[expect(clippy::disallowed_methods, reason = "another process writes the trail, and nothing tells of it")]
async fn rest() {
    tokio::time::sleep(POLL).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_date_a_time_or_a_length_of_time() {
        let at = |text: &str| match text.parse() {
            Ok(Since::At(time)) => time.to_string(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(at("2026-03-01"), "2026-03-01T00:00:00.000Z");
        assert_eq!(at("2026-03-01T09:30:00+01:00"), "2026-03-01T08:30:00.000Z");
        assert!(matches!("7d".parse(), Ok(Since::Ago(length)) if length == Duration::from_hours(168)));
        for wrong in ["", "7", "yesterday", "2026-02-30", "-1d"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
    }
}
