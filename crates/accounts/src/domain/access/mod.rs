//! Who performs an operation, from where, and what gives them access.

pub(crate) mod actor;
pub(crate) mod challenge;
pub(crate) mod client;
pub(crate) mod roles;
pub(crate) mod session;
pub(crate) mod way;
