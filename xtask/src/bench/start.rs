//! The time from start to first answer.

use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use vestibule_testing::Site;

use super::program::{Build, Running};
use super::spread::Spread;
use crate::http::Connection;
use crate::shell::Result;

/// The wait before the memory of an idle server is read: its first background work is then done.
const SETTLE: Duration = Duration::from_secs(2);
const REQUESTS: u32 = 1000;
/// The memory an idle server may use. A figure for comparison: the machine matters as well.
const IDLE_BUDGET_KIB: u64 = 18 * 1024;

#[derive(Args)]
pub(crate) struct Options {
    /// How many starts
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    #[command(flatten)]
    build: Build,
}

pub(super) fn run(options: &Options) -> Result {
    let site = Site::new(options.build.program()?, None);
    // Creates the database and the keys, so that the runs below find them.
    let mut first = Running::start(&site)?;
    println!("first start, creates the database: {:.1?} to /readyz", first.first_200("/readyz")?);
    first.stop();
    for (path, spread) in starts(&site, options.runs)? {
        println!("start to first 200 on {path:<8} {spread}");
    }
    memory(&site)
}

/// From the start to the first 200, by path.
pub(super) fn starts(site: &Site, runs: u32) -> Result<[(&'static str, Spread); 2]> {
    let (mut live, mut ready) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let mut server = Running::start(site)?;
        live.push(server.first_200("/livez")?);
        ready.push(server.first_200("/readyz")?);
    }
    let spread = |durations| Spread::of(durations).ok_or_else(|| "no start was measured".to_owned());
    Ok([("/livez", spread(live)?), ("/readyz", spread(ready)?)])
}

/// A server that has just been started, and the memory it then uses.
pub(super) fn idle(site: &Site) -> Result<(Running, u64)> {
    let mut server = Running::start(site)?;
    server.first_200("/readyz")?;
    sleep(SETTLE);
    let idle = server.resident_kib()?;
    Ok((server, idle))
}

fn memory(site: &Site) -> Result {
    let (server, idle) = idle(site)?;
    let mut connection = Connection::open(server.address).map_err(|e| format!("cannot connect: {e}"))?;
    for _ in 0..REQUESTS {
        connection.get("/readyz").map_err(|e| format!("a request failed: {e}"))?;
    }
    let after = server.resident_kib()?;
    let [idle, budget, after] = [idle, IDLE_BUDGET_KIB, after].map(mebibytes);
    println!("resident memory: idle {idle} (budget {budget}), after {REQUESTS} requests {after}");
    Ok(())
}

pub(super) fn mebibytes(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_one_digit_after_the_point() {
        assert_eq!(mebibytes(15 * 1024 + 512), "15.5 MiB");
        assert_eq!(mebibytes(1023), "0.9 MiB");
    }
}
