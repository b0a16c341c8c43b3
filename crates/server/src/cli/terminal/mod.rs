//! Input and output of commands.

pub(crate) mod ask;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod reason;
