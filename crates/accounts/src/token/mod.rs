//! Secrets that leave the server and come back: access tokens, refresh tokens, mailed links and codes, page cursors.

pub(crate) mod algorithm;
pub(crate) mod application;
pub(crate) mod browser;
pub(crate) mod ceremony;
pub(crate) mod challenge;
pub(crate) mod device;
pub(crate) mod doctor;
pub(crate) mod jwt;
pub(crate) mod keyring;
pub(crate) mod keys;
pub(crate) mod opaque;
pub(crate) mod passkey;
pub(crate) mod recovery;
pub(crate) mod root;
pub(crate) mod sign_in_challenge;
pub(crate) mod subject;
pub(crate) mod totp;
