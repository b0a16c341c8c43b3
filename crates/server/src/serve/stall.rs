//! How long a client may go without reading its answer. A client that never reads would otherwise keep its connection,
//! and the data waiting for it, for ever.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The longest time without a byte read.
const STALL: Duration = Duration::from_secs(30);
/// The same while the server stops: it does not wait for stalled clients.
const STALL_AT_THE_END: Duration = Duration::from_secs(2);

/// Whether the server is stopping.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stopping(Arc<AtomicBool>);

impl Stopping {
    /// Begins to stop. Connections notice when they are next polled.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn limit(&self) -> Duration {
        if self.0.load(Ordering::Relaxed) { STALL_AT_THE_END } else { STALL }
    }
}

/// Watches the writes of one connection.
pub(super) struct Stall {
    stopping: Stopping,
    /// Since when the client has read nothing, and the timer that ends the wait.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Stall {
    pub(super) fn new(stopping: &Stopping) -> Self {
        Self { stopping: stopping.clone(), waiting: None }
    }

    /// Returns the result of a write; an error if it has waited too long.
    pub(super) fn bound<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting = None;
            return polled;
        }
        let limit = self.stopping.limit();
        let (since, sleep) = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(sleep_until(now + limit)))
        });
        if sleep.deadline() != *since + limit {
            sleep.as_mut().reset(*since + limit);
        }
        sleep.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}
