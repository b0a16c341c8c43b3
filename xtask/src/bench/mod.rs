//! Measurements of the release build, or of the debug build if requested. They print figures and never fail for being
//! slow: that depends on the machine.

mod applications;
mod argon2id;
mod bursts;
mod cost;
mod growth;
mod import;
mod instances;
mod limits;
mod passkey;
pub(crate) mod program;
mod revocation;
mod size;
mod spread;
mod start;
mod table;
mod timing;
mod yardstick;

use clap::{Args, Subcommand};

use crate::shell::Result;

/// Everything, or one kind of measurement.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    part: Option<Part>,
    /// Keep the figures as those of before a change, which the page then shows beside the present ones
    #[arg(long)]
    before: bool,
    #[command(flatten)]
    build: program::Build,
}

impl Bench {
    pub(crate) fn run(&self) -> Result {
        match &self.part {
            Some(part) => part.run(),
            None => table::run(&self.build, self.before),
        }
    }
}

/// One kind of measurement.
#[derive(Subcommand)]
enum Part {
    /// Time from start to the first answer, and memory, on an existing SQLite database
    Start(start::Options),
    /// Password hashes per second, and whether they are those of the argon2 crate
    Argon2id(argon2id::Options),
    /// What an application costs: a code for tokens, and the documents that clients read
    Applications(program::Build),
    /// Memory during bursts of sign-ins and between them
    Bursts(bursts::Options),
    /// Write the page of figures anew, from those of the last runs
    Page,
    /// Wrong passwords for one account at four instances at once: how many get an answer
    Limits(limits::Options),
    /// What a sign-in with a passkey, one with a password, and a protected request cost
    Passkey(program::Build),
    /// Whether the time of an answer tells what is behind an address: medians, and how well each two states are told apart
    Timing(timing::Options),
    /// How long an import takes, and how much memory it needs at most
    Import(import::Options),
    /// How many rows and bytes a user takes, and a sign-in, on both databases
    Size(size::Options),
    /// What a thousand times as many users do to the cost of each request; databases are kept for the next run
    Growth(growth::Options),
    /// How long another instance accepts the token of a session that was ended
    Revocation(revocation::Options),
}

impl Part {
    fn run(&self) -> Result {
        match self {
            Self::Start(options) => start::run(options),
            Self::Argon2id(options) => argon2id::run(options),
            Self::Applications(options) => applications::run(options),
            Self::Bursts(options) => bursts::run(options),
            Self::Passkey(options) => passkey::run(options),
            Self::Timing(options) => timing::run(options),
            Self::Import(options) => import::run(options),
            Self::Size(options) => size::run(options),
            Self::Page => table::write(),
            Self::Limits(options) => limits::run(options),
            Self::Growth(options) => growth::run(options),
            Self::Revocation(options) => revocation::run(options),
        }
    }
}
