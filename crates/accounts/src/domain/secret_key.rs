//! The secret key: the root of all keys.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::domain::secret::Secret;
use crate::env::Env;

/// 32 random bytes: the root of all keys.
#[derive(Clone)]
pub struct SecretKey(pub(crate) Zeroizing<[u8; 32]>);

/// Why a text is not a [`SecretKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// Neither hex nor base64url.
    #[error("the secret key must be 32 bytes, written as 64 hex digits or 43 characters of base64url")]
    Malformed,
    /// Too regular to be random: an example.
    #[error("the secret key is an example, not random bytes: make one with `openssl rand -hex 32`")]
    Example,
}

impl SecretKey {
    /// 32 bytes from the operating system.
    pub fn generate() -> Self {
        Self(Zeroizing::new(Env::system().random()))
    }

    /// 64 hex digits, for a key file.
    pub fn to_hex(&self) -> Secret {
        Secret::from(HEXLOWER.encode(&*self.0))
    }
}

impl FromStr for SecretKey {
    type Err = SecretKeyError;

    /// # Errors
    /// [`SecretKeyError::Malformed`]; [`SecretKeyError::Example`] if fewer than 12 of the bytes differ, which has a
    /// chance below 10⁻²⁰ for random ones.
    fn from_str(text: &str) -> Result<Self, SecretKeyError> {
        let decoded = match text.len() {
            64 => HEXLOWER_PERMISSIVE.decode(text.as_bytes()),
            43 => BASE64URL_NOPAD.decode(text.as_bytes()),
            _ => return Err(SecretKeyError::Malformed),
        };
        let bytes = Zeroizing::new(decoded.map_err(|_| SecretKeyError::Malformed)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SecretKeyError::Malformed)?;
        let different: std::collections::BTreeSet<u8> = key.iter().copied().collect();
        let counted_up = key.iter().zip(key.iter().skip(1)).all(|(a, b)| b.wrapping_sub(*a) == 1);
        if different.len() < 12 || counted_up {
            return Err(SecretKeyError::Example);
        }
        Ok(Self(Zeroizing::new(key)))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_key_is_read_back_from_its_text() {
        let key = SecretKey::generate();
        let again: SecretKey = key.to_hex().expose().parse().unwrap();
        assert_eq!(*again.0, *key.0);
        let base64: SecretKey = BASE64URL_NOPAD.encode(&*key.0).parse().unwrap();
        assert_eq!(*base64.0, *key.0);
    }

    // O5: short and example secrets are refused.
    #[test]
    fn short_and_example_keys_are_refused() {
        let refused = |text: &str| text.parse::<SecretKey>().unwrap_err();
        assert_eq!(refused(""), SecretKeyError::Malformed);
        assert_eq!(refused(&"0".repeat(63)), SecretKeyError::Malformed);
        assert_eq!(refused(&"g".repeat(64)), SecretKeyError::Malformed);
        assert_eq!(refused(&"0".repeat(64)), SecretKeyError::Example);
        assert_eq!(refused(&"0123456789abcdef".repeat(4)), SecretKeyError::Example);
        let counted: Vec<u8> = (0..32).collect();
        assert_eq!(refused(&HEXLOWER.encode(&counted)), SecretKeyError::Example);
        assert_eq!(format!("{:?}", SecretKey::generate()), "[secret key]");
    }
}
