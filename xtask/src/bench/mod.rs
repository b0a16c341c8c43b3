//! Measurements of the release build, or of the debug build if requested. They print figures and never fail for being
//! slow: that depends on the machine.

mod applications;
mod argon2id;
mod auc;
mod bursts;
mod cost;
mod import;
mod instances;
mod limits;
mod passkey;
pub(crate) mod program;
mod revocation;
mod size;
mod spread;
mod start;
mod timing;

use clap::Subcommand;

use crate::shell::Result;

/// One kind of measurement.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Time from start to the first answer, and memory, on an existing SQLite database
    Start(start::Options),
    /// Password hashes per second, and whether they are those of the argon2 crate
    Argon2id(argon2id::Options),
    /// What an application costs: a code for tokens, and the documents that clients read
    Applications(program::Build),
    /// Memory during bursts of sign-ins and between them
    Bursts(bursts::Options),
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
    /// How long another instance accepts the token of a session that was ended
    Revocation(revocation::Options),
}

impl Bench {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Start(options) => start::run(options),
            Self::Argon2id(options) => argon2id::run(options),
            Self::Applications(options) => applications::run(options),
            Self::Bursts(options) => bursts::run(options),
            Self::Passkey(options) => passkey::run(options),
            Self::Timing(options) => timing::run(options),
            Self::Import(options) => import::run(options),
            Self::Size(options) => size::run(options),
            Self::Limits(options) => limits::run(options),
            Self::Revocation(options) => revocation::run(options),
        }
    }
}
