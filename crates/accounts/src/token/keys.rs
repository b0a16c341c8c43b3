//! The keys that sign access tokens: made once, stored encrypted, published as a JWK Set (J6).

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::json;

use super::opaque::sha256;
use super::root::RootKeys;
use crate::store::keys::{StoredKey, insert_signing, signing};
use crate::store::{Store, Tx};
use crate::{Fault, OpenError, Timestamp};

/// The one algorithm of the keys (J1): `EdDSA` with Ed25519 (RFC 8037).
const ALGORITHM: &str = "EdDSA";

/// The keys in force: one signs, all verify.
pub(crate) struct KeySet {
    pub(super) signing_id: String,
    pub(super) signing: EncodingKey,
    pub(super) verifying: HashMap<String, DecodingKey>,
    jwks: String,
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("signing_id", &self.signing_id).finish_non_exhaustive()
    }
}

impl KeySet {
    /// The keys of the database; makes the first one under a lock, so that instances that start together share it.
    pub(crate) async fn load(store: &Store, root: &RootKeys, now: Timestamp) -> Result<Self, OpenError> {
        let mut stored = store.read(signing).await.map_err(OpenError::Fault)?;
        if stored.is_empty() {
            let first = generate(root)?;
            stored = store.write(move |tx| first_key(tx, &first, now)).await.map_err(OpenError::Fault)?;
        }
        Self::open(root, &stored)
    }

    fn open(root: &RootKeys, stored: &[StoredKey]) -> Result<Self, OpenError> {
        let newest = stored.first().ok_or(OpenError::WrongSecretKey)?;
        let private = root.unwrap(&newest.id, &newest.private_key).ok_or(OpenError::WrongSecretKey)?;
        let verifying =
            stored.iter().map(|key| (key.id.clone(), DecodingKey::from_ed_der(&key.public_key))).collect();
        let keys: Vec<_> = stored.iter().map(jwk).collect();
        Ok(Self {
            signing_id: newest.id.clone(),
            signing: EncodingKey::from_ed_der(&private),
            verifying,
            jwks: json!({ "keys": keys }).to_string(),
        })
    }

    /// The JWK Set (RFC 7517 §5) of the public keys.
    pub(crate) fn jwks(&self) -> &str {
        &self.jwks
    }
}

fn jwk(key: &StoredKey) -> serde_json::Value {
    json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": key.algorithm,
        "use": "sig",
        "kid": key.id,
        "x": BASE64URL_NOPAD.encode(&key.public_key),
    })
}

/// Stores `first` unless another instance was faster; the keys that count then.
fn first_key(tx: &mut Tx<'_>, first: &StoredKey, now: Timestamp) -> Result<Vec<StoredKey>, Fault> {
    tx.lock_schema()?;
    if signing(tx)?.is_empty() {
        insert_signing(tx, first, now)?;
    }
    signing(tx)
}

fn generate(root: &RootKeys) -> Result<StoredKey, Fault> {
    let failed = |_| Fault::Unavailable("a signing key could not be made".into());
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    let private = zeroize::Zeroizing::new(pair.to_pkcs8().map_err(failed)?.as_ref().to_vec());
    let public_key = pair.public_key().as_ref().to_vec();
    let id = HEXLOWER.encode(sha256(&public_key).first_chunk::<8>().unwrap_or(&[0; 8]));
    let private_key = root
        .wrap(&id, &private)
        .ok_or_else(|| Fault::Unavailable("a signing key could not be encrypted".into()))?;
    Ok(StoredKey { id, algorithm: ALGORITHM.to_owned(), private_key, public_key })
}
