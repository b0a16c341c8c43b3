//! Salted SHA: so cheap that whoever gets the hashes finds the passwords. It is kept only as the input of Argon2id.

use aws_lc_rs::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};
use data_encoding::{BASE64_NOPAD, HEXLOWER};

use super::argon2::Argon2Hash;
use super::encoding::{base64, hex};
use super::error::{ImportedHashError, OCTETS_MAX, Parsed};

/// The scheme of a wrapped hash: `$wrapped$sha1-salt-first$<salt>` and the PHC string.
pub(super) const SCHEME: &str = "wrapped";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// How the digest was made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Method {
    digest: Digest,
    /// Django puts the salt before the password, LDAP after it.
    is_salt_first: bool,
    salt: Vec<u8>,
}

/// The digest of a salted password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WeakHash {
    method: Method,
    digest: Vec<u8>,
}

/// Such a digest, hashed with Argon2id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrappedHash {
    method: Method,
    hash: Argon2Hash,
}

impl Digest {
    const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.name() == name)
    }

    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
            Self::Sha512 => &SHA512,
        }
    }
}

impl Method {
    fn digest(&self, password: &[u8]) -> Vec<u8> {
        let mut context = Context::new(self.digest.algorithm());
        let (first, second) = if self.is_salt_first {
            (self.salt.as_slice(), password)
        } else {
            (password, self.salt.as_slice())
        };
        context.update(first);
        context.update(second);
        context.finish().as_ref().to_vec()
    }

    fn name(&self) -> String {
        format!("{}-salt-{}", self.digest.name(), if self.is_salt_first { "first" } else { "last" })
    }
}

impl WeakHash {
    /// `None`: it is of another kind.
    pub(super) fn parse(text: &str) -> Option<Parsed<Self>> {
        if text.len() > OCTETS_MAX {
            return None;
        }
        Self::of_ldap(text).or_else(|| Self::of_django(text))
    }

    /// `{SSHA}` and the base64 of the digest with the salt behind it.
    fn of_ldap(text: &str) -> Option<Parsed<Self>> {
        let (scheme, rest) = text.strip_prefix('{')?.split_once('}')?;
        let digest = match scheme {
            "SSHA" => Digest::Sha1,
            "SSHA256" => Digest::Sha256,
            "SSHA512" => Digest::Sha512,
            _ => return None,
        };
        let octets = base64(rest).unwrap_or_default();
        let parts = octets.split_at_checked(digest.algorithm().output_len());
        Some(
            parts.map_or(Err(damaged()), |(tag, salt)| Self::new(digest, false, salt.to_vec(), tag.to_vec())),
        )
    }

    /// `sha1$salt$digest`; the salt is text, the digest hexadecimal.
    fn of_django(text: &str) -> Option<Parsed<Self>> {
        let (scheme, rest) = text.split_once('$')?;
        let digest = Digest::of_name(scheme)?;
        let parts = rest.split_once('$').and_then(|(salt, tag)| Some((salt, hex(tag)?)));
        Some(
            parts
                .map_or(Err(damaged()), |(salt, tag)| Self::new(digest, true, salt.as_bytes().to_vec(), tag)),
        )
    }

    fn new(digest: Digest, is_salt_first: bool, salt: Vec<u8>, tag: Vec<u8>) -> Parsed<Self> {
        let is_whole = tag.len() == digest.algorithm().output_len() && !salt.is_empty();
        let method = Method { digest, is_salt_first, salt };
        if is_whole { Ok(Self { method, digest: tag }) } else { Err(damaged()) }
    }

    pub(super) fn kind(&self) -> &'static str {
        self.method.digest.name()
    }

    /// What is hashed with Argon2id, as text.
    pub(crate) fn inner(&self) -> String {
        HEXLOWER.encode(&self.digest)
    }

    /// What is stored, when `phc` is the hash of [`inner`](Self::inner).
    pub(crate) fn wrapped_in(&self, phc: &str) -> String {
        format!("${SCHEME}${}${}{phc}", self.method.name(), BASE64_NOPAD.encode(&self.method.salt))
    }
}

impl WrappedHash {
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.splitn(5, '$').collect();
        let &["", _, method, salt, phc] = parts.as_slice() else { return Err(damaged()) };
        let (digest, place) = method.split_once("-salt-").ok_or(damaged())?;
        let is_salt_first = match place {
            "first" => true,
            "last" => false,
            _ => return Err(damaged()),
        };
        let digest = Digest::of_name(digest).ok_or(damaged())?;
        let method = Method { digest, is_salt_first, salt: base64(salt).ok_or(damaged())? };
        Ok(Self { method, hash: Argon2Hash::parse(&format!("${phc}"))? })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        self.hash.matches(HEXLOWER.encode(&self.method.digest(password)).as_bytes())
    }

    pub(super) fn cost(&self) -> String {
        self.hash.cost()
    }
}

fn damaged() -> ImportedHashError {
    ImportedHashError::Damaged("salted SHA")
}
