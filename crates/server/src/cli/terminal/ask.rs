//! Questions to the person at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use vestibule::Password;

use crate::failure::Failure;

pub(crate) fn read_password(from_stdin: bool) -> Result<Password, Failure> {
    let text = if from_stdin {
        first_line("the password")?
    } else if io::stdin().is_terminal() {
        let asked = rpassword::prompt_password("Password: ");
        asked.map_err(|error| Failure::failed(format!("cannot read the password: {error}")))?
    } else {
        return Err(Failure::usage("cannot ask for the password: standard input is not a terminal")
            .fix("pipe it in, with --password-stdin"));
    };
    Password::new(&text).map_err(|error| Failure::failed(error.to_string()).fix("choose another password"))
}

/// What standard input begins with.
pub(crate) fn read_line(what: &str) -> Result<String, Failure> {
    let line = first_line(what)?;
    if line.is_empty() {
        Err(Failure::usage(format!("standard input is empty instead of {what}")))
    } else {
        Ok(line)
    }
}

fn first_line(what: &str) -> Result<String, Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::failed(format!("cannot read {what} from standard input: {error}")))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Asks on a terminal; elsewhere `--yes` is required.
pub(crate) fn confirmed(yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("cannot ask for confirmation: standard input is not a terminal")
            .fix("confirm with --yes"));
    }
    eprint!("Continue? [y/N] ");
    let _ = io::stderr().flush();
    let answer = first_line("the answer")?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Failure::failed("nothing was changed"))
    }
}
