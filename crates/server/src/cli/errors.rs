//! `vestibule errors`: the catalogue of the HTTP API's error codes.

use clap::Subcommand;
use serde_json::json;
use vestibule_http::{Entry, catalogue};

use super::context::Context;
use super::terminal::output;
use crate::failure::Failure;

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
    output::line(&format!(
        "{} ({}): {}\n  cause: {}\n  fix: {}",
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
