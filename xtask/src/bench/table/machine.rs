//! The machine that was measured: what matters for the figures, and nothing that names it.

use std::fs;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

use crate::shell::{output, program};

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Machine {
    cores: usize,
    processor: String,
    memory_gib: u64,
    kernel: String,
    /// Processes that wanted to run when the measurement began, averaged over a minute: others disturb the figures.
    load: String,
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
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }

    pub(super) fn cores(&self) -> usize {
        self.cores
    }

    /// Whether others wanted more than half of it.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    pub(super) fn is_busy(&self) -> bool {
        self.load.parse::<f64>().is_ok_and(|load| load > 0.5 * self.cores as f64)
    }

    pub(super) fn describe(&self) -> String {
        let Self { cores, processor, memory_gib, kernel, load } = self;
        format!(
            "{cores} cores, {processor}, {memory_gib} GiB of memory, {kernel}; load average at the start {load}"
        )
    }
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
        let with_load = |load: &str| Machine { cores: 2, load: load.to_owned(), ..here.clone() };
        assert!(with_load("1.20").is_busy() && !with_load("0.90").is_busy() && !with_load("").is_busy());
        assert!(here.cores() > 0 && here.describe().contains("Linux "), "{}", here.describe());
    }
}
