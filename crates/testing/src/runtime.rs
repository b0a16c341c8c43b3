//! Work outside an asynchronous runtime.

use std::panic::resume_unwind;
use std::thread;

/// The blocking driver panics on a thread that drives a tokio runtime, and a test may be asynchronous.
pub(crate) fn off_runtime<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| resume_unwind(panic)))
}
