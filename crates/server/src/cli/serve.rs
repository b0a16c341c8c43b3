//! `vestibule serve`.

use clap::Args;

use super::context::Context;
use crate::config::guards::refusals;
use crate::failure::Failure;
use crate::serve::activation::Inherited;
use crate::serve::reload::Given;
use crate::{serve, telemetry};

/// How to serve.
#[derive(Clone, Debug, Args)]
pub(crate) struct Command {
    /// Try it out on this machine: emails go to a mailbox at /dev/mail, nothing is sent
    #[arg(long)]
    pub(crate) dev: bool,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT|unix:PATH")]
    pub(crate) listen: Option<String>,
    /// Apply pending migrations instead of refusing to start
    #[arg(long)]
    pub(crate) migrate: bool,
}

/// Checks the settings and serves until a signal ends it.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    // Before any thread starts.
    let inherited = Inherited::take()?;
    let config = context.config_that_waits()?;
    let problems = refusals(&config, command.dev);
    if !problems.is_empty() {
        return Err(Failure::problems(&problems));
    }
    let (_written, level) = telemetry::start(&config.log, context.json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?;
    let options =
        serve::Options { dev: command.dev, migrate: command.migrate, banner: command.dev && !context.json };
    let given = Given { flags: context.flags.clone(), environment: context.environment.clone(), level };
    let served = runtime.block_on(serve::run(config, options, given, inherited));
    // Code stuck in a system call must not keep the process alive.
    runtime.shutdown_background();
    served
}
