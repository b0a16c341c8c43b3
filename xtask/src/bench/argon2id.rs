//! How fast passwords are hashed, compared with the `argon2` crate, and whether both compute the same.

use clap::Args;

use crate::shell::{Result, cargo, run as execute};

const PACKAGE: &str = "--package=vestibule-argon2id";

/// What is measured.
#[derive(Args)]
pub(crate) struct Options {
    /// How long each of the two is measured, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Random costs, passwords and salts to compare; 0 compares none
    #[arg(long, default_value_t = 100_000)]
    cases: u32,
}

pub(super) fn run(options: &Options) -> Result {
    let seconds = options.seconds.to_string();
    execute(cargo(["run", "--quiet", "--release", PACKAGE, "--example=rate", "--"]).arg(seconds))?;
    if options.cases == 0 {
        return Ok(());
    }
    let cases = options.cases.to_string();
    execute(cargo(["nextest", "run", "--release", PACKAGE]).env("PROPTEST_CASES", &cases))?;
    println!("{cases} random cases: every kernel of this processor computed what the argon2 crate computes");
    Ok(())
}
