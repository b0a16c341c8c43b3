//! How sessions begin, continue and end.

pub(crate) mod admit;
pub(crate) mod attempt;
pub(crate) mod authenticate;
pub(crate) mod browser;
pub(crate) mod password;
pub(crate) mod refresh;
pub(crate) mod sessions;
pub(crate) mod step_up;
