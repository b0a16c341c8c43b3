//! Access tokens of this service's own sign-in: signed JWTs of the profile RFC 9068, checked as RFC 8725 advises.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::{Header, Validation, decode, decode_header, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::{Key, KeySet};
use super::opaque::sha256;
use crate::domain::access::amr::Amr;
use crate::domain::application::id::OWN;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::env::Env;
use crate::policy::TokenPolicy;

/// Longer tokens are refused unread (J4).
const OCTETS_MAX: usize = 8 * 1024;
const KEY_ID_OCTETS_MAX: usize = 64;
const TYPE: &str = "at+jwt";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    sid: String,
    client_id: String,
    auth_time: i64,
    /// Left out by versions that knew passwords only.
    #[serde(default)]
    amr: Vec<String>,
    roles: Vec<String>,
}

/// A token to be signed: what is checked, and what is only carried. Whoever verifies one here does not read the rest.
#[derive(Serialize)]
pub(super) struct Issued<'a, C: Serialize> {
    #[serde(flatten)]
    pub(super) checked: C,
    #[serde(flatten)]
    pub(super) carried: &'a Map<String, Value>,
}

/// What a token proves once its signature and claims are checked. The store is asked every time whether session and
/// user are still active.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    /// The key that signed it.
    pub(crate) key: Arc<str>,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What a token says of its session.
#[derive(Clone, Copy)]
pub(crate) struct OfSession {
    pub(crate) id: SessionId,
    /// When anything was last proven in it.
    pub(crate) auth_time: Timestamp,
    pub(crate) amr: Amr,
}

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not one of ours, changed, expired or not yet valid.
    Invalid,
    /// It names a key that this instance has not read: another instance may have created it since.
    UnknownKey,
}

/// The issuer and the audience of the tokens.
#[derive(Debug)]
pub(crate) struct Issuer {
    name: String,
    audience: String,
    policy: TokenPolicy,
    cache: Cache,
}

impl Issuer {
    pub(crate) fn new(public_url: &str, policy: &TokenPolicy) -> Self {
        Self {
            name: public_url.to_owned(),
            audience: policy.audience.clone().unwrap_or_else(|| public_url.to_owned()),
            policy: policy.clone(),
            cache: Cache::new(policy.cache_capacity),
        }
    }

    /// Signs a token for a session. None of the `carried` claims has the name of one that is checked.
    pub(crate) fn issue(
        &self,
        keys: &KeySet,
        env: &Env,
        account: &Account,
        session: OfSession,
        carried: &Map<String, Value>,
        now: Timestamp,
    ) -> Option<Secret> {
        let checked = Claims {
            iss: self.name.clone(),
            sub: account.id.to_string(),
            aud: self.audience.clone(),
            exp: (now + self.policy.access_lifetime).as_seconds(),
            iat: now.as_seconds(),
            jti: data_encoding::BASE64URL_NOPAD.encode(&env.random::<16>()),
            sid: session.id.to_string(),
            client_id: OWN.to_owned(),
            auth_time: session.auth_time.as_seconds(),
            amr: session.amr.names().into_iter().map(str::to_owned).collect(),
            roles: account.roles.clone(),
        };
        sign(keys, TYPE, &Issued { checked, carried }, now)
    }

    /// Who issues: the public address.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How long tokens work.
    pub(super) fn lifetime(&self) -> Duration {
        self.policy.access_lifetime
    }

