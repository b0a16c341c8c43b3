//! `vestibule client`: the applications that sign people in here, directly in the database.

mod change;
mod shown;

use clap::{Args, Subcommand};
use serde_json::json;
use vestibule::{Accounts, Actor, ApplicationId};

use super::context::Context;
use super::terminal::output;
use crate::cli::terminal::ask::confirmed;
use crate::failure::Failure;
use crate::open;

/// What to do with clients: applications that send people here to sign in (OAuth 2, `OpenID` Connect). Those of the settings
/// file are shown here, and changed there. A change counts at once, also for a running server.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Register a client; prints its secret, if it gets one, once
    Add(change::Add),
    /// List clients: those of the settings file, then those of the database by id
    List,
    /// Show one client
    Show(Named),
    /// Change the registration of a client
    ///
    /// What is not named stays. A list that is named replaces the list before; an empty text empties it.
    Update(change::Update),
    /// Make a new secret and print it, once; the newest of those before goes on working
    RotateSecret(Named),
    /// Stop accepting every secret but the newest
    DropOldSecret(Confirmed),
    /// Remove a client: its sessions end, and what users allowed it is forgotten
    Remove(Confirmed),
}

/// Which client.
#[derive(Clone, Debug, Args)]
pub(crate) struct Named {
    /// The `client_id`
    id: ApplicationId,
}

/// Which client, and whether it is meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct Confirmed {
    /// The `client_id`
    id: ApplicationId,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: Command) -> Result<(), Failure> {
    // Asked before the database is opened, so that nothing waits for a person.
    match &command {
        Command::Remove(Confirmed { id, yes }) => {
            eprintln!(
                "This removes the client {id}: its sessions end, and what users allowed it is forgotten."
            );
            confirmed(*yes)?;
        }
        Command::DropOldSecret(Confirmed { id, yes }) => {
            eprintln!("From now on {id} is known by its newest secret alone.");
            confirmed(*yes)?;
        }
        _ => {}
    }
    let config = context.config()?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        match command {
            Command::Add(add) => change::add(context, &accounts, add).await,
            Command::List => list(context, &accounts).await,
            Command::Show(Named { id }) => show(context, &accounts, &id).await,
            Command::Update(update) => change::update(context, &accounts, update).await,
            Command::RotateSecret(Named { id }) => change::rotate_secret(context, &accounts, &id).await,
            Command::DropOldSecret(Confirmed { id, .. }) => drop_old_secret(context, &accounts, &id).await,
            Command::Remove(Confirmed { id, .. }) => remove(context, &accounts, &id).await,
        }
    })
}

async fn list(context: &Context, accounts: &Accounts) -> Result<(), Failure> {
    let clients = accounts.list_applications(Actor::Operator).await?;
    if context.json {
        return clients.iter().try_for_each(|client| output::object(shown::as_json(client)));
    }
    let rows: Vec<_> = clients.iter().map(shown::row).collect();
    output::table(["id", "name", "kind", "registered in", "redirects to"], &rows)
}

async fn show(context: &Context, accounts: &Accounts, id: &ApplicationId) -> Result<(), Failure> {
    shown::print(context, &accounts.find_application(Actor::Operator, id).await?)
}

async fn drop_old_secret(context: &Context, accounts: &Accounts, id: &ApplicationId) -> Result<(), Failure> {
    accounts.drop_old_application_secret(Actor::Operator, id).await?;
    show(context, accounts, id).await
}

async fn remove(context: &Context, accounts: &Accounts, id: &ApplicationId) -> Result<(), Failure> {
    accounts.remove_application(Actor::Operator, id).await?;
    if context.json {
        return output::object(json!({ "id": id, "removed": true }));
    }
    output::line(&format!("removed: {id}"))
}
