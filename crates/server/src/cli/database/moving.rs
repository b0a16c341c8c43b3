//! `vestibule database move`: the accounts move to another database.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use serde_json::json;
use tokio::time::Instant;
use vestibule::{MoveError, MovedTable, Mover, Secret, abort_move, find_move};

use crate::cli::context::Context;
use crate::cli::terminal::ask::{confirmed, read_line};
use crate::cli::terminal::output;
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::reason::Because;
use crate::config::settings::{Config, Database};
use crate::data_dir::key_file;
use crate::failure::{Exit, Failure};
use crate::open;

#[derive(Clone, Debug, Args)]
pub(crate) struct Command {
    /// The new, empty database: `postgres://…` or `sqlite:PATH`; `-` reads it from standard input, where no list of
    /// processes shows its password
    #[arg(long, value_name = "URL", required_unless_present = "abort")]
    to: Option<String>,
    /// Let the present database take changes again, after a move that failed or is to be taken back
    #[arg(long, conflicts_with = "to")]
    abort: bool,
    /// Do not ask for confirmation
    #[arg(long, requires = "abort")]
    yes: bool,
    #[command(flatten)]
    because: Because,
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    let config = context.config_because(command.because.reason.as_ref())?;
    match &command.to {
        Some(url) => start(context, &config, url),
        None => abort(context, &config, command.yes),
    }
}

fn start(context: &Context, config: &Config, url: &str) -> Result<(), Failure> {
    let url = if url == "-" { read_line("the URL of the new database")? } else { url.to_owned() };
    let target = target(&url)?;
    let stopped = stopped_by_hand()?;
    let since = Instant::now();
    let (moved, from, to) = open::block_on(async {
        let (from, to) = (config.database.url(), target.url());
        let connected = Mover::connect(&from, &to, &config.policy.database).await;
        let mut mover = connected.map_err(|error| Failure::from(error).looked_at(config.whereabouts()))?;
        if let Some(operator) = &config.operator {
            mover = mover.operated_by(operator.clone());
        }
        eprintln!(
            "Moving the accounts from {} to {}. Until that has ended, they are read-only.",
            mover.from(),
            mover.to()
        );
        let mut progress = Progress::new(Some(0));
        let run = mover.run(|step| {
            progress.follow(step);
            if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let tables = run.await?;
        progress.end();
        let places = (mover.from().to_owned(), mover.to().to_owned());
        mover.close();
        Ok((tables, places.0, places.1))
    })?;
    report(context, &moved)?;
    let rows: u64 = moved.iter().map(|table| table.rows).sum();
    let seconds = since.elapsed().as_secs_f64();
    eprintln!("Moved {rows} rows of {} tables in {seconds:.1} s; counts and checksums agree.", moved.len());
    eprintln!("{}", next_steps(config, &target, &from, &to));
    Ok(())
}

/// The database that the URL names, as the setting `database_url` would.
fn target(url: &str) -> Result<Database, Failure> {
    let secret = Secret::from(url);
    if let Err(error) = vestibule::check_database_url(&secret) {
        return Err(Failure::usage(format!("--to: {error}")).fix(error.fix()));
    }
    match url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
        Some(":memory:") => Err(Failure::usage("--to: a database in memory ends with this command")
            .fix("name a file: `sqlite:PATH`")),
        Some(path) => Ok(Database::Sqlite(PathBuf::from(path))),
        None => Ok(Database::Postgres(secret)),
    }
}

/// Set by the first Ctrl-C, so that the batch at hand is finished; the second ends the program at once.
fn stopped_by_hand() -> Result<Arc<AtomicBool>, Failure> {
    let stopped = Arc::new(AtomicBool::new(false));
    let sets = Arc::clone(&stopped);
    let cannot = |error: io::Error| Failure::failed(format!("cannot listen for Ctrl-C: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let thread = std::thread::Builder::new().name("interrupts".into());
    let listen = move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if sets.swap(true, Ordering::Relaxed) {
                    std::process::exit(Exit::Interrupted as i32);
                }
                eprintln!("Stopping after this batch.");
            }
        });
    };
    thread.spawn(listen).map_err(cannot)?;
    Ok(stopped)
}

