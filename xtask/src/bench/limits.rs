//! Whether an account's limit holds across concurrent requests to several instances.

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::instances::{EMAIL, Instances};
use super::program::Build;
use crate::shell::Result;

const INSTANCES: usize = 4;
/// Wrong passwords that cost no wait, as set for the server.
const FREE: usize = 5;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    build: Build,
    /// How many wrong passwords
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    requests: u32,
    /// How many are asked at the same time
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=256))]
    at_once: u32,
}

pub(super) fn run(options: &Options) -> Result {
    let instances = Instances::start(INSTANCES, &options.build)?;
    instances.make_account();
    let begun = Instant::now();
    let statuses = attack(&instances, options)?;
    let took = begun.elapsed();
    let told = statuses.get(&401).copied().unwrap_or_default();
    let (requests, seconds) = (options.requests, took.as_secs_f64());
    println!("{requests} wrong passwords for one account in {seconds:.2} s; answers by status: {statuses:?}");
    println!(
        "told that the password is wrong: {told}; the limit: {FREE}, and one more after 1 s, 3 s, 7 s …"
    );
    Ok(())
}

fn attack(instances: &Instances, options: &Options) -> Result<BTreeMap<u16, usize>> {
    let (requests, at_once) = (options.requests as usize, options.at_once as usize);
    let attacker = |first: usize| -> Result<Vec<u16>> {
        let mut connection = instances.connect(first)?;
        let body = json!({"email": EMAIL, "password": "another-long-word-9"}).to_string();
        let asked =
            (first..requests).step_by(at_once).map(|_| connection.send("POST", "/v1/login", None, &body));
        asked
            .map(|answer| answer.map(|(status, _)| status).map_err(|e| format!("a request failed: {e}")))
            .collect()
    };
    let answers: Vec<Result<Vec<u16>>> = thread::scope(|scope| {
        let attacker = &attacker;
        let threads: Vec<_> = (0..at_once).map(|first| scope.spawn(move || attacker(first))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
            .collect()
    });
    let mut statuses = BTreeMap::new();
    for status in answers.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten() {
        *statuses.entry(status).or_default() += 1;
    }
    Ok(statuses)
}
