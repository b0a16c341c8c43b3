//! The database: whether it is there, its condition, its schema, its clock, and whether the secret key belongs to it.

use std::time::Duration;

use vestibule::{
    Accounts, Backlog, DatabaseCondition, DatabaseConnections, Env, MigrateError, Migration, Migrator,
    RequireFactor, Timestamp,
};

use super::report::{Finding, Report};
use crate::config::settings::Config;
use crate::failure::Failure;
use crate::open;
use crate::serve::lacking;

/// Every request asks the database, some of them several times.
const SLOW: Duration = Duration::from_millis(20);
/// Tokens and codes say when they end: what other machines see of the difference.
const CLOCK_WARN: u64 = 2_000;
const CLOCK_FAIL: u64 = 60_000;
const SET_CLOCK: &str =
    "`timedatectl set-ntp true` on both machines; `timedatectl` shows whether it is synchronised";
/// Mail is sent within seconds, and again after some minutes where a relay asks for it.
const MAIL_LATE: Duration = Duration::from_mins(15);

/// Checks what can be checked without another database.
/// The accounts, if a command can work on them.
pub(super) async fn check(config: &Config, report: &mut Report) -> Result<Option<Accounts>, Failure> {
    let migrator = match open::migrator(config).await {
        Ok(migrator) => migrator,
        Err(failure) => {
            report.add(&Finding::of_failure("database", &failure))?;
            return Ok(None);
        }
    };
    match migrator.condition().await {
        Ok(condition) => {
            let wanted = i64::try_from(config.policy.database.connections).unwrap_or(i64::MAX);
            let connections = condition.connections.map(|it| of_connections(it, wanted));
            let clock = of_clock(condition.clock_ahead_millis, latest(&migrator).await, Env::system().now());
            report.add(&of_condition(&condition))?;
            connections.map_or(Ok(()), |finding| report.add(&finding))?;
            report.add(&clock)?;
        }
        Err(fault) => report.add(&Finding::of_failure("database", &fault.into()))?,
    }
    let is_up_to_date = migrations(&migrator, report).await?;
    drop(migrator);
    if !is_up_to_date {
        return Ok(None);
    }
    match open::for_command(config, config.public_url(None)).await {
        Ok(accounts) => {
            report.add(&Finding::ok("secret key", "it opens the signing keys in the database"))?;
            report.add_all(&of_accounts(&accounts, config).await)?;
            Ok(Some(accounts))
        }
        Err(failure) => {
            report.add(&Finding::of_failure("secret key", &failure))?;
            Ok(None)
        }
    }
}

fn of_condition(condition: &DatabaseCondition) -> Finding {
    let millis = condition.round_trip.as_secs_f64() * 1000.0;
    let journal = condition.journal.as_ref().map_or_else(String::new, |mode| format!(", journal {mode}"));
    let DatabaseCondition { product, encoding, .. } = condition;
    let found = format!("{product}, {encoding}{journal}, answers in {millis:.1} ms");
    if condition.journal.as_ref().is_some_and(|mode| mode != "wal") {
        return Finding::fail("database", found)
            .cause("without a write-ahead log, readers and writers wait for each other; network file systems have none")
            .fix("move the data folder to a local disk, and name it with VESTIBULE_DATA_DIR");
    }
    if condition.round_trip > SLOW {
        return Finding::warn("database", found)
            .cause("the database is far away or busy, and every request asks it")
            .fix("run the server near its database; `vestibule doctor` again shows what that changed");
    }
    Finding::ok("database", found)
}

/// What a server has open counts as its own.
fn of_connections(connections: DatabaseConnections, wanted: i64) -> Finding {
    let DatabaseConnections { free, own, .. } = connections;
    let found = format!("{free} more can be opened, {own} are open; an instance opens up to {wanted}");
    if free.saturating_add(own) >= wanted && free > 0 {
        return Finding::ok("connections", found);
    }
    let (cause, fix) = (
        "max_connections, or the CONNECTION LIMIT of the database or the role, leaves too few for this instance",
        format!(
            "raise the limit (`ALTER SYSTEM SET max_connections = …`, `ALTER ROLE … CONNECTION LIMIT …`), or set \
             VESTIBULE_DATABASE_CONNECTIONS={}",
            free.saturating_add(own).max(1)
        ),
    );
    Finding::warn("connections", found).cause(cause).fix(fix)
}

/// Whether the schema is the one of this program.
async fn migrations(migrator: &Migrator, report: &mut Report) -> Result<bool, Failure> {
    let status = match migrator.status().await {
        Ok(status) => status,
        Err(error) => {
            let is_newer = matches!(error, MigrateError::Newer { .. });
            let finding = Finding::of_failure("migrations", &error.into());
            let newer = "install a newer release; `vestibule version` says which one this is";
            report.add(&if is_newer { finding.fix(newer) } else { finding })?;
            return Ok(false);
        }
    };
    let finding = of_status(&status);
    let is_up_to_date = finding.state != super::report::State::Fail;
    report.add(&finding)?;
    Ok(is_up_to_date)
}

