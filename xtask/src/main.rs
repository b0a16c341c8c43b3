//! The project's checks, benchmarks and generated files.
//!
//! `cargo xtask ci` is what continuous integration runs, and the same locally. It installs what is missing.
#![expect(
    clippy::disallowed_methods,
    reason = "starts programs, measures durations and reads the environment"
)]

mod bench;
mod deny;
mod dist;
mod faults;
mod fuzz;
mod generated;
mod http;
mod interop;
mod looks;
mod rules;
mod setup;
mod shell;
mod steps;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Checks, benchmarks and generated files of this repository", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check in order, up to the first that fails
    Ci {
        /// Run only this check (repeatable)
        #[arg(long, value_name = "NAME", value_parser = steps::names())]
        only: Vec<String>,
        /// Print the checks and what each is for
        #[arg(long)]
        list: bool,
    },
    /// Run the tests; further arguments go to `cargo nextest run`
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Take a picture of every page and mail, in three languages, light and dark, at every width, and lay them out
    Look(looks::Options),
    /// Install the programs the checks need
    Setup,
    /// Write docs/openapi.json anew
    Openapi,
    /// Write docs/settings.md and docs/settings.schema.json anew
    Settings,
    /// Disturb and end the server as the world does, and check that nothing is lost
    Faults(faults::Options),
    /// Feed every parser of foreign input with made-up inputs
    Fuzz {
        /// How long each, all side by side
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only parsers whose name has this in it, e.g. `passkey`
        #[arg(long, value_name = "PART", default_value = "")]
        only: String,
    },
    /// Compare with programs of others, for longer than the tests do
    Interop(interop::Options),
    /// Pack the program for people without Rust: an archive, the list of its parts, checksums
    Dist(dist::Options),
    /// Measure the release build against its budgets, and write docs/performance.md; or one part by name
    Bench(bench::Bench),
    /// Stop the PostgreSQL cluster the tests share (it also stops by itself)
    StopPostgres,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Ci { list: true, .. } => {
            steps::list();
            Ok(())
        }
        Task::Ci { only, .. } => steps::run(&only),
        Task::Test { arguments } => setup::run().and_then(|()| steps::nextest(&arguments)),
        Task::Look(options) => looks::run(&options),
        Task::Setup => setup::run(),
        Task::Openapi => generated::write(&generated::OPENAPI),
        Task::Settings => generated::write(&generated::SETTINGS),
        Task::Faults(options) => faults::run(&options),
        Task::Fuzz { seconds, only } => fuzz::run(Duration::from_secs(seconds), &only),
        Task::Interop(options) => interop::run(&options),
        Task::Dist(options) => dist::run(&options),
        Task::Bench(bench) => bench.run(),
        Task::StopPostgres => {
            vestibule_testing::stop_shared();
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
