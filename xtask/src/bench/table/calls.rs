//! System calls, allocations and bytes on the disk for each request, counted by the kernel from outside: the program is the
//! one that people run.

use std::fs;
use std::process::Command;

use super::super::yardstick::{Load, Sending};
use super::figures::Figures;
use super::stage::Stage;
use crate::shell::{Result, program, succeeds};

/// Over so many connections, because what is grouped under load counts for many.
const CONNECTIONS: usize = 16;
/// The functions of the C library that Rust allocates with.
const ALLOCATING: [&str; 4] = ["malloc", "calloc", "realloc", "posix_memalign"];
const SYSTEM_CALLS: &str = "raw_syscalls:sys_enter";
/// System calls of interest, with what they are for.
const SINGLE: [(&str, &str); 4] = [
    ("futex", "hand-overs between threads (`futex`)"),
    ("pwrite64", "writes to the database (`pwrite64`)"),
    ("fdatasync", "syncs (`fdatasync`)"),
    ("fsync", "syncs (`fsync`)"),
];

pub(super) fn run(stage: &Stage, figures: &mut Figures) -> Result {
    figures.part("For each request on SQLite, over 16 connections, sign-ins over 4");
    let counting = Counting::begin();
    if !counting.calls {
        figures.leave_out("system calls: `perf` is not installed, or may not count here".to_owned());
    }
    if counting.probes.is_empty() {
        figures.leave_out("allocations: `perf` may not place probes here".to_owned());
    }
    let stories = [
        ("me", "`GET /v1/me`", stage.me().over(CONNECTIONS, 2.0)),
        ("refresh", "refresh", stage.refreshes()?.over(CONNECTIONS, 2.0)),
        ("sign_in", "sign-in", stage.sign_ins().over(4, 3.0)),
    ];
    for (key, name, load) in stories {
        let of_one = counting.count(stage, &load)?;
        for (what, number) in of_one {
            figures.add(&format!("{key} {what}"), &format!("{name}: {what}"), number, "", None);
        }
    }
    Ok(())
}

/// What can be counted here.
struct Counting {
    calls: bool,
    /// Events of `perf`, to be removed.
    probes: Vec<String>,
}

impl Counting {
    fn begin() -> Self {
        let calls = succeeds(program("perf").args(["stat", "-e", SYSTEM_CALLS, "true"]));
        let library = calls.then(c_library).flatten();
        let probe = |library: &String, name: &str| {
            succeeds(program("perf").args(["probe", "--force", "--exec", library, name]))
                .then(|| format!("probe_libc:{name}"))
        };
        let probes: Option<Vec<String>> =
            library.and_then(|library| ALLOCATING.iter().map(|name| probe(&library, name)).collect());
        Self { calls, probes: probes.unwrap_or_default() }
    }

    /// For one answer of the load, what was counted in the server.
    fn count(&self, stage: &Stage, load: &Load) -> Result<Vec<(String, f64)>> {
        let written = written_bytes(stage.server.id());
        if !self.calls {
            let answers = stage.yardstick.load(load)?.all_good("a request")?.good_answers();
            return Ok(bytes_of_one(written, written_bytes(stage.server.id()), answers));
        }
        let file = tempfile::NamedTempFile::new().map_err(|e| format!("no temporary file: {e}"))?;
        let single = SINGLE.iter().map(|(name, _)| format!("syscalls:sys_enter_{name}"));
        let events: Vec<String> =
            [SYSTEM_CALLS.to_owned()].into_iter().chain(single).chain(self.probes.iter().cloned()).collect();
        let mut perf = program("perf");
        perf.args(["stat", "-x", ",", "-e", &events.join(","), "-p", &stage.server.id().to_string(), "-o"]);
        perf.arg(file.path()).arg("--").arg(stage.yardstick.command().get_program()).arg("load");
        let answers = Sending::start(&mut perf, load)?.finish()?.all_good("a request")?.good_answers();
        let text = fs::read_to_string(file.path()).map_err(|e| format!("what perf counted: {e}"))?;
        let mut found = Vec::new();
        found
            .extend(counted(&text, SYSTEM_CALLS).map(|number| ("system calls".to_owned(), number / answers)));
        for (name, what) in SINGLE {
            let number = counted(&text, &format!("syscalls:sys_enter_{name}"));
            let number = number.filter(|number| *number > 0.0);
            found.extend(number.map(|number| (what.to_owned(), number / answers)));
        }
        let allocations: f64 = self.probes.iter().filter_map(|event| counted(&text, event)).sum();
        if allocations > 0.0 {
            found.push(("allocations".to_owned(), allocations / answers));
        }
        found.extend(bytes_of_one(written, written_bytes(stage.server.id()), answers));
        Ok(found)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        for probe in &self.probes {
            let _ = succeeds(program("perf").args(["probe", "--del", probe]));
        }
    }
}

fn bytes_of_one(before: Option<f64>, after: Option<f64>, answers: f64) -> Vec<(String, f64)> {
    let found = before.zip(after).map(|(before, after)| (after - before) / answers);
    found.map(|number| ("bytes that go to the disk".to_owned(), number)).into_iter().collect()
}

/// Bytes that a process has sent to the disk, as the kernel counts them.
fn written_bytes(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("write_bytes:"))?.trim().parse().ok()
}

/// Where the C library is that programs here are linked with.
fn c_library() -> Option<String> {
    let listed = Command::new("ldconfig").arg("-p").output().ok()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let line = listed.lines().find(|line| line.contains("libc.so.6"))?;
    line.split("=> ").nth(1).map(str::to_owned)
}

/// `4711,,raw_syscalls:sys_enter,…`
fn counted(text: &str, event: &str) -> Option<f64> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let fields = lines.find(|fields| fields.get(2) == Some(&event))?;
    fields.first()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_by_the_name_of_their_event() {
        let text = "# started on …\n\n4711,,raw_syscalls:sys_enter,100,100.00,,\n<not counted>,,probe_libc:malloc,0,0.00,,\n";
        assert_eq!(counted(text, SYSTEM_CALLS), Some(4711.0));
        assert_eq!((counted(text, "probe_libc:malloc"), counted(text, "other")), (None, None));
    }

    #[test]
    fn bytes_are_those_of_one_answer() {
        assert_eq!(
            bytes_of_one(Some(100.0), Some(300.0), 4.0),
            [("bytes that go to the disk".to_owned(), 50.0)]
        );
        assert_eq!(bytes_of_one(None, Some(300.0), 4.0), []);
    }
}
