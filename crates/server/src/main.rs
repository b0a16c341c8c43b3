//! Vestibule: the accounts server for an application, in one program. A thin shell around the library `vestibule`.

mod cli;
mod config;
mod data_dir;
mod entropy;
mod failure;
mod language;
mod mailer;
mod open;
mod operator;
mod permissions;
mod printable;
mod serve;
mod telemetry;
mod transfer;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", printable::lines(&failure.to_string()));
            ExitCode::from(failure.exit as u8)
        }
    }
}
