//! How long an import takes, and how much memory it needs at most.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use vestibule_testing::{Site, database};

use super::program::{Build, Running};
use crate::shell::Result;

/// The figures for comparison, for 100,000 rows.
const BUDGET: &str = "under 60 s and 64 MiB for 100,000 rows";
/// How often the peak is looked up: the kernel keeps it, so only its end can be missed.
const LOOK: Duration = Duration::from_millis(10);
/// What salts of bcrypt are written in.
const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

#[derive(Args)]
pub(crate) struct Options {
    /// How many users, each with a bcrypt hash
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    /// Into `PostgreSQL` instead of SQLite
    #[arg(long)]
    postgres: bool,
    #[command(flatten)]
    build: Build,
}

pub(super) fn run(options: &Options) -> Result {
    let site = Site::new(options.build.program()?, options.postgres.then(database));
    // Creates the database and the keys.
    let mut first = Running::start(&site)?;
    first.first_200("/readyz")?;
    first.stop();
    let path = site.path("users.jsonl");
    write(&path, options.rows).map_err(|e| format!("cannot write {}: {e}", path.display()))?;

    let mut command = site.command(&["user", "import", "users.jsonl"]);
    let start = Instant::now();
    let running =
        command.stdout(Stdio::null()).spawn().map_err(|e| format!("cannot start the import: {e}"))?;
    let (status, peak) = watched(running)?;
    let elapsed = start.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("the import ended with {status}"));
    }
    let last = email(options.rows - 1);
    if site.run(&["user", "show", &last]).code != Some(0) {
        return Err(format!("{last} is missing"));
    }
    let Options { rows, postgres, .. } = options;
    let pace = f64::from(*rows) / elapsed;
    let (mebibytes, kind) = (peak / 1024, if *postgres { "PostgreSQL" } else { "SQLite" });
    println!(
        "{rows} rows into {kind}: {elapsed:.1} s ({pace:.0} rows/s), at most {mebibytes} MiB resident (budget: {BUDGET})"
    );
    Ok(())
}

fn email(number: u32) -> String {
    format!("user{number}@example.org")
}

fn write(path: &Path, rows: u32) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for number in 0..rows {
        let (email, hash) = (email(number), hash(number));
        writeln!(file, r#"{{"email": "{email}", "external_id": "{number}", "password_hash": "{hash}"}}"#)?;
    }
    file.flush()
}

/// In the form of bcrypt, with a salt of its own; of no password.
fn hash(number: u32) -> String {
    let digits =
        (0..8).map(|place| usize::try_from((u64::from(number) >> (6 * place)) % 64).unwrap_or_default());
    let salt: String = digits.filter_map(|digit| ALPHABET.get(digit).copied().map(char::from)).collect();
    format!("$2b$10${salt}umMsCxaZNHuH/.Y8JnheI9HwVy8n0GoNmf.ufn4pEmjjW")
}

/// Waits for its end; the most memory that was resident, in KiB.
fn watched(mut running: Child) -> Result<(ExitStatus, u64)> {
    let path = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    loop {
        let ended = running.try_wait().map_err(|e| format!("cannot wait for the import: {e}"))?;
        peak = fs::read_to_string(&path).ok().as_deref().and_then(high_water).unwrap_or_default().max(peak);
        match ended {
            Some(status) => return Ok((status, peak)),
            None => sleep(LOOK),
        }
    }
}

/// `VmHWM:     9123 kB` → 9123
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::program;

    #[test]
    fn the_peak_is_the_high_water_mark() {
        assert_eq!(high_water("VmPeak:\t 1 kB\nVmHWM:\t  912 kB\nVmRSS:\t 9 kB\n"), Some(912));
        assert_eq!(high_water("Name:\tx\n"), None);
        let (status, peak) = watched(program("sleep").arg("0.2").spawn().unwrap()).unwrap();
        assert!(status.success() && peak > 0, "{status} {peak}");
    }

    #[test]
    fn every_hash_has_its_salt() {
        let hashes: std::collections::BTreeSet<String> = (0..5000).map(hash).collect();
        assert_eq!(hashes.len(), 5000);
        assert!(hashes.iter().all(|hash| hash.len() == 60));
    }
}
