//! The signing keys in an instance: which one signs now, which verify, which are published (J6).

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};

use super::algorithm::SigningAlgorithm;
use super::root::{Opened, WrapKeys};
use crate::domain::time::Timestamp;
use crate::store::tables::keys::{StoredKey, signing_now};

/// The keys of the database, in the order in which they sign. One signs; all that are not retired verify.
pub(crate) struct KeySet {
    stored: Vec<StoredKey>,
    /// The same keys, decrypted.
    keys: Vec<Key>,
}

/// A signing key.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: Arc<str>,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) verifier: DecodingKey,
    /// `None` if the key is retired, or encrypted with a secret key that this instance does not know.
    signer: Option<EncodingKey>,
    jwk: Value,
    retired_at: Option<Timestamp>,
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl Key {
    /// Whether its signatures are valid.
    pub(super) fn lives(&self, now: Timestamp) -> bool {
        self.retired_at.is_none_or(|at| at > now)
    }
}

impl KeySet {
    /// Decrypts the keys of the database. A private part that does not decrypt is taken from `before`: another instance
    /// already has the next secret key, and this one continues with the parts it has.
    pub(super) fn open(wrap: &WrapKeys, stored: Vec<StoredKey>, before: Option<&Self>) -> Self {
        let keys = stored
            .iter()
            .map(|key| {
                let held = || before.and_then(|set| set.find(&key.id)).and_then(|key| key.signer.clone());
                let signer = match wrap.unwrap(&key.id, &key.private_key) {
                    Some(Opened::Current(private) | Opened::Previous(private)) => {
                        Some(key.algorithm.signer(&private))
                    }
                    None if key.private_key.is_empty() => None,
                    None => held(),
                };
                Key {
                    id: key.id.as_str().into(),
                    algorithm: key.algorithm,
                    verifier: key.algorithm.verifier(&key.public_key),
                    signer,
                    jwk: key.algorithm.jwk(&key.id, &key.public_key),
                    retired_at: key.retired_at,
                }
            })
            .collect();
        Self { stored, keys }
    }

    /// Whether it was made from these keys.
    pub(super) fn is_of(&self, stored: &[StoredKey]) -> bool {
        self.stored == stored
    }

    /// The key that signs now.
    pub(super) fn signing(&self, now: Timestamp) -> Option<(&Key, &EncodingKey)> {
        let key = self.keys.get(signing_now(&self.stored, now)?)?;
        Some((key, key.signer.as_ref()?))
    }

    /// The algorithm of the key that signs now.
    pub(crate) fn algorithm(&self, now: Timestamp) -> Option<SigningAlgorithm> {
        self.signing(now).map(|(key, _)| key.algorithm)
    }

    /// The algorithms of the keys in the JWK Set, each once.
    pub(crate) fn published_algorithms(&self, now: Timestamp) -> Vec<SigningAlgorithm> {
        let is_published = |algorithm: &SigningAlgorithm| {
            self.keys.iter().any(|key| key.algorithm == *algorithm && key.lives(now))
        };
        SigningAlgorithm::ALL.into_iter().filter(is_published).collect()
    }

    /// Since when the key signs that signs now.
    pub(crate) fn signs_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.stored.get(signing_now(&self.stored, now)?).map(|key| key.signs_at)
    }

    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| &*key.id == id)
    }

    /// The JWK Set (RFC 7517 §5) of the public keys: those that will sign, do sign, or have signed tokens that are
    /// still valid.
    pub(crate) fn jwks(&self, now: Timestamp) -> String {
        let keys: Vec<&Value> =
            self.keys.iter().rev().filter(|key| key.lives(now)).map(|key| &key.jwk).collect();
        json!({ "keys": keys }).to_string()
    }
}
