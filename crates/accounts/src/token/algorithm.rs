//! The algorithms that sign access tokens: one per key, and no others (J1).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// The algorithm of a signing key. A key keeps its algorithm for life, and its signatures are checked with no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// `EdDSA` with Ed25519 (RFC 8037): the fastest to sign.
    #[default]
    EdDsa,
    /// `ES256`: ECDSA on P-256 with SHA-256 (RFC 7518 §3.4), for verifiers that do not know EdDSA.
    Es256,
}

/// The text is not the name of a supported algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the algorithm must be `EdDSA` or `ES256`")]
pub struct SigningAlgorithmError;

/// A new key: PKCS #8, and the raw public part (32 octets, or the 65 of an uncompressed point).
pub(super) struct Pair {
    pub(super) private: Zeroizing<Vec<u8>>,
    pub(super) public: Vec<u8>,
}

impl SigningAlgorithm {
    pub(super) const ALL: [Self; 2] = [Self::Es256, Self::EdDsa];

    /// Its name in `alg` (RFC 7518 §3.1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    pub(super) const fn header(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
        }
    }

    /// A new key; `None` if the crypto library fails.
    pub(super) fn generate(self) -> Option<Pair> {
        let (document, public) = match self {
            Self::EdDsa => {
                let pair = Ed25519KeyPair::generate().ok()?;
                (pair.to_pkcs8().ok()?, pair.public_key().as_ref().to_vec())
            }
            Self::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
                (pair.to_pkcs8v1().ok()?, pair.public_key().as_ref().to_vec())
            }
        };
        Some(Pair { private: Zeroizing::new(document.as_ref().to_vec()), public })
    }

    pub(super) fn signer(self, private: &[u8]) -> EncodingKey {
        match self {
            Self::EdDsa => EncodingKey::from_ed_der(private),
            Self::Es256 => EncodingKey::from_ec_der(private),
        }
    }

    pub(super) fn verifier(self, public: &[u8]) -> DecodingKey {
        match self {
            Self::EdDsa => DecodingKey::from_ed_der(public),
            Self::Es256 => DecodingKey::from_ec_der(public),
        }
    }

    /// The public part as a JWK: RFC 8037 §2, or RFC 7518 §6.2.1.
    pub(super) fn jwk(self, id: &str, public: &[u8]) -> Value {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let mut jwk = match self {
            Self::EdDsa => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(public) }),
            Self::Es256 => {
                // 0x04, then both coordinates at full length.
                let (x, y) = public.get(1..).unwrap_or_default().split_at(public.len() / 2);
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
        };
        if let Value::Object(fields) = &mut jwk {
            fields.extend(
                [("alg", self.name()), ("use", "sig"), ("kid", id)].map(|(k, v)| (k.to_owned(), v.into())),
            );
        }
        jwk
    }
}

impl FromStr for SigningAlgorithm {
    type Err = SigningAlgorithmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::EdDsa, Self::Es256].into_iter().find(|it| it.name() == text).ok_or(SigningAlgorithmError)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for SigningAlgorithm {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_read_back_and_no_others_exist() {
        for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        for wrong in ["", "none", "HS256", "RS256", "eddsa", "ES384"] {
            assert_eq!(wrong.parse::<SigningAlgorithm>(), Err(SigningAlgorithmError), "{wrong}");
        }
    }

    // RFC 7518 §6.2.1.2: a coordinate keeps its leading zeros.
    #[test]
    fn coordinates_of_a_point_have_their_full_length() {
        let point = [vec![4], vec![0; 32], vec![1; 32]].concat();
        let jwk = SigningAlgorithm::Es256.jwk("k", &point);
        assert_eq!((jwk["x"].as_str().unwrap().len(), jwk["y"].as_str().unwrap().len()), (43, 43));
        assert_eq!(jwk["y"], BASE64URL_NOPAD.encode(&[1; 32]));
    }
}
