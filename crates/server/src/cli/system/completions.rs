//! `vestibule completions`: what a shell completes after `vestibule`.

use clap::Command;
use clap_complete::Shell;

use crate::cli::terminal::output;
use crate::failure::Failure;

/// Prints the script for a shell.
pub(crate) fn run(shell: Shell, mut program: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    let name = program.get_name().to_owned();
    clap_complete::generate(shell, &mut program, name, &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())
}
