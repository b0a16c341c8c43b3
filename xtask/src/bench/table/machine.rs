//! The machine that was measured: what matters for the figures, and nothing that names it.

use std::fs;
use std::thread::{available_parallelism, sleep};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::yardstick::as_f64;
use crate::shell::{output, program};

const LOOKED_FOR: Duration = Duration::from_secs(2);
const BUSY_PERCENT: f64 = 15.0;

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Machine {
    cores: usize,
    processor: String,
    memory_gib: u64,
    kernel: String,
    /// How much of the cores others took before the measurement began, in percent: they disturb the figures.
    taken_percent: f64,
}

impl Machine {
    pub(super) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kernel = read("/proc/sys/kernel/osrelease");
        // `6.1.0-18-amd64` → `6.1`: the rest may say who built it.
        let kernel = kernel.trim().splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        Self {
            cores: available_parallelism().map_or(1, usize::from),
            processor: value(&read("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|| "unknown processor".to_owned()),
            memory_gib: value(&read("/proc/meminfo"), "MemTotal")
                .and_then(|text| gib(&text))
                .unwrap_or_default(),
            kernel: format!("Linux {kernel}"),
            taken_percent: taken(),
        }
    }

    pub(super) fn cores(&self) -> usize {
        self.cores
    }

    /// Whether others took so much that rates and latencies are not the program's.
    pub(super) fn is_busy(&self) -> bool {
        self.taken_percent > BUSY_PERCENT
    }

    pub(super) fn describe(&self) -> String {
        let Self { cores, processor, memory_gib, kernel, taken_percent } = self;
        format!(
            "{cores} cores, {processor}, {memory_gib} GiB of memory, {kernel}; others took {taken_percent:.0} % of it before the start"
        )
    }
}

/// The share of all cores, in percent, that was not idle for a while. The load average would not do: it still knows of the
/// build that has just ended.
fn taken() -> f64 {
    let times = || fs::read_to_string("/proc/stat").ok().and_then(|text| spent(&text));
    let before = times();
    sleep(LOOKED_FOR);
    before.zip(times()).map_or(0.0, |(before, after)| {
        let [all, idle] = [after.0.saturating_sub(before.0), after.1.saturating_sub(before.1)].map(as_f64);
        100.0 * (all - idle) / all.max(1.0)
    })
}

/// The ticks of all cores since the start of the machine, and those that were idle: `cpu user nice system idle iowait …`.
fn spent(stat: &str) -> Option<(u64, u64)> {
    let ticks: Vec<u64> =
        stat.lines().next()?.split_ascii_whitespace().skip(1).map_while(|text| text.parse().ok()).collect();
    // The last two, guests, are in the first two already.
    Some((ticks.iter().take(8).sum(), ticks.get(3)? + ticks.get(4)?))
}

/// The date, `2026-12-01`, in UTC.
pub(super) fn today() -> String {
    output(program("date").args(["-u", "+%Y-%m-%d"])).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// `model name : X` → `X`, of the first line with this name.
fn value(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned());
    values.next().filter(|value| !value.is_empty())
}

/// `24554492 kB` → 23
fn gib(text: &str) -> Option<u64> {
    let kib: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some((kib + 512 * 1024) / (1024 * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_described_without_its_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\nmodel name\t: other\n";
        assert_eq!(value(text, "model name").as_deref(), Some("Some CPU @ 2.0GHz"));
        assert_eq!((value(text, "MemTotal"), gib("24554492 kB")), (None, Some(23)));
        let here = Machine::here();
        let taken = |taken_percent| Machine { taken_percent, ..here.clone() };
        assert!(taken(40.0).is_busy() && !taken(3.0).is_busy());
        assert_eq!(spent("cpu  10 1 5 100 4 0 1 0 7 0\ncpu0 …"), Some((121, 104)));
        assert_eq!(spent("intr 1"), None);
        assert!(here.cores() > 0 && here.describe().contains("Linux "), "{}", here.describe());
    }
}
