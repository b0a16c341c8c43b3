//! Who asks, from where, and what opens something to them.

pub(crate) mod actor;
pub(crate) mod challenge;
pub(crate) mod client;
pub(crate) mod roles;
pub(crate) mod session;
pub(crate) mod way;
