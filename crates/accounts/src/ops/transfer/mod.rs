//! Users who move in from another system, and out to one.

pub(crate) mod export;
pub(crate) mod foreign_hashes;
pub(crate) mod import;
pub(crate) mod invite;
pub(crate) mod outcome;
