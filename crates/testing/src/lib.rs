//! What tests need besides the code: a throw-away PostgreSQL, and the programs of others ([`python`], [`node`],
//! [`system_program`]). Development only, Unix only.
//!
//! [`database`] hands out a fresh, empty database in a few milliseconds:
//!
//! ```no_run
//! let database = vestibule_testing::database();
//! println!("{}", database.url()); // postgres://vestibule@%2Ftmp%2F…/test_4711_…
//! ```
//!
//! All test processes share one cluster. Whoever needs it first starts it, under a file lock; it listens on a Unix
//! socket only, never syncs, and goes away by itself ten minutes after its last use. [`stop_shared`] ends it earlier.
//! [`Cluster`] is a server of one's own for tests that stop, restart or crash it.
//!
//! Every function may be called inside an asynchronous runtime: the blocking driver runs on a thread of its own.
//! Nothing here returns an error: a test that cannot have its database has failed, so these functions panic and say
//! what to install or where the server's log is.
//!
//! | variable | meaning |
//! |---|---|
//! | `VESTIBULE_TEST_POSTGRES_URL` | use this running server (no TLS) and its role, which needs `CREATEDB` |
//! | `VESTIBULE_TEST_POSTGRES_DIR` | where the shared cluster lives; a short path, since a socket's may have 107 bytes |
//! | `PG_BINDIR` | the folder with `initdb` and `postgres` |
#![expect(
    clippy::disallowed_methods,
    reason = "tests start processes, wait for them and read the environment"
)]

mod cluster;
mod database;
mod peers;
mod program;
mod server;
mod shared;

pub use cluster::Cluster;
pub use database::TestDatabase;
pub use peers::{node, node_packages, python, python_program, system_program};
pub use program::installed;

use std::panic::resume_unwind;
use std::thread;

/// A fresh, empty database on the shared cluster, dropped with the returned value.
///
/// # Panics
/// When PostgreSQL 14 or newer is not installed or does not start.
pub fn database() -> TestDatabase {
    off_runtime(|| TestDatabase::create(shared::server()))
}

/// Stops the shared cluster, if it runs, and removes its files.
///
/// # Panics
/// When the lock file cannot be opened.
pub fn stop_shared() {
    shared::Base::of_workspace().stop();
}

/// The blocking driver panics on a thread that drives a tokio runtime, and a test may be asynchronous.
fn off_runtime<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| resume_unwind(panic)))
}
