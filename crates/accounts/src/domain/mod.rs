//! Types whose values are always valid. No I/O, no clock, no randomness.

pub(crate) mod access;
pub(crate) mod application;
pub(crate) mod audit;
pub(crate) mod code;
pub(crate) mod email;
pub(crate) mod ids;
pub(crate) mod invitation;
pub(crate) mod mail;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod reason;
pub(crate) mod registration;
pub(crate) mod secret;
pub(crate) mod secret_key;
pub(crate) mod stats;
pub(crate) mod tally;
pub(crate) mod time;
pub(crate) mod user;
pub(crate) mod user_list;
pub(crate) mod user_name;
pub(crate) mod visible;
