//! The keys that are derived from the secret key, one for each purpose (RFC 5869).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;

use crate::SecretKey;

/// What a keyed hash is for. No value made for one purpose is accepted for another (T5).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The token of a confirmation link.
    ActivationLink,
    /// The digits of a confirmation mail.
    ActivationCode,
    /// The token of a link of an existing user.
    Challenge,
    /// Subjects of limits that are addresses.
    Address,
    /// Subjects of limits that are clients.
    ClientPrefix,
    /// Idempotency keys and the requests behind them.
    Idempotency,
    /// Cursors of lists.
    Cursor,
    /// What a browser is known again by.
    Device,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::ActivationLink => b"activation link",
            Self::ActivationCode => b"activation code",
            Self::Challenge => b"challenge link",
            Self::Address => b"limit subject: address",
            Self::ClientPrefix => b"limit subject: client",
            Self::Idempotency => b"idempotency",
            Self::Cursor => b"cursor",
            Self::Device => b"device",
        }
    }
}

/// Derived keys. They live as long as the process and are never stored.
pub(crate) struct RootKeys {
    mac: hmac::Key,
    wrap: RandomizedNonceKey,
}

impl fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[root keys]")
    }
}

struct Octets32;

impl KeyType for Octets32 {
    fn len(&self) -> usize {
        32
    }
}

impl RootKeys {
    pub(crate) fn derive(secret: &SecretKey) -> Self {
        let root = Salt::new(HKDF_SHA256, b"vestibule 1").extract(&*secret.0);
        let expand = |info: &[u8]| {
            let mut key = zeroize::Zeroizing::new([0; 32]);
            let filled = root.expand(&[info], Octets32).and_then(|okm| okm.fill(&mut *key));
            filled.expect("HKDF-SHA-256 gives 32 octets");
            key
        };
        Self {
            mac: hmac::Key::new(hmac::HMAC_SHA256, &*expand(b"mac")),
            wrap: RandomizedNonceKey::new(&AES_256_GCM, &*expand(b"wrap signing keys"))
                .expect("AES-256 takes a key of 32 octets"),
        }
    }

    /// A keyed hash of `parts`, which cannot be made to look like other parts: each is preceded by its length.
    pub(crate) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.mac);
        for part in std::iter::once(&purpose.label()).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// The first 16 octets of [`mac`](Self::mac): 128 bits.
    pub(crate) fn short_mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(self.mac(purpose, parts).first_chunk::<16>().unwrap_or(&[0; 16]));
        short
    }

    /// Encrypts a private key for the database, bound to its id: AES-256-GCM, the nonce in front.
    pub(crate) fn wrap(&self, id: &str, plain: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = plain.to_vec();
        let nonce = self.wrap.seal_in_place_append_tag(Aad::from(id), &mut sealed).ok()?;
        Some([nonce.as_ref(), sealed.as_slice()].concat())
    }

    /// Decrypts what [`wrap`](Self::wrap) made under the same secret key and id.
    pub(crate) fn unwrap(&self, id: &str, wrapped: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut plain = zeroize::Zeroizing::new(sealed.to_vec());
        let length = self.wrap.open_in_place(nonce.into(), Aad::from(id), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> RootKeys {
        RootKeys::derive(&SecretKey(zeroize::Zeroizing::new([byte; 32])))
    }

    // T5, D5
    #[test]
    fn purposes_parts_and_secrets_all_matter() {
        let one = keys(1).mac(Purpose::ActivationLink, &[b"ab", b"c"]);
        assert_eq!(one, keys(1).mac(Purpose::ActivationLink, &[b"ab", b"c"]));
        assert_ne!(one, keys(1).mac(Purpose::ActivationLink, &[b"a", b"bc"]));
        assert_ne!(one, keys(1).mac(Purpose::ActivationCode, &[b"ab", b"c"]));
        assert_ne!(one, keys(2).mac(Purpose::ActivationLink, &[b"ab", b"c"]));
    }

    // J6
    #[test]
    fn wrapped_keys_open_only_with_their_secret_and_id() {
        let wrapped = keys(1).wrap("kid", b"private").unwrap();
        assert_eq!(&**keys(1).unwrap("kid", &wrapped).unwrap(), b"private");
        assert!(keys(2).unwrap("kid", &wrapped).is_none());
        assert!(keys(1).unwrap("other", &wrapped).is_none());
        assert!(keys(1).unwrap("kid", &wrapped[..wrapped.len() - 1]).is_none());
        assert!(keys(1).unwrap("kid", b"short").is_none());
    }
}
