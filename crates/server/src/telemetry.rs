//! Log lines, written to standard error: text on a terminal, JSON elsewhere. Secrets never get here: their types do not
//! print.

mod json;
#[cfg(not(feature = "otlp"))]
mod no_traces;
mod queue;
#[cfg(feature = "otlp")]
mod traces;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::raw::LogFormat;
use crate::config::settings::Log;
use crate::failure::Failure;
use json::JsonLines;
#[cfg(not(feature = "otlp"))]
use no_traces as traces;
use queue::Written;
pub(crate) use traces::{Caller, Traces};

/// Which lines are written; can be changed while the process runs.
pub(crate) struct Level(reload::Handle<Targets, Registry>);

impl Level {
    pub(crate) fn set(&self, level: Targets) {
        // Fails only when the log is gone, and nobody reads it.
        let _ = self.0.reload(level);
    }
}

/// What writes what is left when it is dropped: keep it to the end.
pub(crate) struct Ends {
    _traces: Traces,
    _written: Written,
}

/// Starts logging for the life of the process.
pub(crate) fn start(log: &Log, json_wanted: bool) -> Result<(Ends, Level), Failure> {
    let as_json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => json_wanted,
        LogFormat::Auto => json_wanted || !io::stderr().is_terminal(),
    };
    let (queue, written) = queue::start(io::stderr())
        .map_err(|error| Failure::failed(format!("cannot start the thread of the log: {error}")))?;
    let (filter, level) = reload::Layer::new(log.level.clone());
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if as_json {
        let format = fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLines);
        format.with_writer(queue).with_filter(filter).boxed()
    } else {
        fmt::layer().with_ansi(log.color).with_writer(queue).with_filter(filter).boxed()
    };
    let (traces, spans) = traces::start(log.otlp_endpoint.as_deref())?;
    let layers: Vec<_> = std::iter::once(lines).chain(spans).collect();
    // Fails only if logging was started before, in which case it works.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok((Ends { _traces: traces, _written: written }, Level(level)))
}
