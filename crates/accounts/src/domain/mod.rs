//! Values that are valid or do not exist. No I/O, no clock, no randomness.

pub(crate) mod audit;
pub(crate) mod challenge;
pub(crate) mod common_passwords;
pub(crate) mod email;
pub(crate) mod ids;
pub(crate) mod invitation;
pub(crate) mod password;
pub(crate) mod reason;
pub(crate) mod registration;
pub(crate) mod roles;
pub(crate) mod secret;
pub(crate) mod time;
pub(crate) mod user;
pub(crate) mod user_name;
