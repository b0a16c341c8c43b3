//! What is written: refreshed tokens and sign-ups.

use serde_json::json;
use vestibule_testing::PASSWORD;

use super::super::yardstick::{Hashes, Load, as_f64};
use super::figures::Budget::AtLeast;
use super::figures::Figures;
use super::stage::Stage;
use crate::shell::Result;

const SECONDS: f64 = 5.0;
const CLIENTS: usize = 32;
/// More than are made in [`SECONDS`].
const SIGN_UPS: u32 = 20_000;

pub(super) fn run(stage: &Stage, (hashes, cores): (Hashes, usize), figures: &mut Figures) -> Result {
    figures.part("Writes on SQLite, each on the disk before it is answered");
    let commits = stage.yardstick.commit_rate(3.0)?;
    figures.add("commits", "limit: bare rows, 64 to a commit", commits, "/s", None);
    let (outcome, cpu) = stage.measure("/v1/token", &stage.refreshes()?.over(64, SECONDS))?;
    figures.add(
        "refreshes",
        "refreshed tokens over 64 connections",
        outcome.rate(),
        "/s",
        Some(AtLeast(10_000.0)),
    );
    figures.add("refresh_cpu", "CPU time of one", cpu, "ms", None);
    let rows = 100.0 * 2.0 * outcome.rate() / commits;
    figures.add("refresh_share", "rows written (two for each) as a share of the bare rows", rows, "%", None);

    let sign_ups = Load {
        once: true,
        ..Load::post(stage.address(), "/v1/signup", (0..SIGN_UPS).map(sign_up).collect())
    };
    let (outcome, cpu) = stage.storm(&sign_ups.over(CLIENTS, SECONDS))?;
    figures.add("sign_ups", "sign-ups with 32 clients, their mails handed over", outcome.rate(), "/s", None);
    let share = 100.0 * outcome.rate() / hashes.rate;
    figures.add("sign_up_share", "sign-ups as a share of the bare hashes", share, "%", None);
    let rest = cpu - hashes.cpu_millis;
    figures.add("sign_up_rest", "CPU time of a sign-up and its mail beside a bare hash", rest, "ms", None);
    let what = "sign-ups without their hash, computed from that time";
    if rest > 0.0 {
        let without = 1000.0 * as_f64(cores as u64) / rest;
        figures.add("sign_ups_without_hash", what, without, "/s", Some(AtLeast(10_000.0)));
    } else {
        figures.leave_out(format!("{what}: the machine was too busy to tell it from the hash"));
    }
    Ok(())
}

fn sign_up(number: u32) -> String {
    json!({"email": format!("newcomer.{number}@mail.example.org"), "password": PASSWORD}).to_string()
}
