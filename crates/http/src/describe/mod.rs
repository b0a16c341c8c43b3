//! The descriptions of the routes, for readers of the API's description.

pub(crate) mod complete;
pub(crate) mod curl;
pub(crate) mod errors;
pub(crate) mod problems;
pub(crate) mod profile;
pub(crate) mod routes;
pub(crate) mod schemas;
