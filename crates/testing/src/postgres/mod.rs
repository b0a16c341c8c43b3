//! PostgreSQL for tests: found, started, shared, disturbed.

pub(crate) mod certificates;
pub(crate) mod cluster;
pub(crate) mod database;
pub(crate) mod pooler;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod shared;
