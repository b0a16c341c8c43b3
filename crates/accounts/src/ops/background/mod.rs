//! The work done in the background: mail, webhooks, and deleting what has expired.

pub(crate) mod attempt;
pub(crate) mod compose;
pub(crate) mod deliver;
pub(crate) mod logouts;
pub(crate) mod retry;
pub(crate) mod sweep;
pub(crate) mod webhooks;