    /// Whether a token of these times works, whichever clock it was signed by.
    pub(super) fn is_in_time(&self, issued_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> bool {
        let leeway = self.policy.leeway;
        now < expires_at + leeway && issued_at <= now + leeway
    }

    /// Checks signature and claims.
    pub(crate) fn verify(&self, keys: &KeySet, token: &str, now: Timestamp) -> Result<Verified, Refused> {
        if token.len() > OCTETS_MAX {
            return Err(Refused::Invalid);
        }
        let hash = sha256(token.as_bytes());
        let verified = if let Some(verified) = self.cache.get(&hash) {
            verified
        } else {
            let id = key_id(token).ok_or(Refused::Invalid)?;
            let key = keys.find(&id).ok_or(Refused::UnknownKey)?;
            let verified = self.check(key, token).ok_or(Refused::Invalid)?;
            self.cache.put(hash, verified.clone());
            verified
        };
        let in_time = self.is_in_time(verified.issued_at, verified.expires_at, now);
        let counts = in_time && keys.find(&verified.key).is_some_and(|key| key.lives(now));
        if counts { Ok(verified) } else { Err(Refused::Invalid) }
    }

    /// Signature, issuer, audience, ids. The algorithm is the key's: the header cannot choose another (J1).
    fn check(&self, key: &Key, token: &str) -> Option<Verified> {
        let claims = signed::<Claims>(key, token)?;
        if claims.iss != self.name || claims.aud != self.audience || claims.client_id != OWN {
            return None;
        }
        let seconds = |seconds: i64| seconds.checked_mul(1000).map(Timestamp::from_millis);
        Some(Verified {
            key: key.id.clone(),
            user: claims.sub.parse().ok()?,
            session: claims.sid.parse().ok()?,
            issued_at: seconds(claims.iat)?,
            expires_at: seconds(claims.exp)?,
        })
    }
}

/// Signs claims, as a token of this type.
pub(super) fn sign<C: Serialize>(keys: &KeySet, typ: &str, claims: &C, now: Timestamp) -> Option<Secret> {
    let (key, signer) = keys.signing(now)?;
    let header = Header {
        typ: Some(typ.to_owned()),
        kid: Some(key.id.to_string()),
        ..Header::new(key.algorithm.header())
    };
    encode(&header, claims, signer).ok().map(Secret::from)
}

/// The claims of a token of this type that a living key has signed, with the name of the key. Nothing else is checked.
pub(super) fn open<C: DeserializeOwned>(
    keys: &KeySet,
    typ: &str,
    token: &str,
    now: Timestamp,
) -> Result<(String, C), Refused> {
    if token.len() > OCTETS_MAX {
        return Err(Refused::Invalid);
    }
    let id = key_id_of(token, typ).ok_or(Refused::Invalid)?;
    let key = keys.find(&id).ok_or(Refused::UnknownKey)?;
    let claims = signed(key, token).filter(|_| key.lives(now)).ok_or(Refused::Invalid)?;
    Ok((id, claims))
}

/// The claims of a token that this key has signed.
fn signed<C: DeserializeOwned>(key: &Key, token: &str) -> Option<C> {
    let mut validation = Validation::new(key.algorithm.header());
    // The library would read the system clock, and accept lists where we issue one value: these are checked here.
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode::<C>(token, &key.verifier, &validation).ok().map(|token| token.claims)
}

/// The key that an access token names, if its header has no unknown demands (J2).
pub(crate) fn key_id(token: &str) -> Option<String> {
    key_id_of(token, TYPE)
}

fn key_id_of(token: &str, typ: &str) -> Option<String> {
    let header = decode_header(token).ok()?;
    let plain = header.typ.as_deref() == Some(typ)
        && header.crit.is_none()
        && header.enc.is_none()
        && header.jku.is_none()
        && header.jwk.is_none()
        && header.x5u.is_none()
        && header.x5c.is_none();
    header.kid.filter(|id| plain && id.len() <= KEY_ID_OCTETS_MAX)
}

/// Recently verified tokens, by the SHA-256 of the token. It is bounded by two generations: when the young one is full
/// it becomes the old one, and entries not used since are dropped.
#[derive(Debug)]
struct Cache {
    generation_max: usize,
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<[u8; 32], Verified>,
    old: HashMap<[u8; 32], Verified>,
}

impl Cache {
    fn new(capacity: usize) -> Self {
        Self { generation_max: (capacity / 2).max(1), generations: Mutex::default() }
    }

    fn get(&self, hash: &[u8; 32]) -> Option<Verified> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verified) = generations.young.get(hash) {
            return Some(verified.clone());
        }
        let verified = generations.old.get(hash)?.clone();
        generations.put(*hash, verified.clone(), self.generation_max);
        Some(verified)
    }

    fn put(&self, hash: [u8; 32], verified: Verified) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.put(hash, verified, self.generation_max);
    }
}

impl Generations {
    fn put(&mut self, hash: [u8; 32], verified: Verified, max: usize) {
        if self.young.len() >= max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, verified);
    }
}
