//! Messages on their way.

pub(crate) mod kind;
pub(crate) mod queued;
