//! Memory from burst to burst of sign-ins: what the hash threads held is given back, every time.

use std::thread::{available_parallelism, sleep};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use vestibule_testing::{PASSWORD, Site};

use super::cost::together;
use super::program::{Build, Running};
use super::start::mebibytes;
use crate::http::Connection;
use crate::shell::Result;

const EMAIL: &str = "ada@example.org";
/// Sign-ins at once: from the first of these to the second, and again.
const SIGN_INS: [usize; 2] = [4, 12];
const PAUSE: Duration = Duration::from_millis(6500);
/// What a hash of the usual cost holds.
const HASH_KIB: u64 = 19 * 1024;
/// What a storm may hold beside its hashes, more than an idle server.
const BESIDE_KIB: u64 = 10 * 1024;

/// What is measured.
#[derive(Args)]
pub(crate) struct Options {
    /// How many bursts
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    bursts: u16,
    #[command(flatten)]
    build: Build,
}

pub(super) fn run(options: &Options) -> Result {
    let site = Site::new(options.build.program()?, None);
    let mut server = Running::start(&site)?;
    server.first_200("/readyz")?;
    site.has_user(EMAIL, &[]);
    sleep(PAUSE);
    let idle = server.resident_kib()?;
    println!("idle {}", mebibytes(idle));
    let [least, most] = SIGN_INS;
    let (mut highest, mut kept) = (idle, idle);
    for burst in 0..usize::from(options.bursts) {
        let number = least + burst % (most - least + 1);
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        let sign_in = |connection: &mut Connection, body: &String| {
            let (status, answer) =
                connection.send("POST", "/v1/login", None, body).map_err(|e| e.to_string())?;
            if status == 200 { Ok(()) } else { Err(format!("/v1/login was answered {status}: {answer}")) }
        };
        together(&server, number, &vec![body; number], sign_in)?;
        let during = server.resident_kib()?;
        sleep(PAUSE);
        kept = server.resident_kib()?;
        highest = highest.max(during);
        println!("burst of {number:>2}: {} at its end, {} afterwards", mebibytes(during), mebibytes(kept));
    }
    let threads = available_parallelism().map_or(1, |number| number.get() as u64);
    let budget = idle + threads * HASH_KIB + BESIDE_KIB;
    println!(
        "highest {} (budget {}: idle, a hash for each of {threads} threads, and 10 MiB); kept {} more than idle",
        mebibytes(highest),
        mebibytes(budget),
        mebibytes(kept.saturating_sub(idle))
    );
    Ok(())
}
