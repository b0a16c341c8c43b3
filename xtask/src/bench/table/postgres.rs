//! The same on PostgreSQL, which syncs as in production.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use vestibule_testing::{Cluster, Site, TestDatabase};

use super::super::program::cpu_time;
use super::super::yardstick::{Load, Outcome, Yardstick};
use super::figures::Budget::AtMost;
use super::figures::Figures;
use super::stage::{Stage, milliseconds};
use crate::shell::Result;

/// Backends of PostgreSQL tell their counts at most once a second.
const COUNTED: Duration = Duration::from_secs(2);

/// Where hashes wait for longer than a second, some are refused.
const SIGN_IN: &str = "/v1/login";

pub(super) fn run(yardstick: &Yardstick, program: &Path, hash_rate: f64, figures: &mut Figures) -> Result {
    figures
        .part("PostgreSQL on the same machine, which shares its cores; CPU time is that of Vestibule alone");
    let cluster = Cluster::start_durable();
    let site = Site::new(program.to_owned(), Some(cluster.database()));
    let stage = Stage::set(yardstick, &site)?;
    let (outcome, cpu, database) = measure(&stage, &site, "/v1/me", &stage.me().over(64, 3.0))?;
    figures.add("pg_me_rate", "`GET /v1/me` over 64 connections", outcome.rate(), "/s", None);
    figures.add("pg_me_cpu", "CPU time of one", cpu, "ms", Some(AtMost(0.06)));
    figures.add("pg_me_database", "CPU time of one in PostgreSQL", database, "ms", None);
    let (outcome, _, database) = measure(&stage, &site, SIGN_IN, &stage.sign_ins().over(32, 5.0))?;
    figures.add("pg_sign_ins", "sign-ins with 32 clients", outcome.rate(), "/s", None);
    figures.add("pg_sign_in_database", "CPU time of one in PostgreSQL", database, "ms", None);
    let share = 100.0 * outcome.rate() / hash_rate;
    figures.add("pg_sign_in_share", "sign-ins as a share of the bare hashes", share, "%", None);

    sleep(COUNTED);
    let before = Log::of(site.database())?;
    let load = stage.refreshes()?.over(64, 5.0);
    let (outcome, cpu, database) = measure(&stage, &site, "/v1/token", &load)?;
    sleep(COUNTED);
    let after = Log::of(site.database())?;
    figures.add("pg_refreshes", "refreshed tokens over 64 connections", outcome.rate(), "/s", None);
    figures.add("pg_refresh_cpu", "CPU time of one", cpu, "ms", None);
    figures.add("pg_refresh_database", "CPU time of one in PostgreSQL", database, "ms", None);
    let of_one = |before: f64, after: f64| (after - before) / outcome.good_answers();
    let syncs = of_one(before.syncs, after.syncs);
    figures.add("pg_syncs", "syncs of the log (WAL) for each", syncs, "", Some(AtMost(0.3)));
    figures.add("pg_log", "bytes of the log for each", of_one(before.bytes, after.bytes), "bytes", None);
    statements(&cluster, &stage, &site, figures)
}

/// How many statements each request takes, with those that begin and end a transaction.
fn statements(cluster: &Cluster, stage: &Stage, site: &Site, figures: &mut Figures) -> Result {
    if !cluster.counts_statements() {
        figures.leave_out("statements of PostgreSQL: pg_stat_statements is not installed".to_owned());
        return Ok(());
    }
    site.database().execute("CREATE SCHEMA counted; CREATE EXTENSION pg_stat_statements SCHEMA counted");
    cluster.execute("ALTER SYSTEM SET pg_stat_statements.track = 'all'");
    cluster.execute("SELECT pg_reload_conf()");
    sleep(COUNTED);
    for (what, load) in [
        ("a token check", stage.me().over(8, 1.0)),
        ("a refresh", stage.refreshes()?.over(8, 1.0)),
        ("a sign-in", stage.sign_ins().over(4, 2.0)),
    ] {
        // By everybody: they are few beside those of the requests.
        let sum = "SELECT SUM(calls) FROM counted.pg_stat_statements";
        site.database().execute("SELECT counted.pg_stat_statements_reset()");
        let outcome = stage.yardstick.load(&load)?.all_good(what)?;
        let each = number(site.database(), sum)? / outcome.good_answers();
        figures.add(&format!("pg statements {what}"), &format!("statements of {what}"), each, "", None);
    }
    Ok(())
}

/// What came of a load, and in milliseconds the CPU time of one answer, in Vestibule and in PostgreSQL.
fn measure(stage: &Stage, site: &Site, what: &str, load: &Load) -> Result<(Outcome, f64, f64)> {
    let before = backends(site.database())?;
    let (outcome, cpu) = stage.storm(load)?;
    if what != SIGN_IN && outcome.failures() > 0 {
        return Err(format!("{what} was refused {} times", outcome.failures()));
    }
    let after = backends(site.database())?;
    let grown = after
        .iter()
        .filter_map(|(process, time)| before.get(process).map(|before| time.saturating_sub(*before)));
    let database = milliseconds(grown.sum()) / outcome.good_answers();
    Ok((outcome, cpu, database))
}

/// The CPU time that each process of the server has taken.
fn backends(database: &TestDatabase) -> Result<BTreeMap<u32, Duration>> {
    let found = database.rows("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
    let processes = found.into_iter().flatten().flatten().filter_map(|text| text.parse().ok());
    processes.map(|process| Ok((process, cpu_time(process)?))).collect()
}

/// What the server has written ahead.
struct Log {
    syncs: f64,
    bytes: f64,
}

impl Log {
    fn of(database: &TestDatabase) -> Result<Self> {
        let version = number(database, "SELECT current_setting('server_version_num')")?;
        let syncs = if version < 180_000.0 {
            "SELECT wal_sync FROM pg_stat_wal"
        } else {
            "SELECT COALESCE(SUM(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal'"
        };
        let bytes = "SELECT wal_bytes FROM pg_stat_wal";
        Ok(Self { syncs: number(database, syncs)?, bytes: number(database, bytes)? })
    }
}

fn number(database: &TestDatabase, sql: &str) -> Result<f64> {
    let found = database.rows(sql).into_iter().flatten().flatten().next();
    found.and_then(|text| text.parse().ok()).ok_or_else(|| format!("no number from {sql}"))
}
