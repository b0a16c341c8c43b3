//! Sign-ins as fast as they go, and what everybody else notices of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::yardstick::{Hashes, Load, Sending, as_f64};
use super::figures::Budget::{AtLeast, AtMost};
use super::figures::Figures;
use super::stage::{Stage, mebibytes};
use crate::shell::Result;

const CLIENTS: usize = 32;
const SECONDS: f64 = 5.0;
const HASHES_SECONDS: f64 = 3.0;
/// Token checks beside the storm: 200 a second, over four connections.
const PROBES: usize = 4;
const PROBE_EVERY_MICROS: u64 = 20_000;
/// What a hash of the usual cost holds, and what a storm may hold beside its hashes.
const HASH_MIB: f64 = 19.0;
const BESIDE_MIB: f64 = 10.0;
const LOOK: Duration = Duration::from_millis(50);
/// Within this time the memory of a storm is given back.
const MINUTE: Duration = Duration::from_mins(1);

/// The name of the plot of latency.
pub(super) const LATENCY: &str = "latency";

/// A storm that is over, whose server is left alone for a minute.
pub(super) struct Calm<'a> {
    stage: Stage<'a>,
    idle_mib: f64,
    since: Instant,
}

/// The server has just been started; `idle_mib` is what one then uses. Also returns what bare hashes cost, of before and
/// after the storm.
pub(super) fn run<'a>(
    stage: Stage<'a>,
    (idle_mib, cores): (f64, usize),
    figures: &mut Figures,
) -> Result<(Calm<'a>, Hashes)> {
    figures.part("A storm of sign-ins on SQLite: 32 clients, each signs in again when it is answered, or 250 ms after a refusal");
    let earlier = stage.yardstick.hashes(HASHES_SECONDS)?;
    let over = AtomicBool::new(false);
    let (sent, peak) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| highest(&stage, &over));
        let sent = stage.storm(&stage.sign_ins().over(CLIENTS, SECONDS));
        over.store(true, Ordering::Relaxed);
        (sent, watch.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
    });
    let ((outcome, cpu), peak) = (sent?, peak?);
    let later = stage.yardstick.hashes(HASHES_SECONDS)?;
    let hashes = Hashes {
        rate: f64::midpoint(earlier.rate, later.rate),
        cpu_millis: f64::midpoint(earlier.cpu_millis, later.cpu_millis),
    };
    figures.add("hash_cpu", "limit: CPU time of a bare hash", hashes.cpu_millis, "ms", None);
    figures.add("hash_rate", "limit: bare hashes on all cores", hashes.rate, "/s", None);
    figures.add("sign_ins", "sign-ins", outcome.rate(), "/s", None);
    let refused = as_f64(outcome.failures());
    figures.add("sign_ins_refused", "sign-ins that were refused", refused, "", Some(AtMost(0.0)));
    let share = 100.0 * outcome.rate() / hashes.rate;
    figures.add("sign_in_share", "sign-ins as a share of the bare hashes", share, "%", Some(AtLeast(95.0)));
    figures.add("sign_in_cpu", "CPU time of a sign-in", cpu, "ms", None);
    figures.add("sign_in_rest", "of which beside a bare hash", cpu - hashes.cpu_millis, "ms", None);
    let of_hash = 100.0 * hashes.cpu_millis / cpu;
    figures.add(
        "sign_in_hash_share",
        "share of a sign-in's CPU time that a bare hash takes",
        of_hash,
        "%",
        None,
    );
    let budget = idle_mib + small(cores) * HASH_MIB + BESIDE_MIB;
    figures.add("storm_memory", "resident memory, at most", peak, "MiB", Some(AtMost(budget)));
    token_checks(&stage, figures)?;
    Ok((Calm { stage, idle_mib, since: Instant::now() }, hashes))
}

impl Calm<'_> {
    /// Waits until the minute is over.
    pub(super) fn end(self, figures: &mut Figures) -> Result {
        sleep(MINUTE.saturating_sub(self.since.elapsed()));
        figures.part("A minute after the storm");
        let kept = mebibytes(self.stage.server.resident_kib()?);
        let budget = AtMost(self.idle_mib + BESIDE_MIB);
        figures.add("calm_memory", "resident memory", kept, "MiB", Some(budget));
        Ok(())
    }
}

/// The most memory that was resident until it was over, in MiB.
fn highest(stage: &Stage, over: &AtomicBool) -> Result<f64> {
    let mut highest = 0;
    while !over.load(Ordering::Relaxed) {
        highest = stage.server.resident_kib()?.max(highest);
        sleep(LOOK);
    }
    Ok(mebibytes(highest))
}

/// Token checks without a storm, and with more and more clients that sign in.
fn token_checks(stage: &Stage, figures: &mut Figures) -> Result {
    let (mut median, mut p99) = (Vec::new(), Vec::new());
    for clients in [0, 8, 16, CLIENTS] {
        let checks = Load { every_micros: Some(PROBE_EVERY_MICROS), ..stage.me().over(PROBES, SECONDS) };
        let storm = stage.sign_ins().over(clients, SECONDS + 0.5);
        let storm = (clients > 0).then(|| stage.yardstick.start_load(&storm)).transpose()?;
        let checked = stage.yardstick.load(&checks)?;
        storm.map(Sending::finish).transpose()?;
        let milliseconds = |micros: u64| as_f64(micros) / 1000.0;
        let at = small(clients);
        median.push((at, milliseconds(checked.p50_micros)));
        p99.push((at, milliseconds(checked.p99_micros)));
        if clients == CLIENTS {
            let [p50, p99, max] =
                [checked.p50_micros, checked.p99_micros, checked.max_micros].map(milliseconds);
            figures.add("storm_p50", "a token check meanwhile, median", p50, "ms", None);
            figures.add(
                "storm_p99",
                "a token check meanwhile, 99th percentile",
                p99,
                "ms",
                Some(AtMost(20.0)),
            );
            figures.add("storm_max", "a token check meanwhile, longest", max, "ms", None);
            let failed = as_f64(checked.failures());
            figures.add("storm_errors", "token checks that failed", failed, "", Some(AtMost(0.0)));
        }
    }
    figures.plot(LATENCY, "median", median);
    figures.plot(LATENCY, "99th percentile", p99);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn small(number: usize) -> f64 {
    number as f64
}
