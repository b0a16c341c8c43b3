//! Measurements of the release build. They print figures and never fail for being slow: the machine decides those.

mod program;
mod spread;
mod start;

use clap::Subcommand;

use crate::shell::Result;

/// One kind of measurement.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Time from start to the first answer, and memory, on an existing SQLite database
    Start(start::Options),
}

impl Bench {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Start(options) => start::run(options),
        }
    }
}
