//! What commands print, and what they ask a person for.

pub(crate) mod ask;
pub(crate) mod output;
