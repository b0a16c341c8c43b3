//! `vestibule serve`.

use crate::cli::{Context, Serve};
use crate::config::refusals;
use crate::failure::Failure;
use crate::{serve, telemetry};

/// Checks the settings and serves until a signal ends it.
pub(crate) fn run(context: &Context, command: &Serve) -> Result<(), Failure> {
    let config = context.config()?;
    let problems = refusals(&config, command.dev);
    if !problems.is_empty() {
        return Err(Failure::problems(&problems));
    }
    telemetry::start(&config.log, context.json);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?;
    let options =
        serve::Options { dev: command.dev, migrate: command.migrate, banner: command.dev && !context.json };
    let served = runtime.block_on(serve::run(config, options));
    // What hangs in a system call must not keep the process.
    runtime.shutdown_background();
    served
}
