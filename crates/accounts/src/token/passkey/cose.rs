//! Public keys as authenticators write them (RFC 9052 §7, RFC 9053 §7, RFC 8230 §4), made ready to verify with.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

use super::cbor::{self, Value};
use super::error::{Part, PasskeyError};

/// A kind of key and signature that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// `EdDSA`, with Ed25519 only.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2,048 to 4,096 bits.
    Rs256,
}

impl Algorithm {
    /// All of them, the preferred first.
    pub(crate) const ALL: [Self; 3] = [Self::Es256, Self::Ed25519, Self::Rs256];

    /// Its number in IANA's register "COSE Algorithms".
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Ed25519 => -8,
            Self::Rs256 => -257,
        }
    }
}

/// A key that signatures can be verified with.
pub(crate) struct PublicKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

/// Labels of a `COSE_Key` (RFC 9052 §7.1).
const KEY_TYPE: i64 = 1;
const ALGORITHM: i64 = 3;
/// The algorithm's own labels count down from here.
const CURVE: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const MODULUS: i64 = -1;
const EXPONENT: i64 = -2;

const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

impl PublicKey {
    /// Reads a key that was stored.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, PasskeyError> {
        let key = cbor::read(bytes).map_err(|error| PasskeyError::Cbor(Part::PublicKey, error))?;
        Self::from_value(&key)
    }

    /// The key in a map. It has the parameters of its kind and no other (WebAuthn L3 §6.5.1.1, §5.8.5).
    pub(crate) fn from_value(key: &Value<'_>) -> Result<Self, PasskeyError> {
        let labels = key.entries().ok_or(PasskeyError::Malformed(Part::PublicKey))?.len();
        let number = key.at(ALGORITHM).ok_or(PasskeyError::Malformed(Part::PublicKey))?;
        let is = |algorithm: &Algorithm| *number == Value::Integer(algorithm.number());
        let algorithm = Algorithm::ALL.into_iter().find(is).ok_or(PasskeyError::Algorithm)?;
        let parsed = match algorithm {
            Algorithm::Es256 if labels == 5 => p256(key),
            Algorithm::Ed25519 if labels == 4 => ed25519(key),
            Algorithm::Rs256 if labels == 4 => rsa(key),
            _ => None,
        };
        Ok(Self { algorithm, key: parsed.ok_or(PasskeyError::UnusableKey)? })
    }

    /// What it verifies.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// # Errors
    /// [`PasskeyError::Signature`] unless the owner of the key signed the message.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), PasskeyError> {
        self.key.verify_sig(message, signature).map_err(|_| PasskeyError::Signature)
    }
}

fn p256(key: &Value<'_>) -> Option<ParsedPublicKey> {
    has_type(key, 2, Some(1))?;
    let (x, y) = (coordinate(key, X)?, coordinate(key, Y)?);
    // Uncompressed (SEC 1 §2.3.3); `parse` refuses what is not on the curve.
    parse(&ECDSA_P256_SHA256_ASN1, &[&[4], &x[..], &y[..]].concat())
}

fn ed25519(key: &Value<'_>) -> Option<ParsedPublicKey> {
    has_type(key, 1, Some(6))?;
    parse(&ED25519, coordinate(key, X)?)
}

/// Both numbers are odd and without leading zeros; the exponent is above 2^16 (FIPS 186-5 §5.4) and fits 32 bits.
fn rsa(key: &Value<'_>) -> Option<ParsedPublicKey> {
    has_type(key, 3, None)?;
    let (n, e) = (key.at(MODULUS)?.bytes()?, key.at(EXPONENT)?.bytes()?);
    let is_sound = |number: &[u8]| number[0] != 0 && number[number.len() - 1] % 2 == 1;
    let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
    if !MODULUS_BITS.contains(&bits) || !(3..=4).contains(&e.len()) || !is_sound(n) || !is_sound(e) {
        return None;
    }
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()
}

fn has_type(key: &Value<'_>, key_type: i64, curve: Option<i64>) -> Option<()> {
    let is = |label, wanted| key.at(label) == Some(&Value::Integer(wanted));
    (is(KEY_TYPE, key_type) && curve.is_none_or(|curve| is(CURVE, curve))).then_some(())
}

fn coordinate<'a>(key: &Value<'a>, label: i64) -> Option<&'a [u8; 32]> {
    key.at(label)?.bytes()?.try_into().ok()
}

fn parse(algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> Option<ParsedPublicKey> {
    UnparsedPublicKey::new(algorithm, key).parse().ok()
}
