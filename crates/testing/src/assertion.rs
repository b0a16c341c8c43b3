//! An application with a pair of keys, and the assertions that it signs (RFC 7523).

#![expect(clippy::missing_panics_doc, reason = "a test whose application cannot sign has failed")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// The `client_assertion_type` of an assertion that is a JWT.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A pair of keys.
pub enum Signer {
    /// For `EdDSA`.
    Ed25519(Ed25519KeyPair),
    /// For `ES256`.
    P256(EcdsaKeyPair),
}

impl Signer {
    /// A new pair for `EdDSA`.
    pub fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().expect("a pair of keys"))
    }

    /// A new pair for `ES256`.
    pub fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a pair of keys"))
    }

    /// The public octets: 32, or the 65 of an uncompressed point.
    pub fn public(&self) -> &[u8] {
        match self {
            Self::Ed25519(pair) => pair.public_key().as_ref(),
            Self::P256(pair) => pair.public_key().as_ref(),
        }
    }

    /// The `alg` of its signatures.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        }
    }

    /// The public key as a JWK with this `kid`.
    pub fn jwk(&self, kid: &str) -> Value {
        let text = |octets: &[u8]| BASE64URL_NOPAD.encode(octets);
        match self {
            Self::Ed25519(_) => json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": text(self.public())}),
            Self::P256(_) => {
                let (x, y) = self.public()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": text(x), "y": text(y)})
            }
        }
    }

    /// A JWT with this header and these claims.
    pub fn signs(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = match self {
            Self::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), signed.as_bytes());
                signature.expect("a signature").as_ref().to_vec()
            }
        };
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// A good assertion of this client: for this audience, from this time on (seconds since 1970), used once.
    pub fn asserts(&self, client: &str, audience: &str, now: i64, jti: &str) -> String {
        self.signs(&json!({"alg": self.algorithm()}), &good_claims(client, audience, now, jti))
    }
}

/// The claims of a good assertion.
pub fn good_claims(client: &str, audience: &str, now: i64, jti: &str) -> Value {
    json!({"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 60, "jti": jti})
}