fn of_status(status: &[Migration]) -> Finding {
    let pending: Vec<_> = status.iter().filter(|it| it.applied_at.is_none()).collect();
    if pending.len() == status.len() {
        return Finding::fail("migrations", "the database is empty: no server has used it yet")
            .fix("start one, `vestibule serve`; or name the right database with VESTIBULE_DATABASE_URL");
    }
    if !pending.is_empty() {
        let names: Vec<_> = pending.iter().map(|it| format!("{} ({})", it.version, it.name)).collect();
        return Finding::fail("migrations", format!("{} pending: {}", pending.len(), names.join(", ")))
            .cause("the program is newer than the database, and a server refuses to start")
            .fix("make a backup, then `vestibule migrate up`");
    }
    let changed = status.iter().filter(|it| !it.checksum_matches).count();
    if changed > 0 {
        return Finding::warn(
            "migrations",
            format!("{changed} applied migration(s) differ from this program's"),
        )
        .cause("another build of the program migrated this database")
        .fix("`vestibule migrate status` shows which; use the program that migrated it, or a newer one");
    }
    let version = status.iter().map(|it| it.version).max().unwrap_or(0);
    Finding::ok("migrations", format!("version {version}, none pending"))
}

/// When the newest migration was applied, by the clock of then.
async fn latest(migrator: &Migrator) -> Option<Timestamp> {
    migrator.status().await.ok()?.iter().filter_map(|migration| migration.applied_at).max()
}

/// `ahead`: by how much the database's clock is ahead of this machine's, where it has one.
fn of_clock(ahead: Option<i64>, latest: Option<Timestamp>, now: Timestamp) -> Finding {
    let now = Timestamp::from_millis(now.as_millis().saturating_add(ahead.unwrap_or(0)));
    let difference = ahead.unwrap_or(0).unsigned_abs();
    let found = match ahead {
        Some(ahead) => {
            let side = if ahead < 0 { "behind" } else { "ahead of" };
            format!("the database's is {difference} ms {side} this machine's")
        }
        None => "SQLite uses this machine's".to_owned(),
    };
    if let Some(latest) = latest.filter(|latest| latest.since(now).as_millis() > u128::from(CLOCK_FAIL)) {
        return Finding::fail(
            "clock",
            format!("{found}, which says {now}, but this database was used at {latest}"),
        )
        .cause("a clock was set back, or was wrong then: links, codes and sessions end at the wrong time")
        .fix(SET_CLOCK);
    }
    match difference {
        0..CLOCK_WARN => Finding::ok("clock", found),
        difference => {
            let finding = if difference < CLOCK_FAIL { Finding::warn } else { Finding::fail };
            finding("clock", found)
                .cause("servers follow the database's clock; whoever checks their tokens elsewhere does not")
                .fix(SET_CLOCK)
        }
    }
}

/// What waits in the outbox, and who lacks a second factor.
async fn of_accounts(accounts: &Accounts, config: &Config) -> Vec<Finding> {
    let mut findings = match accounts.backlog().await {
        Ok(backlog) => vec![of_backlog(&backlog, accounts.now())],
        Err(fault) => vec![Finding::of_failure("outbox", &fault.into())],
    };
    if config.policy.second_factor.require != RequireFactor::Off
        && let Ok(number @ 1..) = accounts.admins_lacking_second_factor().await
    {
        findings.push(
            Finding::warn("administrators", lacking(number))
                .fix("`vestibule user list --without-second-factor` names them; each adds one at /account"),
        );
    }
    findings
}

fn of_backlog(backlog: &Backlog, now: Timestamp) -> Finding {
    let Backlog { mails_waiting, mails_failed, oldest_mail_at, .. } = backlog;
    let found = format!("{mails_waiting} message(s) wait, {mails_failed} failed for good");
    let age = oldest_mail_at.map_or(Duration::ZERO, |at| now.since(at));
    if age > MAIL_LATE {
        let found = format!("{found}; the oldest has waited for {} min", age.as_secs() / 60);
        return Finding::warn("outbox", found)
            .cause("no server runs, or the relay does not take them")
            .fix("`vestibule mail outbox list --state waiting` shows what the relay said");
    }
    if *mails_failed > 0 {
        return Finding::warn("outbox", found)
            .cause("a relay refused them, or did not take them for a day")
            .fix("`vestibule mail outbox list --state failed` shows why; `vestibule mail outbox retry --failed` tries again");
    }
    Finding::ok("outbox", found)
}

#[cfg(test)]
mod tests {
    use super::super::report::State;
    use super::*;

    fn clock(ahead: Option<i64>, latest: Option<i64>) -> State {
        let at = Timestamp::from_millis;
        of_clock(ahead, latest.map(at), at(1_000_000)).state
    }

    #[test]
    fn clocks_differ_a_little_at_most() {
        for (ahead, state) in [
            (None, State::Ok),
            (Some(-1_999), State::Ok),
            (Some(2_000), State::Warn),
            (Some(-59_999), State::Warn),
            (Some(60_000), State::Fail),
            (Some(i64::MIN), State::Fail),
        ] {
            assert_eq!(clock(ahead, None), state, "{ahead:?}");
        }
    }

    #[test]
    fn nothing_was_done_in_the_future() {
        assert_eq!(clock(None, Some(1_060_000)), State::Ok);
        assert_eq!(clock(None, Some(1_060_001)), State::Fail);
        assert_eq!(clock(Some(1_000), Some(1_061_000)), State::Ok, "by the database's clock");
    }
}
