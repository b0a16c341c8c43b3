//! What a token check costs, and what the documents cost that everybody reads.

use super::super::yardstick::{Load, Outcome};
use super::figures::Budget::AtMost;
use super::figures::Figures;
use super::stage::{Stage, milliseconds};
use crate::shell::Result;

const CONNECTIONS: [usize; 3] = [1, 8, 64];
const SECONDS: f64 = 3.0;

/// The name of the plot of throughput.
pub(super) const THROUGHPUT: &str = "throughput";

pub(super) fn run(stage: &Stage, figures: &mut Figures) -> Result {
    figures.part("Token checks on SQLite: `GET /v1/me` with a bearer token");
    let (bare_rates, bare_cpu) = bare(stage)?;
    let mut rates = Vec::new();
    let mut cpu = 0.0;
    for connections in CONNECTIONS {
        let (outcome, each) = stage.measure("/v1/me", &stage.me().over(connections, SECONDS))?;
        let over = if connections == 1 {
            "over one connection".to_owned()
        } else {
            format!("over {connections} connections")
        };
        let [key, what] = [format!("me_rate_{connections}"), format!("requests {over}")];
        figures.add(&key, &what, outcome.rate(), "/s", None);
        let [key, what] = [format!("me_cpu_{connections}"), format!("CPU time of one, {over}")];
        let budget = (connections == 64).then_some(AtMost(0.03));
        figures.add(&key, &what, each, "ms", budget);
        rates.push(point(connections, &outcome));
        cpu = each;
    }
    figures.add(
        "bare_cpu",
        "limit: CPU time of a bare axum answer, over 64 connections",
        bare_cpu,
        "ms",
        None,
    );
    if let Some((_, rate)) = bare_rates.last() {
        figures.add("bare_rate", "limit: bare axum answers over 64 connections", *rate, "/s", None);
    }
    figures.add(
        "me_ratio",
        "CPU time as a multiple of a bare answer's",
        cpu / bare_cpu,
        "×",
        Some(AtMost(1.5)),
    );
    figures.add("me_goal", "the same, against the nearer goal", cpu / bare_cpu, "×", Some(AtMost(3.0)));
    figures.plot(THROUGHPUT, "GET /v1/me", rates);
    figures.plot(THROUGHPUT, "bare axum answer", bare_rates);
    documents(stage, figures)
}

/// Answers per second by connections, and the CPU time of one with most of them.
fn bare(stage: &Stage) -> Result<(Vec<(f64, f64)>, f64)> {
    let server = stage.yardstick.answer()?;
    let mut rates = Vec::new();
    let mut cpu = 0.0;
    for connections in CONNECTIONS {
        let load = Load::get(server.address, "/v1/me").over(connections, SECONDS);
        stage.yardstick.load(&Load { seconds: 0.3, ..load.clone() })?;
        let before = server.cpu_time()?;
        let outcome = stage.yardstick.load(&load)?.all_good("a bare answer")?;
        cpu = milliseconds(server.cpu_time()?.saturating_sub(before)) / outcome.good_answers();
        rates.push(point(connections, &outcome));
    }
    Ok((rates, cpu))
}

fn documents(stage: &Stage, figures: &mut Figures) -> Result {
    figures.part("Documents that applications read");
    let cost = |path: &str| -> Result<f64> {
        let load = Load::get(stage.address(), path).over(64, 1.5);
        Ok(stage.measure(path, &load)?.1)
    };
    let live = cost("/livez")?;
    figures.add("livez_cpu", "CPU time of `/livez`, over 64 connections", live, "ms", None);
    for (key, path) in
        [("discovery", "/.well-known/openid-configuration"), ("jwks", "/.well-known/jwks.json")]
    {
        let what = format!("CPU time of `{path}` as a multiple of `/livez`");
        figures.add(key, &what, cost(path)? / live, "×", Some(AtMost(2.0)));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "there are few connections")]
fn point(connections: usize, outcome: &Outcome) -> (f64, f64) {
    (connections as f64, outcome.rate())
}
