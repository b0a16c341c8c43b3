//! The signals that end the server, the one that makes it read its settings again, and those that would end it with requests in flight if they were not handled.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// Signals that make other programs reopen their log.
const IGNORED: [&str; 2] = ["SIGUSR1", "SIGUSR2"];

/// The signals that end the server. SIGQUIT is a graceful stop, as for nginx.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// Listens from now on, for the life of the process.
    pub(super) fn new() -> Result<Self, Failure> {
        // Writing beyond the file size limit is an error of the write, like a full disk, and must not end the process.
        drop(listen(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        let kinds = [SignalKind::user_defined1(), SignalKind::user_defined2()];
        for (name, kind) in IGNORED.into_iter().zip(kinds) {
            tokio::spawn(ignore(name, listen(kind)?));
        }
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            quit: listen(SignalKind::quit())?,
            hangup: Some(listen(SignalKind::hangup())?),
        })
    }

    /// SIGHUP, which asks for the settings to be read again; one that came already is not lost.
    pub(super) fn hangup(&mut self) -> Result<Signal, Failure> {
        self.hangup.take().map_or_else(|| listen(SignalKind::hangup()), Ok)
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
            "ignored: SIGHUP reads the settings again, and the log goes to standard error"
        );
    }
}
