//! Refresh tokens: 256 random bits, stored as their SHA-256 only (R1).

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;

use crate::store::sessions::TokenHash;
use crate::{Env, Secret};

/// What a refresh token begins with, so that secret scanners can find one that leaked.
const PREFIX: &str = "vrt_";

/// A new token and what is stored of it.
pub(crate) fn new_refresh_token(env: &Env) -> (Secret, TokenHash) {
    let token = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&env.random::<32>()));
    let hash = sha256(token.as_bytes());
    (Secret::from(token), hash)
}

/// What is stored of a token that came back; `None` where it cannot be one of ours.
pub(crate) fn hash_of(token: &str) -> Option<TokenHash> {
    let well_formed = token.len() == PREFIX.len() + 43 && token.starts_with(PREFIX);
    well_formed.then(|| sha256(token.as_bytes()))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
