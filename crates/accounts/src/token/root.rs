//! The keys that are derived from the secret key, one for each purpose (RFC 5869).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

use crate::domain::secret_key::SecretKey;
use crate::domain::time::{HOUR, Timestamp};

/// The purpose of a keyed hash. No value made for one purpose is accepted for another (T5).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The token of a confirmation link.
    ActivationLink,
    /// The digits of a confirmation mail.
    ActivationCode,
    /// The token of a link of an existing user.
    Challenge,
    /// The token of an invitation's link.
    Invitation,
    /// The key of the link that creates the first administrator.
    Setup,
    /// Subjects of limits that are addresses.
    Address,
    /// Subjects of limits that are clients.
    ClientPrefix,
    /// Idempotency keys and the requests behind them.
    Idempotency,
    /// Cursors of lists.
    Cursor,
    /// Recognises a known browser.
    Device,
    /// The proof kept by the browser that signed up.
    SignUpProof,
    /// Ties a form to the browser it was shown in.
    Form,
    /// The salt of the passwords of an address's sign-ups.
    SignUpSalt,
    /// What names a right password that waits for its second factor.
    SignInChallenge,
    /// What names a ceremony of a passkey.
    Ceremony,
    /// What a passkey signs.
    PasskeyChallenge,
    /// Recovery codes.
    RecoveryCode,
    /// What an operator's command asks a server through the public URL.
    DoctorQuestion,
    /// What the server answers.
    DoctorAnswer,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::ActivationLink => b"activation link",
            Self::ActivationCode => b"activation code",
            Self::Challenge => b"challenge link",
            Self::Invitation => b"invitation link",
            Self::Setup => b"setup link",
            Self::Address => b"limit subject: address",
            Self::ClientPrefix => b"limit subject: client",
            Self::Idempotency => b"idempotency",
            Self::Cursor => b"cursor",
            Self::Device => b"device",
            Self::SignUpProof => b"sign-up proof",
            Self::Form => b"form",
            Self::SignUpSalt => b"sign-up salt",
            Self::SignInChallenge => b"sign-in challenge",
            Self::Ceremony => b"ceremony",
            Self::PasskeyChallenge => b"passkey challenge",
            Self::RecoveryCode => b"recovery code",
            Self::DoctorQuestion => b"doctor question",
            Self::DoctorAnswer => b"doctor answer",
        }
    }

    /// Whether it names a row that outlives the secret key.
    const fn is_name(self) -> bool {
        matches!(self, Self::Address | Self::ClientPrefix | Self::SignUpSalt | Self::RecoveryCode)
    }
}

/// The keys of everything that is computed rather than stored. They live as long as the process.
pub(crate) struct RootKeys {
    /// Derived from the secret key.
    mac: MacKey,
    /// Derived from the previous secret key: what was mailed under it is still accepted.
    previous_mac: Option<MacKey>,
    /// When its codes stop being accepted: two correct codes are twice as easy to guess, so this always ends by itself.
    previous_codes_until: Timestamp,
    /// Stored encrypted in the database: counters keep their names when the secret key changes.
    names: MacKey,
    /// Encrypts the keys in the database.
    pub(crate) wrap: Arc<WrapKeys>,
}

impl fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[root keys]")
    }
}

impl RootKeys {
    pub(super) fn new(
        secret: &SecretKey,
        previous: Option<&SecretKey>,
        wrap: Arc<WrapKeys>,
        names: &[u8; 32],
        now: Timestamp,
    ) -> Self {
        let mac = |secret| MacKey::new(&derive(secret, b"mac"));
        Self {
            mac: mac(secret),
            previous_mac: previous.map(mac),
            previous_codes_until: now + HOUR,
            names: MacKey::new(names),
            wrap,
        }
    }

    /// The keys of one secret, for tests without a database.
    #[cfg(test)]
    pub(crate) fn derive(secret: &SecretKey) -> Self {
        Self::new(secret, None, Arc::new(WrapKeys::derive(secret, None)), &[0; 32], Timestamp::default())
    }

    /// A keyed hash of `parts`, each preceded by its length so that no other parts give the same input.
    pub(crate) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        if purpose.is_name() { self.names.mac(purpose, parts) } else { self.mac.mac(purpose, parts) }
    }

    /// The first 16 octets of [`mac`](Self::mac): 128 bits.
    pub(crate) fn short_mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 16] {
        short(&self.mac(purpose, parts))
    }

    /// Whether `given` is the [`short_mac`](Self::short_mac) of these parts, under the current or the previous secret
    /// key. In constant time (T1).
    pub(crate) fn is_short_mac(&self, purpose: Purpose, parts: &[&[u8]], given: &[u8]) -> bool {
        let is = |key: &MacKey| short(&key.mac(purpose, parts)).ct_eq(given);
        self.accepted().fold(Choice::from(0), |found, key| found | is(key)).into()
    }

    /// The key for new mails.
    pub(super) fn present(&self) -> &MacKey {
        &self.mac
    }

    /// The keys whose codes are accepted: the current one, and for an hour after the start the previous one.
    pub(super) fn accepted_for_codes(&self, now: Timestamp) -> impl Iterator<Item = &MacKey> {
        let previous = self.previous_mac.as_ref().filter(|_| now < self.previous_codes_until);
        std::iter::once(&self.mac).chain(previous)
    }

    /// The keys whose links are accepted: the current one, and the previous one.
    fn accepted(&self) -> impl Iterator<Item = &MacKey> {
        std::iter::once(&self.mac).chain(&self.previous_mac)
    }
}

