//! `vestibule migrate`: the version of the schema.

use clap::Subcommand;
use serde_json::json;
use vestibule::{Migration, Migrator};

use super::backup::before_migration;
use super::context::Context;
use super::terminal::output;
use crate::cli::terminal::ask::confirmed;
use crate::config::settings::Config;
use crate::failure::Failure;
use crate::{open, telemetry};

/// What to do with the schema.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// List the versions; exit code 3 if any are pending
    Status,
    /// Apply pending migrations
    Up {
        /// The last version to apply [default: the newest]
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
    },
    /// Revert migrations; the data they added is lost
    Down {
        /// The version to keep; 0 reverts everything
        #[arg(long, value_name = "VERSION")]
        to: i64,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Record migrations that were applied by a script which did not record them
    Record {
        /// The last version the script applied [default: the newest]
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
    },
    /// Print the SQL script from the current version, to read or to run by hand; it records what it does
    Sql {
        /// The version to migrate to [default: the newest]
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
    },
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    let (config, _written) = if matches!(command, Command::Up { .. }) {
        let config = context.config_that_waits()?;
        // The log reports that it waits.
        let written = telemetry::start(&config.log, context.json)?;
        (config, Some(written))
    } else {
        (context.config()?, None)
    };
    open::block_on(async {
        let migrator = open::migrator(&config).await?;
        match *command {
            Command::Status => status(context, &migrator).await,
            Command::Up { to } => up(context, &config, &migrator, to).await,
            Command::Record { to } => report(context, &migrator.record(to).await?, "recorded"),
            Command::Down { to, yes } => down(context, &migrator, to, yes).await,
            Command::Sql { to } => sql(context, &migrator, to).await,
        }
    })
}

async fn status(context: &Context, migrator: &Migrator) -> Result<(), Failure> {
    let migrations = migrator.status().await?;
    if context.json {
        migrations.iter().try_for_each(|migration| output::object(json(migration)))?;
    } else {
        let rows: Vec<_> = migrations.iter().map(row).collect();
        output::table(["version", "name", "applied", "text"], &rows)?;
    }
    let pending = migrations.iter().filter(|migration| migration.applied_at.is_none()).count();
    let changed = migrations
        .iter()
        .filter(|migration| migration.applied_at.is_some() && !migration.checksum_matches)
        .count();
    match (pending, changed) {
        (0, 0) => Ok(()),
        (0, _) => {
            Err(Failure::found(format!("{changed} applied migration(s) differ from those of this program"))
                .fix("use the program that migrated this database, or a newer one"))
        }
        _ => Err(Failure::found(format!("{pending} migration(s) pending")).fix("vestibule migrate up")),
    }
}

async fn up(context: &Context, config: &Config, migrator: &Migrator, to: Option<i64>) -> Result<(), Failure> {
    let status = migrator.status().await?;
    let changes = status.iter().any(|it| it.applied_at.is_none() && to.is_none_or(|to| it.version <= to));
    // A database without any version has nothing to lose.
    if changes
        && status.iter().any(|it| it.applied_at.is_some())
        && let Some(file) = before_migration(config).await?
    {
        eprintln!("Backed up as it was: {}", file.display());
    }
    report(context, &migrator.up(to).await?, "applied")
}

async fn down(context: &Context, migrator: &Migrator, to: i64, yes: bool) -> Result<(), Failure> {
    let status = migrator.status().await?;
    let applied = status.iter().filter(|migration| migration.applied_at.is_some() && migration.version > to);
    let lost: Vec<String> =
        applied.rev().map(|migration| format!("{} ({})", migration.version, migration.name)).collect();
    if !lost.is_empty() {
        let stays = if to == 0 { "nothing is left".to_owned() } else { format!("version {to} stays") };
        eprintln!("This reverts {}; {stays}. The data they added is lost.", lost.join(", "));
        confirmed(yes)?;
    }
    report(context, &migrator.down(to).await?, "taken back")
}

async fn sql(context: &Context, migrator: &Migrator, to: Option<i64>) -> Result<(), Failure> {
    let script = migrator.sql(to).await?;
    if context.json { output::object(json!({ "sql": script })) } else { output::line(script.trim_end()) }
}

fn report(context: &Context, migrations: &[Migration], done: &str) -> Result<(), Failure> {
    if migrations.is_empty() {
        eprintln!("Nothing to do.");
    }
    migrations.iter().try_for_each(|migration| {
        if context.json {
            return output::object(json(migration));
        }
        output::line(&format!("{done}: {} {}", migration.version, migration.name))
    })
}

fn row(migration: &Migration) -> [String; 4] {
    let applied = migration.applied_at.map_or_else(|| "pending".to_owned(), |at| at.to_string());
    let text = match migration.applied_at {
        Some(_) if !migration.checksum_matches => "changed",
        _ => "ok",
    };
    [migration.version.to_string(), migration.name.clone(), applied, text.to_owned()]
}

fn json(migration: &Migration) -> serde_json::Value {
    json!({
        "version": migration.version,
        "name": migration.name,
        "applied_at": migration.applied_at,
        "checksum_matches": migration.checksum_matches,
    })
}
