//! Messages in the outbox.

pub(crate) mod kind;
pub(crate) mod queued;
