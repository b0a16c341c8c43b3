//! What describes the routes to whoever reads the description of the API.

pub(crate) mod complete;
pub(crate) mod errors;
pub(crate) mod problems;
pub(crate) mod routes;
pub(crate) mod schemas;
