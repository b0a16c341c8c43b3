//! How sessions begin, continue and end.

pub(crate) mod admit;
pub(crate) mod attempt;
pub(crate) mod authenticate;
pub(crate) mod browser;
pub(crate) mod enrolment;
pub(crate) mod factor;
pub(crate) mod passkey;
pub(crate) mod passkey_check;
pub(crate) mod password;
pub(crate) mod reauthenticate;
pub(crate) mod refresh;
pub(crate) mod second_factor;
pub(crate) mod sessions;
pub(crate) mod step_up;
pub(crate) mod tokens;
