//! The documents that the server shows: the description of its API, and its error codes.

pub(crate) mod errors;
pub(crate) mod reference;
