//! `vestibule man`: the manual pages.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use crate::cli::terminal::output;
use crate::failure::Failure;

/// Writes a page for each command into `folder`, and prints their paths.
pub(crate) fn run(folder: &Path, program: Command) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| failure(folder, &error))?;
    // The help of the help is no page.
    let mut program = program.disable_help_subcommand(true);
    program.build();
    write(folder, &program)
}

fn write(folder: &Path, command: &Command) -> Result<(), Failure> {
    let path = Man::new(command.clone()).generate_to(folder).map_err(|error| failure(folder, &error))?;
    output::line(&path.display().to_string())?;
    command.get_subcommands().filter(|it| !it.is_hide_set()).try_for_each(|it| write(folder, it))
}

fn failure(folder: &Path, error: &io::Error) -> Failure {
    let cause = format!("cannot write into {}: {error}", folder.display());
    let failure = match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::permission(cause),
        _ => Failure::failed(cause),
    };
    failure.fix("name a folder that you may write to, e.g. `vestibule man ~/.local/share/man/man1`")
}
