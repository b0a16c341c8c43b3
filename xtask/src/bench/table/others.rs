//! Starts, memory, passkeys and applications: each on a server of its own.

use std::path::Path;

use vestibule_testing::Site;

use super::super::program::Running;
use super::super::{applications, passkey, start};
use super::figures::Budget::{AtLeast, AtMost};
use super::figures::Figures;
use super::stage::{mebibytes, milliseconds};
use crate::shell::Result;

const STARTS: u32 = 20;
/// The documents are measured elsewhere, over many connections.
const FEW_READS: u32 = 10;

/// Returns the memory of an idle server in MiB.
pub(super) fn starts(program: &Path, figures: &mut Figures) -> Result<f64> {
    figures.part("Start and memory, on an existing SQLite database");
    let site = Site::new(program.to_owned(), None);
    Running::start(&site)?.first_200("/readyz")?;
    for (path, spread) in start::starts(&site, STARTS)? {
        let budget = (path == "/readyz").then_some(AtMost(15.0));
        let what = format!("start to the first 200 of `{path}`, median of {STARTS}");
        figures.add(path, &what, milliseconds(spread.median), "ms", budget);
    }
    let (_server, idle) = start::idle(&site)?;
    let idle = mebibytes(idle);
    figures.add("idle_memory", "resident memory of an idle server", idle, "MiB", Some(AtMost(18.0)));
    Ok(idle)
}

pub(super) fn passkeys(program: &Path, figures: &mut Figures) -> Result {
    figures.part("Passkeys and passwords, on SQLite");
    let costs = passkey::measure(&Site::new(program.to_owned(), None))?;
    figures.add("passkeys", "sign-ins with a passkey over 64 connections", costs.passkey.rate(), "/s", None);
    let cpu = milliseconds(costs.passkey.cpu);
    figures.add("passkey_cpu", "CPU time of a sign-in with a passkey", cpu, "ms", None);
    let cpu = milliseconds(costs.password.cpu);
    figures.add("password_cpu", "CPU time of a sign-in with a password", cpu, "ms", None);
    let what = "sign-ins with a passkey that cost as much as one with a password";
    figures.add("passkey_ratio", what, costs.ratio(), "", Some(AtLeast(50.0)));
    Ok(())
}

pub(super) fn applications(program: &Path, figures: &mut Figures) -> Result {
    figures.part("Applications, on SQLite");
    let costs = applications::measure(&Site::new(program.to_owned(), None), FEW_READS)?;
    for (what, cost) in costs.iter().filter(|(what, _)| !what.starts_with("GET")) {
        figures.add(what, &format!("{what}, over 16 connections"), cost.rate(), "/s", Some(AtLeast(1000.0)));
        figures.add(&format!("{what}: CPU"), "CPU time of one", milliseconds(cost.cpu), "ms", None);
    }
    Ok(())
}
