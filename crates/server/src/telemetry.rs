//! Log lines: text for a terminal, JSON elsewhere, to standard error. Secrets never get here: their types do not print.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{Log, LogFormat};

/// Starts logging for the life of the process.
pub(crate) fn start(log: &Log, json_wanted: bool) {
    let as_json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => json_wanted,
        LogFormat::Auto => json_wanted || !io::stderr().is_terminal(),
    };
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if as_json {
        fmt::layer().json().flatten_event(true).with_writer(io::stderr).with_filter(log.level.clone()).boxed()
    } else {
        fmt::layer().with_ansi(log.color).with_writer(io::stderr).with_filter(log.level.clone()).boxed()
    };
    // Fails only when it was started before, in which case it runs.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}
