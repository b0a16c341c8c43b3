//! Who performs an operation, from where, and what gives them access.

pub(crate) mod actor;
pub(crate) mod amr;
pub(crate) mod challenge;
pub(crate) mod client;
pub(crate) mod device;
pub(crate) mod factor;
pub(crate) mod operator;
pub(crate) mod passkey;
pub(crate) mod passkey_name;
pub(crate) mod recovery_code;
pub(crate) mod roles;
pub(crate) mod session;
pub(crate) mod totp_code;
pub(crate) mod way;
