//! ID tokens: who signed in, when and how, for one application (OpenID Connect Core §2).

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::ids::{SessionId, UserId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::token::algorithm::SigningAlgorithm;
use crate::token::application::recipient::{Login, Recipient};
use crate::token::jwt::{self, Issued, Issuer, Refused};
use crate::token::keys::KeySet;

const TYPE: &str = "JWT";
/// The classes of a sign-in: with one factor, and with two.
const ACR: [&str; 2] = ["urn:vestibule:factor:1", "urn:vestibule:factor:2"];

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IdClaims {
    iss: String,
    sub: String,
    aud: String,
    azp: String,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    sid: String,
    amr: Vec<String>,
    acr: String,
    at_hash: String,
}

impl IdClaims {
    pub(crate) fn of(
        issuer: &Issuer,
        keys: &KeySet,
        to: &Recipient,
        login: &Login,
        access_token: &Secret,
        now: Timestamp,
    ) -> Option<Self> {
        Some(Self {
            iss: issuer.name().to_owned(),
            sub: to.account.id.to_string(),
            aud: to.of.id.clone(),
            azp: to.of.id.clone(),
            exp: (now + issuer.lifetime()).as_seconds(),
            iat: now.as_seconds(),
            auth_time: to.auth_time.as_seconds(),
            nonce: login.nonce.clone(),
            sid: to.session.to_string(),
            amr: to.amr.names().into_iter().map(str::to_owned).collect(),
            acr: ACR[usize::from(to.amr.is_multi_factor())].to_owned(),
            at_hash: half_hash(keys.algorithm(now)?, access_token.expose()),
        })
    }
}

/// The left half of the hash that belongs to the signature (OpenID Connect Core §3.1.3.6): that of Ed25519 is SHA-512.
fn half_hash(algorithm: SigningAlgorithm, text: &str) -> String {
    let hash = match algorithm {
        SigningAlgorithm::EdDsa => digest::digest(&digest::SHA512, text.as_bytes()),
        SigningAlgorithm::Es256 => digest::digest(&digest::SHA256, text.as_bytes()),
    };
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    BASE64URL_NOPAD.encode(left)
}

/// Signs the claims, with more that are only carried.
pub(crate) fn sign(
    keys: &KeySet,
    checked: &IdClaims,
    carried: &Map<String, Value>,
    now: Timestamp,
) -> Option<Secret> {
    jwt::sign(keys, TYPE, &Issued { checked, carried }, now)
}

/// Whose sign-in an ID token tells of, however old it is.
#[derive(Clone, Debug)]
pub(crate) struct Hint {
    pub(crate) application: String,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
}

/// Reads an ID token that an application gives back (RP-Initiated Logout §2: an expired one counts).
pub(crate) fn read_hint(
    issuer: &Issuer,
    keys: &KeySet,
    token: &str,
    now: Timestamp,
) -> Result<Hint, Refused> {
    let (_, claims) = jwt::open::<IdClaims>(keys, TYPE, token, now)?;
    let hint = || {
        let (user, session) = (claims.sub.parse().ok()?, claims.sid.parse().ok()?);
        Some(Hint { application: claims.aud.clone(), user, session })
    };
    hint().filter(|_| claims.iss == issuer.name() && claims.azp == claims.aud).ok_or(Refused::Invalid)
}
