//! The command line: `noun verb`. Data is printed to standard output, messages to standard error.

mod account;
mod audit;
mod backup;
mod client;
mod context;
mod database;
mod deferred;
mod doctor;
mod errors;
mod healthcheck;
mod keys;
mod limits;
mod mail;
mod migrate;
mod openapi;
mod serve;
mod sessions;
mod setup_link;
mod system;
mod terminal;
mod user;

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::Flags;
use crate::config::environment::Environment;
use crate::failure::Failure;
use context::Context;
use deferred::Deferred;
use terminal::output;

const EXIT_CODES: &str = "Exit codes: 0 ok · 1 failed · 2 wrong usage or configuration · 3 a check found problems, or migrations are \
                          pending · 4 not allowed · 5 not found · 75 try again (database unreachable) · 130 interrupted";

/// Accounts for an application: sign-up, email confirmation, sign-in, protected resources.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The configuration file [default: ./vestibule.toml, then /etc/vestibule/vestibule.toml, if one exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use the settings of the systemd unit, from its files in FOLDER [default: /etc/vestibule]
    #[arg(long, global = true, value_name = "FOLDER", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "/etc/vestibule")]
    service: Option<PathBuf>,
    /// Print JSON: one object, or one per line for lists
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Command),
    /// Write a commented settings file and what goes with it, with fresh secrets; overwrites nothing
    Init(system::init::Command),
    /// Show or change the schema version of the database
    #[command(subcommand)]
    Migrate(Deferred<migrate::Command>),
    /// Move the accounts to another database; take care of an SQLite database file
    #[command(subcommand, visible_alias = "db")]
    Database(Deferred<database::Command>),
    /// Back everything up, check a backup, restore it
    #[command(subcommand)]
    Backup(Deferred<backup::Command>),
    /// End the sessions of everybody; also works while the server is down
    #[command(subcommand)]
    Sessions(Deferred<sessions::Command>),
    /// Manage users; also works while the server is down
    #[command(subcommand)]
    User(Deferred<user::Command>),
    /// Manage the applications that sign people in here; also works while the server is down
    #[command(subcommand)]
    Client(Deferred<client::Command>),
    /// Manage the keys that sign access tokens; also works while the server is down
    #[command(subcommand)]
    Keys(Deferred<keys::Command>),
    /// Show and clear the limits of an account; also works while the server is down
    #[command(subcommand)]
    Limits(Deferred<limits::Command>),
    /// Read the audit trail
    #[command(subcommand)]
    Audit(Deferred<audit::Command>),
    /// Manage the outbox, send a test email, preview the templates
    #[command(subcommand)]
    Mail(Deferred<mail::Command>),
    /// Print a link that creates the first administrator; it works once, for half an hour
    SetupLink,
    /// Print the `OpenAPI` 3.1 description of the HTTP API
    Openapi,
    /// Explain the error codes of the HTTP API
    #[command(subcommand)]
    Errors(Deferred<errors::Command>),
    /// Ask the running server whether it is ready; exit code 1 if it is not
    Healthcheck {
        /// Ask this address instead of the configured one, e.g. <http://127.0.0.1:8080/readyz>
        #[arg(long)]
        url: Option<String>,
    },
    /// Check the settings without starting anything
    CheckConfig {
        /// Check them as `serve --dev` would
        #[arg(long)]
        dev: bool,
        /// Print every setting with its value and source; secrets are masked
        #[arg(long)]
        print_sources: bool,
        /// Explain one setting, by its key or variable: what it is, how it is written, its value and source
        #[arg(long, value_name = "KEY", conflicts_with_all = ["dev", "print_sources"])]
        explain: Option<String>,
    },
    /// Look at everything a server depends on, and name what mends what is wrong; exit code 3 if a check failed
    Doctor(doctor::Command),
    /// Print the reference of all settings, in Markdown
    Settings {
        /// Print a JSON Schema of the settings file instead, for editors
        #[arg(long)]
        schema: bool,
    },
    /// Print a completion script, e.g. for ~/.local/share/bash-completion/completions/vestibule
    Completions {
        /// The shell to complete in
        shell: Shell,
    },
    /// Write the manual pages
    Man {
        /// The folder to write them into, e.g. ~/.local/share/man/man1
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Print the version
    Version,
}

/// Runs one command.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let listen = match &cli.command {
        Command::Serve(serve) => serve.listen.clone(),
        _ => None,
    };
    let flags = Flags { config: cli.config, listen };
    let mut environment = Environment::of_process();
    if let Some(folder) = cli.service {
        environment = environment.of_service(&folder).map_err(|problem| Failure::problems(&[problem]))?;
    }
    let context = Context { flags, environment, json: cli.json };
    match cli.command {
        Command::Serve(command) => serve::run(&context, &command),
        Command::Init(command) => system::init::run(&context, &command),
        Command::Migrate(Deferred(command)) => migrate::run(&context, &command),
        Command::Database(Deferred(command)) => database::run(&context, &command),
        Command::Backup(Deferred(command)) => backup::run(&context, &command),
        Command::Sessions(Deferred(command)) => sessions::run(&context, &command),
        Command::User(Deferred(command)) => user::run(&context, command),
        Command::Client(Deferred(command)) => client::run(&context, command),
        Command::Keys(Deferred(command)) => keys::run(&context, &command),
        Command::Limits(Deferred(command)) => limits::run(&context, &command),
        Command::Audit(Deferred(command)) => audit::run(&context, command),
        Command::Mail(Deferred(command)) => mail::run(&context, command),
        Command::SetupLink => setup_link::run(&context),
        Command::Openapi => openapi::run(&context),
        Command::Errors(Deferred(command)) => errors::run(&context, &command),
        Command::Healthcheck { url } => healthcheck::run(&context, url.as_deref()),
        Command::CheckConfig { explain: Some(name), .. } => system::explain::run(&context, &name),
        Command::CheckConfig { dev, print_sources, explain: None } => {
            system::check_config::run(&context, dev, print_sources)
        }
        Command::Doctor(command) => doctor::run(&context, command),
        Command::Settings { schema } => system::settings::run(&context, schema),
        Command::Completions { shell } => system::completions::run(shell, Cli::command()),
        Command::Man { folder } => system::man::run(&folder, Cli::command()),
        Command::Version => version(&context),
    }
}

fn version(context: &Context) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if context.json {
        return output::object(serde_json::json!({ "version": version }));
    }
    output::line(&format!("vestibule {version}"))
}
