//! `vestibule user ways-in`: what a user signs in with, and help for whoever has lost it.

use clap::Subcommand;
use serde_json::json;
use vestibule::{Accounts, Actor, Passkey, Reason, Timestamp, WaysIn};

use crate::cli::account::named;
use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::cli::terminal::reason::reason;
use crate::failure::Failure;

/// What to do with the ways in of a user.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a user signs in with
    Show {
        /// ID, email address or user name
        user: String,
    },
    /// Remove every second factor of a user who has lost them, and email a link to set up another one
    ///
    /// Ends all sessions and notifies the user. Make sure first that you are talking to the owner of the account.
    Reset {
        /// ID, email address or user name
        user: String,
        /// Why, and how the user was recognised: for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
    },
}

/// Runs the command.
pub(crate) async fn run(context: &Context, accounts: &Accounts, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show { user } => {
            let ways = accounts.ways_in_of(Actor::Operator, &named(&user)?).await?;
            if context.json { output::object(as_json(&ways)) } else { show(&ways) }
        }
        Command::Reset { user, reason } => {
            let account = accounts.reset_ways_in(Actor::Operator, &named(&user)?, &reason).await?;
            if context.json {
                return output::object(json!({ "id": account.id, "reset": true }));
            }
            eprintln!("The server will email a link to set up another one to {}.", account.email.as_str());
            output::line(&format!("reset: {}", account.id))
        }
    }
}

fn as_json(ways: &WaysIn) -> serde_json::Value {
    let passkey = |passkey: &Passkey| {
        json!({
            "id": passkey.id,
            "name": passkey.name,
            "created_at": passkey.created_at,
            "last_used_at": passkey.last_used_at,
            "backed_up": passkey.backed_up,
        })
    };
    json!({
        "password": ways.password,
        "passkeys": ways.passkeys.iter().map(passkey).collect::<Vec<_>>(),
        "authenticator_confirmed_at": ways.authenticator_confirmed_at,
        "recovery_codes_left": ways.recovery_codes_left,
        "second_factor_required_by": ways.second_factor_required_by,
    })
}

fn show(ways: &WaysIn) -> Result<(), Failure> {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let row = |cells: [&str; 4]| cells.map(str::to_owned);
    let mut rows = vec![row(["password", if ways.password { "set" } else { "none" }, "-", "-"])];
    rows.push(match ways.authenticator_confirmed_at {
        Some(at) => row(["authenticator app", "set", &at.to_string(), "-"]),
        None => row(["authenticator app", "none", "-", "-"]),
    });
    rows.push(row(["recovery codes", &format!("{} left", ways.recovery_codes_left), "-", "-"]));
    rows.extend(ways.passkeys.iter().map(|passkey| {
        row(["passkey", &passkey.name, &passkey.created_at.to_string(), &time(passkey.last_used_at)])
    }));
    if let Some(by) = ways.second_factor_required_by {
        rows.push(row(["second factor", "required", &by.to_string(), "-"]));
    }
    output::table(["way in", "state", "since", "last used"], &rows)
}
