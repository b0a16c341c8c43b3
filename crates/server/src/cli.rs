//! The command line: `noun verb`. Data goes to standard output, words go to standard error.

mod audit;
mod check_config;
mod errors;
mod healthcheck;
mod keys;
mod limits;
mod mail;
mod migrate;
mod openapi;
mod output;
mod serve;
mod setup_link;
mod user;
mod user_change;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Environment, Flags};
use crate::failure::Failure;

const EXIT_CODES: &str = "Exit codes: 0 ok · 1 failed · 2 wrong usage or configuration · 3 a check found problems, or migrations are \
                          pending · 4 not allowed · 5 not found · 75 try again (database unreachable) · 130 interrupted";

/// Accounts for an application: sign-up, e-mail confirmation, sign-in, protected resources.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The configuration file [default: ./vestibule.toml, then /etc/vestibule/vestibule.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable output: one JSON object, or one a line for lists
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Serve),
    /// Show or change the version of the database's schema
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Manage users; works while the server is down, too
    #[command(subcommand)]
    User(user::Command),
    /// Manage the keys that sign access tokens; works while the server is down, too
    #[command(subcommand)]
    Keys(keys::Command),
    /// See and lift what keeps an account from being tried; works while the server is down, too
    #[command(subcommand)]
    Limits(limits::Command),
    /// Read the audit trail
    #[command(subcommand)]
    Audit(audit::Command),
    /// Look after the outbox, try whether mail leaves, see what it looks like
    #[command(subcommand)]
    Mail(mail::Command),
    /// Print the link that makes the first administrator: one use, half an hour
    SetupLink,
    /// Print the `OpenAPI` 3.1 description of the HTTP API
    Openapi,
    /// Explain the error codes of the HTTP API
    #[command(subcommand)]
    Errors(errors::Command),
    /// Ask the running server whether it is ready; exit code 1 when it is not
    Healthcheck {
        /// Ask this address instead of the configured one, e.g. <http://127.0.0.1:8080/readyz>
        #[arg(long)]
        url: Option<String>,
    },
    /// Check the settings without starting anything
    CheckConfig {
        /// Judge them as `serve --dev` would
        #[arg(long)]
        dev: bool,
        /// Print every setting with its value and where it comes from; secrets are masked
        #[arg(long)]
        print_sources: bool,
    },
    /// Print the version
    Version,
}

/// How to serve.
#[derive(Clone, Debug, Args)]
pub(crate) struct Serve {
    /// Try it out on this machine: mail goes to a mailbox at /dev/mail, nothing is sent
    #[arg(long)]
    pub(crate) dev: bool,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT|unix:PATH")]
    listen: Option<String>,
    /// Apply pending migrations first, instead of refusing to start
    #[arg(long)]
    pub(crate) migrate: bool,
}

/// What every command is given.
pub(crate) struct Context {
    pub(crate) flags: Flags,
    pub(crate) environment: Environment,
    pub(crate) json: bool,
}

impl Context {
    /// The settings, or everything that is wrong with them.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        Config::load(&self.flags, &self.environment).map_err(|problems| Failure::problems(&problems))
    }
}

/// Runs one command to its end.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let listen = match &cli.command {
        Command::Serve(serve) => serve.listen.clone(),
        _ => None,
    };
    let flags = Flags { config: cli.config, listen };
    let context = Context { flags, environment: Environment::of_process(), json: cli.json };
    match cli.command {
        Command::Serve(command) => serve::run(&context, &command),
        Command::Migrate(command) => migrate::run(&context, &command),
        Command::User(command) => user::run(&context, command),
        Command::Keys(command) => keys::run(&context, &command),
        Command::Limits(command) => limits::run(&context, &command),
        Command::Audit(command) => audit::run(&context, command),
        Command::Mail(command) => mail::run(&context, command),
        Command::SetupLink => setup_link::run(&context),
        Command::Openapi => openapi::run(&context),
        Command::Errors(command) => errors::run(&context, &command),
        Command::Healthcheck { url } => healthcheck::run(&context, url.as_deref()),
        Command::CheckConfig { dev, print_sources } => check_config::run(&context, dev, print_sources),
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
