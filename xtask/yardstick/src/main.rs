//! What benchmarks compare the server with, each as bare as it can be, and the requests that they send. A program of its
//! own, because both must be built like the server: `cargo xtask` itself is a debug build.
//!
//! `yardstick answer` serves a JSON answer until its standard input ends. `yardstick hash SECONDS` prints the passwords
//! hashed per second and the CPU time of one in milliseconds, `yardstick commits FOLDER SECONDS` the rows per second in grouped commits. `yardstick load` reads
//! what to send from its standard input. `yardstick sql FILE` runs the statements of its standard input on a database.

#![expect(clippy::disallowed_methods, reason = "measures durations, and waits for the next request's time")]

mod answer;
mod database;
mod hash;
mod load;

use std::io::{Read as _, stdin};
use std::path::Path;
use std::process::ExitCode;

/// An error message for people.
type Result<T = ()> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["answer"] => answer::serve(),
        ["hash", seconds] => number(seconds).map(|seconds| {
            let (rate, cpu) = hash::rate(seconds);
            println!("{rate:.2} {cpu:.3}");
        }),
        ["commits", folder, seconds] => number(seconds)
            .and_then(|seconds| database::commits(Path::new(folder), seconds))
            .map(|rate| println!("{rate:.0}")),
        ["load"] => input().and_then(|text| load::run(&text)).map(|answer| println!("{answer}")),
        ["sql", file] => input().and_then(|script| database::execute(Path::new(file), &script)),
        _ => Err("answer | hash SECONDS | commits FOLDER SECONDS | load | sql FILE".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<f64> {
    text.parse().map_err(|e| format!("{text}: {e}"))
}

fn input() -> Result<String> {
    let mut text = String::new();
    stdin().read_to_string(&mut text).map_err(|e| format!("cannot read the input: {e}"))?;
    Ok(text)
}