fn report(context: &Context, moved: &[MovedTable]) -> Result<(), Failure> {
    if context.json {
        return moved.iter().try_for_each(|table| {
            output::object(json!({ "table": table.name, "rows": table.rows, "checksum": table.checksum }))
        });
    }
    let row = |table: &MovedTable| [table.name.to_owned(), table.rows.to_string(), table.checksum.clone()];
    output::table(["table", "rows", "sha-256"], &moved.iter().map(row).collect::<Vec<_>>())
}

fn next_steps(config: &Config, target: &Database, from: &str, to: &str) -> String {
    let key = match (&config.secret_key, target) {
        (None, Database::Postgres(_)) => {
            let file = key_file(&config.data_dir);
            let file = std::path::absolute(&file).unwrap_or(file);
            format!("and VESTIBULE_SECRET_KEY_FILE to {}, ", file.display())
        }
        _ => "and leave the secret key as it is, ".to_owned(),
    };
    let kind = match target {
        Database::Postgres(_) => "the same URL, with user and password",
        Database::Sqlite(_) => "the path from where the server runs",
    };
    format!(
        "Next: set VESTIBULE_DATABASE_URL to {to} ({kind}), {key}then restart the servers. Those that still run read \
         the old database and change nothing; /readyz says so.\n\
         To go back: move again, into a new database, with the new settings. As long as no server has started on the new \
         one, `vestibule db move --abort` with the old settings is enough.\n\
         The old database, {from}, stays as it is; keep it until you are sure, then delete it."
    )
}

fn abort(context: &Context, config: &Config, yes: bool) -> Result<(), Failure> {
    let (url, policy) = (config.database.url(), &config.policy.database);
    let failed = |error| Failure::from(error).looked_at(config.whereabouts());
    let nothing = || {
        Failure::not_found("the accounts of this database are not being moved")
            .looked_at(config.whereabouts())
    };
    open::block_on(async {
        let found = find_move(&url, policy).await.map_err(failed)?.ok_or_else(nothing)?;
        if let Some(at) = found.finished_at {
            eprintln!(
                "The accounts moved to {} at {at}. What has changed there since is not in this database; a server on both \
                 would sign people up twice. Stop all servers on the other one first.",
                found.to
            );
            confirmed(yes)?;
        }
        let env = open::environment(config);
        let aborted = abort_move(&url, policy, &env).await.map_err(failed)?.ok_or_else(nothing)?;
        if context.json {
            return output::object(json!({ "to": aborted.to, "finished_at": aborted.finished_at }));
        }
        output::line(&format!("no longer read-only; the move to {} is off", aborted.to))
    })
}

impl From<MoveError> for Failure {
    fn from(error: MoveError) -> Self {
        const GO_ON: &str = "run the command again, which begins the copy anew, or call it off with `vestibule db move --abort`; \
                             until then the accounts are read-only";
        let words = error.to_string();
        match error {
            MoveError::Source(error) => Self::from(error).after("the database to move from: "),
            MoveError::Target(error) => Self::from(error).after("the database to move to: "),
            MoveError::NotEmpty(_) => {
                Self::failed(words).fix("name a new database; nothing is ever overwritten")
            }
            MoveError::AlreadyMoved(_) => Self::found(words)
                .fix("let `database_url` name that one; to take the move back, `vestibule db move --abort`"),
            MoveError::Differs { .. } => Self::failed(words).fix(GO_ON),
            MoveError::Stopped => Self::failed(words).exit(Exit::Interrupted).fix(GO_ON),
            MoveError::Fault(fault) => Self::from(fault).fix(GO_ON),
        }
    }
}
