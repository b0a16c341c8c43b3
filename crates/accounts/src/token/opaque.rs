//! Refresh tokens, the sessions of browsers, and the codes and secrets of applications: 256 random bits, stored as their SHA-256 only (R1).

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;

use crate::domain::secret::Secret;
use crate::env::Env;
use crate::store::tables::sessions::TokenHash;

/// The prefix of a refresh token, by which secret scanners can find a leaked one.
const REFRESH: &str = "vrt_";
/// The prefix of the secret of a browser's session: neither is accepted for the other (T5).
const BROWSER: &str = "vbs_";
/// The prefix of a code that an application exchanges for tokens.
const CODE: &str = "vac_";
/// The prefix of the secret of an application.
const APPLICATION_SECRET: &str = "vcs_";

/// A new refresh token, and its hash to store.
pub(crate) fn new_refresh_token(env: &Env) -> (Secret, TokenHash) {
    new(env, REFRESH)
}

/// A new secret of a browser's session, and its hash to store.
pub(crate) fn new_browser_secret(env: &Env) -> (Secret, TokenHash) {
    new(env, BROWSER)
}

/// A new code for an application, and its hash to store.
pub(crate) fn new_code(env: &Env) -> (Secret, TokenHash) {
    new(env, CODE)
}

/// A new secret of an application, and its hash to store.
pub(crate) fn new_application_secret(env: &Env) -> (Secret, TokenHash) {
    new(env, APPLICATION_SECRET)
}

fn new(env: &Env, prefix: &str) -> (Secret, TokenHash) {
    let token = format!("{prefix}{}", BASE64URL_NOPAD.encode(&env.random::<32>()));
    let hash = sha256(token.as_bytes());
    (Secret::from(token), hash)
}

/// The stored form of a refresh token that was presented; `None` if it cannot be one of ours.
pub(crate) fn hash_of(token: &str) -> Option<TokenHash> {
    hash_with(REFRESH, token)
}

/// The stored form of a browser's secret that was presented; `None` if it cannot be one of ours.
pub(crate) fn hash_of_browser(secret: &str) -> Option<TokenHash> {
    hash_with(BROWSER, secret)
}

/// The stored form of a code that an application presented; `None` if it cannot be one of ours.
pub(crate) fn hash_of_code(code: &str) -> Option<TokenHash> {
    hash_with(CODE, code)
}

fn hash_with(prefix: &str, token: &str) -> Option<TokenHash> {
    let well_formed = token.len() == prefix.len() + 43 && token.starts_with(prefix);
    well_formed.then(|| sha256(token.as_bytes()))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
