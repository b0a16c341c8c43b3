//! How long another instance accepts the token of an ended session.

use std::time::{Duration, Instant};

use clap::Args;

use super::instances::{Instances, sign_in};
use super::program::Build;
use crate::http::Connection;
use crate::shell::Result;

const BUDGET: Duration = Duration::from_secs(1);
/// A token accepted longer than this after its sign-out is a defect, not a figure.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    build: Build,
    /// How many sign-outs
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
}

pub(super) fn run(options: &Options) -> Result {
    let instances = Instances::start(2, &options.build)?;
    instances.make_account();
    let (mut one, mut other) = (instances.connect(0)?, instances.connect(1)?);
    let (mut lives, mut accepted) = (Vec::new(), 0);
    for _ in 0..options.runs {
        let (life, times) = revoke(&mut one, &mut other)?;
        lives.push(life);
        accepted += times;
    }
    lives.sort();
    let [p50, p99, max] = [50, 99, 100].map(|percent| percentile(&lives, percent).as_secs_f64() * 1000.0);
    println!(
        "from the answer to the sign-out at one instance to the first 401 at the other ({} runs):",
        lives.len()
    );
    println!(
        "p50 {p50:.2} ms, p99 {p99:.2} ms, max {max:.2} ms; accepted after the sign-out: {accepted} times"
    );
    println!("budget: p99 at most {} ms", BUDGET.as_millis());
    Ok(())
}

/// The time from the answer to the sign-out to the first 401, and how often the token was accepted in between.
fn revoke(one: &mut Connection, other: &mut Connection) -> Result<(Duration, usize)> {
    let token = sign_in(one)?;
    // The other instance has seen the token, so anything it caches about it is in effect.
    if me(other, &token)? != 200 {
        return Err("the other instance does not accept the token".to_owned());
    }
    let signed_out = one.send("POST", "/v1/logout", Some(&token), "");
    let begun = Instant::now();
    match signed_out {
        Ok((204, _)) => {}
        Ok((status, answer)) => return Err(format!("a sign-out was answered {status}: {answer}")),
        Err(error) => return Err(format!("a sign-out failed: {error}")),
    }
    let mut accepted = 0;
    loop {
        match me(other, &token)? {
            401 => return Ok((begun.elapsed(), accepted)),
            200 if begun.elapsed() < PATIENCE => accepted += 1,
            status => return Err(format!("still answered {status} after {:?}", begun.elapsed())),
        }
    }
}

fn me(connection: &mut Connection, token: &str) -> Result<u16> {
    let answer = connection.send("GET", "/v1/me", Some(token), "");
    answer.map(|(status, _)| status).map_err(|e| format!("a request failed: {e}"))
}

/// The value that `percent` of the sorted values do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        let found = [50, 99, 100].map(|percent| percentile(&sorted, percent).as_millis());
        assert_eq!(found, [100, 198, 200]);
        assert_eq!(percentile(&sorted[..1], 50), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
