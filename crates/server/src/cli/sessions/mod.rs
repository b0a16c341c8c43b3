//! `vestibule sessions`: the sessions of everybody.

use clap::Subcommand;
use serde_json::json;
use vestibule::Reason;

use super::context::Context;
use super::terminal::ask::confirmed;
use super::terminal::output;
use super::terminal::reason::reason;
use crate::failure::Failure;
use crate::open;

/// What to do with the sessions.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign everybody out, everywhere: after a leak
    End {
        /// Every session of everybody; those of one user: `vestibule user sign-out USER`
        #[arg(long, required = true)]
        all: bool,
        /// The reason, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    let Command::End { reason, yes, .. } = command;
    let config = context.config()?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        eprintln!(
            "This signs everybody out. Services that verify access tokens offline accept them until they expire; \
             `vestibule keys retire` ends that too."
        );
        confirmed(*yes)?;
        let ended = accounts.end_all_sessions(reason).await?;
        if context.json {
            output::object(json!({ "ended": ended }))
        } else {
            output::line(&format!("ended: {ended}"))
        }
    })
}
