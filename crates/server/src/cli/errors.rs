//! `vestibule errors`: the catalogue of the HTTP API's error codes.

use clap::Subcommand;
use serde_json::json;
use vestibule_http::{Entry, catalogue, fix_in_development};

use super::context::Context;
use super::terminal::output;
use crate::failure::Failure;

/// Where a server in development mode is reached.
const DEV_URL: &str = "http://localhost:8080";

/// What to print.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// List every code
    List,
    /// Explain one code: the cause and the fix
    Show {
        /// The `code` of an answer, e.g. `code_expired`
        code: String,
    },
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    match command {
        Command::List if context.json => {
            catalogue().iter().try_for_each(|entry| output::object(as_json(entry)))
        }
        Command::List => {
            let row = |entry: &Entry| {
                [entry.status.to_string(), entry.code.as_str().to_owned(), entry.title.to_owned()]
            };
            let rows: Vec<_> = catalogue().iter().map(row).collect();
            output::table(["status", "code", "title"], &rows)
        }
        Command::Show { code } => show(context, code),
    }
}

fn show(context: &Context, code: &str) -> Result<(), Failure> {
    let Some(entry) = catalogue().iter().find(|entry| entry.code.as_str() == code) else {
        return Err(Failure::not_found(format!("there is no error code {code:?}"))
            .fix("`vestibule errors list` lists them"));
    };
    if context.json {
        return output::object(as_json(entry));
    }
    let concrete = fix_in_development(entry.code, DEV_URL);
    let concrete = concrete.map_or_else(String::new, |fix| format!("\n  in --dev: {fix}"));
    output::line(&format!(
        "{} ({}): {}\n  cause: {}\n  fix: {}{concrete}",
        code, entry.status, entry.title, entry.cause, entry.fix
    ))
}

fn as_json(entry: &Entry) -> serde_json::Value {
    json!({
        "code": entry.code.as_str(),
        "status": entry.status,
        "title": entry.title,
        "cause": entry.cause,
        "fix": entry.fix,
        "field": entry.of_a_field,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;
    use crate::config::keys::KEYS;

    /// The commands in a fix, each with the settings before it.
    fn commands(fix: &str) -> Vec<&str> {
        let plain = fix.split('`').flat_map(|part| part.split(": "));
        plain.filter(|part| part.contains("vestibule ") && !part.contains("curl ")).collect()
    }

    #[test]
    fn what_a_fix_says_to_run_can_be_run() {
        let mut found = 0;
        for entry in catalogue() {
            for command in commands(&fix_in_development(entry.code, DEV_URL).unwrap_or_default()) {
                let words = command.split(' ').skip_while(|word| word.contains('='));
                Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{command}: {error}"));
                for setting in command.split(' ').filter_map(|word| word.split_once('=')) {
                    assert!(KEYS.iter().any(|key| key.variable() == setting.0), "{command}");
                }
                found += 1;
            }
        }
        assert!(found > 5, "{found} commands");
    }
}
