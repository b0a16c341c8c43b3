//! The signals that end the server, and those that would, with requests in flight, if nobody listened.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// What some send to make other programs read their settings anew, or open their log again.
const IGNORED: [&str; 3] = ["SIGHUP", "SIGUSR1", "SIGUSR2"];

/// The signals that end the server. SIGQUIT is what nginx calls a graceful stop.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Signals {
    /// Listens from now on, for the life of the process.
    pub(super) fn new() -> Result<Self, Failure> {
        // A file that may not grow is an error of the write, as a full disk is, not the end of the process.
        drop(listen(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        let kinds = [SignalKind::hangup(), SignalKind::user_defined1(), SignalKind::user_defined2()];
        for (name, kind) in IGNORED.into_iter().zip(kinds) {
            tokio::spawn(ignore(name, listen(kind)?));
        }
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            quit: listen(SignalKind::quit())?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::failed(format!("cannot listen to signals: {error}")))
}

async fn ignore(name: &str, mut signal: Signal) {
    while signal.recv().await.is_some() {
        tracing::warn!(
            signal = name,
            "ignored: settings are read at the start, and the log goes to standard error"
        );
    }
}
