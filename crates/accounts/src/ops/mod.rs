//! One folder per part of an account's life, one file per user story.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod application;
pub(crate) mod background;
pub(crate) mod challenge;
pub(crate) mod condition;
pub(crate) mod doctor;
pub(crate) mod draft;
pub(crate) mod link;
pub(crate) mod measures;
pub(crate) mod registration;
pub(crate) mod session_end;
pub(crate) mod sign_in;
#[cfg(feature = "import")]
pub(crate) mod transfer;
