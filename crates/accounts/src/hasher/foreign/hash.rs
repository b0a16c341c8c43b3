//! A hash that passwords can be compared with, of any kind that is known.

use super::argon2::Argon2Hash;
use super::bcrypt::BcryptHash;
use super::error::{ImportedHashError, OCTETS_MAX, Parsed};
use super::firebase::FirebaseHash;
use super::pbkdf2::Pbkdf2Hash;
use super::scrypt::{self, ScryptHash};
use super::weak::{self, WrappedHash};
use crate::domain::password::Password;

/// A hash that a password can be compared with, at a cost that is bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ForeignHash {
    Argon2(Argon2Hash),
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
    Scrypt(ScryptHash),
    Firebase(FirebaseHash),
    Wrapped(WrappedHash),
}

impl ForeignHash {
    /// Reads a hash as the program that made it, or this one, wrote it.
    pub(crate) fn parse(text: &str) -> Parsed<Self> {
        if text.len() > OCTETS_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ImportedHashError::Unknown);
        }
        let scheme = text.split(['$', ':']).find(|part| !part.is_empty()).unwrap_or_default();
        match (text.starts_with('$'), scheme) {
            (true, "argon2id" | "argon2i" | "argon2d") => Argon2Hash::parse(text).map(Self::Argon2),
            (false, "argon2") => Argon2Hash::parse(text.get(6..).unwrap_or_default()).map(Self::Argon2),
            (true, "2a" | "2b" | "2y") => BcryptHash::parse(text).map(Self::Bcrypt),
            (false, "bcrypt" | "bcrypt_sha256") => BcryptHash::of_django(text).map(Self::Bcrypt),
            (true, "pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha256" | "pbkdf2-sha512") => {
                Pbkdf2Hash::of_passlib(text).map(Self::Pbkdf2)
            }
            (false, "pbkdf2_sha1" | "pbkdf2_sha256") => Pbkdf2Hash::of_django(text).map(Self::Pbkdf2),
            (false, "pbkdf2") => Pbkdf2Hash::of_werkzeug(text).map(Self::Pbkdf2),
            (true, "scrypt") => ScryptHash::of_passlib(text).map(Self::Scrypt),
            (false, "scrypt") if text.starts_with("scrypt:") => {
                ScryptHash::of_werkzeug(text).map(Self::Scrypt)
            }
            (false, "scrypt") => ScryptHash::of_django(text).map(Self::Scrypt),
            (true, "fbscrypt") => FirebaseHash::parse(text).map(Self::Firebase),
            (true, weak::SCHEME) => WrappedHash::parse(text).map(Self::Wrapped),
            _ if scrypt::is_of_better_auth(text) => ScryptHash::of_better_auth(text).map(Self::Scrypt),
            _ => Err(ImportedHashError::Unknown),
        }
    }

    /// Whether it was made of this password.
    pub(crate) fn matches(&self, password: &Password) -> bool {
        match self {
            Self::Argon2(hash) => hash.matches(password.expose().as_bytes()),
            Self::Bcrypt(hash) => hash.matches(password.expose().as_bytes()),
            Self::Pbkdf2(hash) => hash.matches(password.expose().as_bytes()),
            Self::Scrypt(hash) => hash.matches(password),
            Self::Firebase(hash) => hash.matches(password.expose().as_bytes()),
            Self::Wrapped(hash) => hash.matches(password.expose().as_bytes()),
        }
    }

    /// What hashes have in common that take equally long: kind and cost.
    pub(crate) fn class(&self) -> String {
        let kind = self.kind();
        match self {
            Self::Argon2(hash) => format!("{kind} {}", hash.cost()),
            Self::Bcrypt(hash) => format!("{kind} {}", hash.cost()),
            Self::Pbkdf2(hash) => format!("{kind} {}", hash.cost()),
            Self::Scrypt(hash) => format!("{kind} {}", hash.cost()),
            Self::Firebase(hash) => format!("{kind} {}", hash.cost()),
            Self::Wrapped(hash) => format!("{kind} {}", hash.cost()),
        }
    }

    /// What people call it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Argon2(hash) => hash.kind(),
            Self::Bcrypt(hash) => hash.kind(),
            Self::Pbkdf2(hash) => hash.kind(),
            Self::Scrypt(_) => "scrypt",
            Self::Firebase(_) => "firebase-scrypt",
            Self::Wrapped(_) => "wrapped",
        }
    }
}