/// A key of keyed hashes.
pub(super) struct MacKey(hmac::Key);

impl MacKey {
    fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&purpose.label()).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

fn short(mac: &[u8; 32]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(mac.first_chunk::<16>().unwrap_or(&[0; 16]));
    short
}

struct Octets32;

impl KeyType for Octets32 {
    fn len(&self) -> usize {
        32
    }
}

fn derive(secret: &SecretKey, info: &[u8]) -> Zeroizing<[u8; 32]> {
    let root = Salt::new(HKDF_SHA256, b"vestibule 1").extract(&*secret.0);
    let mut key = Zeroizing::new([0; 32]);
    let filled = root.expand(&[info], Octets32).and_then(|okm| okm.fill(&mut *key));
    filled.expect("HKDF-SHA-256 gives 32 octets");
    key
}

/// Encrypts the keys stored in the database.
pub(crate) struct WrapKeys {
    /// Names the secret key of now, and tells nothing about it.
    pub(crate) seal: [u8; 8],
    current: RandomizedNonceKey,
    previous: Option<RandomizedNonceKey>,
}

/// A decrypted key.
pub(super) enum Opened {
    /// With the current secret key.
    Current(Zeroizing<Vec<u8>>),
    /// With the previous one: it must be re-encrypted.
    Previous(Zeroizing<Vec<u8>>),
}

impl WrapKeys {
    pub(super) fn derive(secret: &SecretKey, previous: Option<&SecretKey>) -> Self {
        let key = |secret| {
            let key = derive(secret, b"wrap signing keys");
            RandomizedNonceKey::new(&AES_256_GCM, &*key).expect("AES-256 takes a key of 32 octets")
        };
        let seal = derive(secret, b"name of the key that wraps").first_chunk().copied().unwrap_or_default();
        Self { seal, current: key(secret), previous: previous.map(key) }
    }

    /// Encrypts a key for the database, bound to its id: AES-256-GCM, with the nonce in front.
    pub(super) fn wrap(&self, id: &str, plain: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = plain.to_vec();
        let nonce = self.current.seal_in_place_append_tag(Aad::from(id), &mut sealed).ok()?;
        Some([nonce.as_ref(), sealed.as_slice()].concat())
    }

    /// Decrypts the output of [`wrap`](Self::wrap) under the same id and either secret key.
    pub(super) fn unwrap(&self, id: &str, wrapped: &[u8]) -> Option<Opened> {
        let before = || self.previous.as_ref().and_then(|key| open(key, id, wrapped)).map(Opened::Previous);
        open(&self.current, id, wrapped).map(Opened::Current).or_else(before)
    }
}

fn open(key: &RandomizedNonceKey, id: &str, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(nonce.into(), Aad::from(id), &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> RootKeys {
        RootKeys::derive(&SecretKey(Zeroizing::new([byte; 32])))
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

    // D5: values made under the previous secret key are accepted, those of a third one are not.
    #[test]
    fn the_previous_secret_still_verifies_but_makes_nothing() {
        let secret = |byte| SecretKey(Zeroizing::new([byte; 32]));
        let of = |now: u8, before: Option<u8>| {
            let (now, before) = (secret(now), before.map(secret));
            RootKeys::new(
                &now,
                before.as_ref(),
                Arc::new(WrapKeys::derive(&now, before.as_ref())),
                &[0; 32],
                Timestamp::default(),
            )
        };
        let (old, rotated) = (of(1, None), of(2, Some(1)));
        let mac = |keys: &RootKeys| keys.short_mac(Purpose::Challenge, &[b"a"]);
        let accepts = |keys: &RootKeys, mac: [u8; 16]| keys.is_short_mac(Purpose::Challenge, &[b"a"], &mac);
        assert!(accepts(&rotated, mac(&old)) && accepts(&rotated, mac(&rotated)));
        assert!(!accepts(&rotated, mac(&of(3, None))) && !accepts(&of(2, None), mac(&old)));
        assert!(!rotated.is_short_mac(Purpose::ActivationLink, &[b"a"], &mac(&old)));
        assert!(!rotated.is_short_mac(Purpose::Challenge, &[b"a"], b""));
        assert_ne!(mac(&rotated), mac(&old));
        // C5: the names of counters do not depend on it.
        let name = |keys: &RootKeys| keys.short_mac(Purpose::Address, &[b"a"]);
        assert_eq!(name(&rotated), name(&old));
    }

    // J6
    #[test]
    fn wrapped_keys_open_only_with_their_secret_and_id() {
        let secret = |byte| SecretKey(Zeroizing::new([byte; 32]));
        let one = WrapKeys::derive(&secret(1), None);
        let two = WrapKeys::derive(&secret(2), Some(&secret(1)));
        let wrapped = one.wrap("kid", b"private").unwrap();
        assert!(matches!(one.unwrap("kid", &wrapped), Some(Opened::Current(key)) if **key == *b"private"));
        assert!(matches!(two.unwrap("kid", &wrapped), Some(Opened::Previous(key)) if **key == *b"private"));
        assert!(WrapKeys::derive(&secret(2), None).unwrap("kid", &wrapped).is_none());
        assert!(one.unwrap("other", &wrapped).is_none());
        assert!(one.unwrap("kid", &wrapped[..wrapped.len() - 1]).is_none());
        assert!(one.unwrap("kid", b"short").is_none());
        assert!(one.unwrap("kid", b"").is_none());
    }
}
