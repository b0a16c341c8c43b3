//! Firebase's scrypt: the derived key encrypts the key of the project, and the result is the hash.

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::encoding::{base64, number};
use super::error::{ImportedHashError, Parsed};
use super::scrypt::Cost;

/// The octets of a key for AES-256.
const KEY_OCTETS: usize = 32;

/// The parameters of a Firebase project: "Password hash parameters" in its console.
#[derive(Clone)]
pub struct FirebaseScrypt {
    /// `base64_signer_key`.
    pub signer_key: String,
    /// `base64_salt_separator`.
    pub salt_separator: String,
    /// `rounds`.
    pub rounds: u32,
    /// `mem_cost`.
    pub mem_cost: u32,
}

impl FirebaseScrypt {
    /// The text that Supabase keeps of such a hash, too.
    pub(super) fn text(&self, salt: &str, hash: &str) -> String {
        let Self { signer_key, salt_separator, rounds, mem_cost } = self;
        format!("$fbscrypt$v=1,n={mem_cost},r={rounds},p=1,ss={salt_separator},sk={signer_key}${salt}${hash}")
    }
}

/// Without the key.
impl std::fmt::Debug for FirebaseScrypt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[parameters of a Firebase project]")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirebaseHash {
    cost: Cost,
    signer_key: Vec<u8>,
    /// The user's, and the separator behind it.
    salt: Vec<u8>,
    tag: Vec<u8>,
}

impl FirebaseHash {
    /// `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=…$salt$hash`.
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &["", _, parameters, salt, tag] = parts.as_slice() else { return Err(damaged()) };
        let parameters: Vec<&str> = parameters.split(',').collect();
        let &["v=1", n, r, p, separator, key] = parameters.as_slice() else { return Err(damaged()) };
        let value = |text: &str, name| text.strip_prefix(name).and_then(number).ok_or(damaged());
        let octets = |text: &str, name| text.strip_prefix(name).and_then(base64).ok_or(damaged());
        let cost = Cost::new(value(n, "n=")?, value(r, "r=")?, value(p, "p=")?)?;
        let (separator, signer_key) = (octets(separator, "ss=")?, octets(key, "sk=")?);
        let (salt, tag) = (base64(salt).ok_or(damaged())?, base64(tag).ok_or(damaged())?);
        if signer_key.len() < KEY_OCTETS || tag.len() != signer_key.len() {
            return Err(damaged());
        }
        Ok(Self { cost, signer_key, salt: [salt, separator].concat(), tag })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        self.opened(password).is_some_and(|key| key.as_slice().ct_eq(&self.signer_key).into())
    }

    /// What the password makes of the hash: the key of the project, if it is the right one.
    fn opened(&self, password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key = self.cost.derive(password, &self.salt, KEY_OCTETS)?;
        let key = DecryptingKey::ctr(UnboundCipherKey::new(&AES_256, &key).ok()?).ok()?;
        let mut tag = Zeroizing::new(self.tag.clone());
        key.decrypt(&mut tag, DecryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
        Some(tag)
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost
    }
}

fn damaged() -> ImportedHashError {
    ImportedHashError::Damaged("Firebase")
}
