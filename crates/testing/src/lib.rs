//! Helpers for tests: a throw-away PostgreSQL, the server as it runs in production, addresses, and third-party programs
//! ([`python`], [`node`], [`system_program`]). Development only, Unix only.
//!
//! [`Site`] is an environment to run the program in, with production settings and a [`Relay`] to read its mail from:
//!
//! ```no_run
//! let site = vestibule_testing::Site::sqlite(); // or `postgres()`
//! let server = site.serve();
//! server.http().sign_up("ada@example.org", "plover-tundra-saffron-61");
//! println!("{}", server.mail("ada@example.org").code());
//! ```
//!
//! [`database`] creates a fresh, empty database in a few milliseconds:
//!
//! ```no_run
//! let database = vestibule_testing::database();
//! println!("{}", database.url()); // postgres://vestibule@%2Ftmp%2F…/test_4711_…
//! ```
//!
//! All test processes share one cluster. The first to need it starts it, under a file lock; it listens on a Unix socket
//! only, never syncs, and ends by itself ten minutes after its last use. [`stop_shared`] ends it earlier. [`Cluster`]
//! is a separate server for tests that stop, restart or crash it; [`Proxy`] is a connection to a database that can fall
//! silent.
//!
//! Every function may be called inside an asynchronous runtime: the blocking driver runs on a separate thread. Nothing
//! here returns an error: a test that cannot have its database has failed, so these functions panic and say what to
//! install or where the server's log is.
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

mod addresses;
pub mod assertion;
mod backups;
mod http;
mod instance;
mod peers;
mod postgres;
mod relay;
mod runtime;
mod site;
mod totp;
mod waiting;
pub mod webauthn;

pub use addresses::{ACCEPTED_ADDRESSES, INVISIBLE_CHARACTERS, REFUSED_ADDRESSES};
pub use backups::back_up_during_sign_ups;
pub use http::{Answer, Client, basic, read};
pub use instance::{Server, free_address};
pub use peers::{node, node_packages, python, python_program, system_program};
pub use postgres::certificates::TlsListener;
pub use postgres::cluster::{Cluster, memory_dir};
pub use postgres::database::TestDatabase;
pub use postgres::pooler::Pooler;
pub use postgres::program::installed;
pub use postgres::proxy::Proxy;
pub use postgres::shared::{database, database_like, latin1_database, stop_shared};
pub use relay::Relay;
pub use relay::inbox::{Letter, Step, Trouble};
pub use site::{Finished, PASSWORD, PUBLIC_URL, SECRET_KEY, Site, WIDE_LIMITS, mode, on_both_databases};
pub use totp::totp;
pub use waiting::{PATIENCE, eventually, lines};
