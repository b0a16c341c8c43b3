//! `vestibule database`, or `db`: the database itself.

mod moving;

use clap::Subcommand;
use serde_json::json;
use vestibule::Reason;

use super::context::Context;
use super::terminal::output;
use super::terminal::reason::reason;
use crate::config::settings::Database;
use crate::failure::{Exit, Failure};
use crate::open;

/// What to do with the database.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Accept an SQLite database that is older than the last one seen, such as a restored backup
    Accept {
        /// The reason, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
    },
    /// Move the accounts to another database, SQLite or `PostgreSQL`; they are read-only meanwhile, and nobody is signed
    /// out
    Move(moving::Command),
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Accept { reason } => accept(context, reason),
        Command::Move(command) => moving::run(context, command),
    }
}

fn accept(context: &Context, reason: &Reason) -> Result<(), Failure> {
    let config = context.config()?;
    let Database::Sqlite(path) = &config.database else {
        return Err(Failure::usage(
            "only an SQLite database is accepted: PostgreSQL takes care of its own files",
        ));
    };
    vestibule::accept_database(&config.database.url())?;
    open::block_on(async {
        match open::for_command(&config, config.public_url(None)).await {
            Ok(accounts) => accounts.note_accepted_database(reason).await?,
            Err(failure) if failure.exit == Exit::NotFound => {
                eprintln!("No server has used this database: the next start of one begins anew.");
            }
            Err(failure) => return Err(failure),
        }
        if context.json {
            return output::object(json!({ "database": path }));
        }
        output::line(&format!("accepted: {}", path.display()))
    })
}
