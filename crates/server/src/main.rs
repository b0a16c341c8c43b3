//! Vestibule: the accounts server for an application, in one program. A thin shell over the library `vestibule`.

mod cli;
mod config;
mod data_dir;
mod entropy;
mod failure;
mod open;
mod serve;
mod telemetry;
mod workers;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit as u8)
        }
    }
}
