//! `vestibule keys`: the keys that sign access tokens.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vestibule::{Accounts, KeyState, Rotation, SigningAlgorithm, SigningKey, Timestamp};

use super::context::Context;
use super::terminal::output;
use crate::cli::terminal::ask::confirmed;
use crate::failure::Failure;
use crate::open;

/// What to do with signing keys. Give the command the configuration of the servers: times follow from it.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// List the keys, newest first; expired ones for 30 days
    List,
    /// Publish a new key that starts signing once every verifier can know it; nobody is signed out
    Rotate(Rotate),
    /// Stop trusting a key immediately, because somebody else may have it
    ///
    /// From now on every instance refuses what it signed. Sessions continue: clients refresh and get tokens signed
    /// with another key. If it is the signing key, a new one signs at once. Services that verify offline trust the
    /// key until they fetch the JWK Set again.
    Retire {
        /// The `kid`, as `keys list` shows it
        key: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// How to rotate.
#[derive(Clone, Debug, Args)]
pub(crate) struct Rotate {
    /// `EdDSA` or `ES256` [default: `tokens.algorithm` of the configuration]
    #[arg(long)]
    algorithm: Option<SigningAlgorithm>,
    /// Sign with the new key at once; verifiers with an old JWK Set refuse its tokens for a few minutes
    #[arg(long)]
    now: bool,
    /// Do not ask for confirmation (with --now)
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    // Asked before the database is opened, so that nothing waits for a person.
    match command {
        Command::Rotate(Rotate { now: true, yes, .. }) => {
            eprintln!(
                "The new key signs at once: verifiers with a copy of the old JWK Set refuse its tokens for a few minutes."
            );
            confirmed(*yes)?;
        }
        Command::Retire { key, yes } => {
            eprintln!(
                "This retires {key} at once: tokens it signed are refused. Sessions continue, and clients refresh."
            );
            confirmed(*yes)?;
        }
        Command::Rotate(_) | Command::List => {}
    }
    let config = context.config()?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        match command {
            Command::List => list(context, &accounts).await,
            Command::Rotate(how) => rotate(context, &accounts, how).await,
            Command::Retire { key, .. } => retire(context, &accounts, key).await,
        }
    })
}

async fn list(context: &Context, accounts: &Accounts) -> Result<(), Failure> {
    let keys = accounts.signing_keys().await?;
    if context.json {
        return keys.iter().try_for_each(|key| output::object(as_json(key)));
    }
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let cells = [&key.id, key.algorithm.name(), key.state.name()].map(str::to_owned);
            let [id, algorithm, state] = cells;
            [id, algorithm, state, key.created_at.to_string(), key.signs_at.to_string(), end(key)]
        })
        .collect();
    output::table(["id", "algorithm", "state", "created", "signs from", "verifies until"], &rows)
}

async fn rotate(context: &Context, accounts: &Accounts, how: &Rotate) -> Result<(), Failure> {
    let rotated = accounts.rotate_keys(Rotation { algorithm: how.algorithm, at_once: how.now }).await?;
    let (new, old) = (&rotated.new, rotated.old.as_ref());
    if context.json {
        return output::object(json!({ "new": as_json(new), "old": old.map(as_json) }));
    }
    step(new.created_at, new, "is published")?;
    step(new.signs_at, new, "signs")?;
    match old.and_then(|old| Some((old.retired_at?, old))) {
        Some((at, old)) => step(at, old, "is over: its last token has expired"),
        None => Ok(()),
    }
}

async fn retire(context: &Context, accounts: &Accounts, key: &str) -> Result<(), Failure> {
    let retired = accounts.retire_key(key).await?;
    let signing = retired.signing.as_ref();
    if context.json {
        let (key, signing) = (as_json(&retired.key), signing.map(as_json));
        return output::object(json!({ "retired": key, "signing": signing, "made": retired.made }));
    }
    step(
        retired.key.retired_at.unwrap_or(retired.key.created_at),
        &retired.key,
        "is over: its tokens are refused",
    )?;
    let age = accounts.policy().tokens.jwks_max_age.as_secs();
    eprintln!(
        "Services that verify offline trust it until they fetch the JWK Set again, after {age} s at most if they respect Cache-Control."
    );
    match signing {
        Some(signing) if retired.made => step(signing.signs_at, signing, "was made and signs"),
        Some(signing) => step(signing.signs_at, signing, "signs"),
        None => Ok(()),
    }
}

/// One line of a plan: when, which key, what.
fn step(at: Timestamp, key: &SigningKey, what: &str) -> Result<(), Failure> {
    output::line(&format!("{at}  {} ({}) {what}", key.id, key.algorithm))
}

fn end(key: &SigningKey) -> String {
    key.retired_at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}

fn as_json(key: &SigningKey) -> Value {
    json!({
        "id": key.id,
        "algorithm": key.algorithm,
        "state": key.state.name(),
        "created_at": key.created_at,
        "signs_from": key.signs_at,
        "verifies_until": key.retired_at,
        "published": key.state != KeyState::Retired,
    })
}
