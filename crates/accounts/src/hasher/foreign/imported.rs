//! A hash that is to be imported: one that can be kept as it is, or one that has to be wrapped first.

use std::fmt;

use super::error::ImportedHashError;
use super::firebase::FirebaseScrypt;
use super::hash::ForeignHash;
use super::keycloak;
use super::weak::WeakHash;

/// A password hash that another program made, or this one: `argon2id`, `argon2i`, `argon2d`, bcrypt, PBKDF2 and scrypt as
/// Django, Werkzeug, passlib, Keycloak, better-auth and Firebase write them; salted SHA of Django and LDAP, which
/// [is weak](Self::is_weak).
///
/// What checking a password would cost is bounded here, before anything is computed: bcrypt 14, scrypt N·r·p 2²⁰, PBKDF2
/// 2 000 000 rounds, Argon2 256 MiB and 1 GiB over all passes.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportedHash(Kept);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// With the text that is stored.
    AsItIs(String, Box<ForeignHash>),
    Weak(WeakHash),
}

impl ImportedHash {
    /// Reads a hash as the program that made it wrote it.
    ///
    /// # Errors
    /// [`ImportedHashError`].
    pub fn parse(text: &str) -> Result<Self, ImportedHashError> {
        if let Some(weak) = WeakHash::parse(text) {
            return Ok(Self(Kept::Weak(weak?)));
        }
        Ok(Self(Kept::AsItIs(text.to_owned(), Box::new(ForeignHash::parse(text)?))))
    }

    /// Reads the two JSON texts that Keycloak keeps of a password: `credentialData` and `secretData`.
    ///
    /// # Errors
    /// [`ImportedHashError`].
    pub fn of_keycloak(credential_data: &str, secret_data: &str) -> Result<Self, ImportedHashError> {
        Self::parse(&keycloak::text(credential_data, secret_data)?)
    }

    /// Reads the salt and the hash of a user of Firebase, both in base64, with the parameters of the project.
    ///
    /// # Errors
    /// [`ImportedHashError`].
    pub fn of_firebase(project: &FirebaseScrypt, salt: &str, hash: &str) -> Result<Self, ImportedHashError> {
        Self::parse(&project.text(salt, hash))
    }

    /// The name of its kind, e.g. `bcrypt`.
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Kept::AsItIs(_, hash) => hash.kind(),
            Kept::Weak(hash) => hash.kind(),
        }
    }

    /// Whether anyone who gets it finds the password soon: it is only kept wrapped in Argon2id.
    pub fn is_weak(&self) -> bool {
        matches!(self.0, Kept::Weak(_))
    }

    pub(crate) fn into_kept(self) -> Kept {
        self.0
    }
}

/// Without the hash.
impl fmt::Debug for ImportedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} hash]", self.kind())
    }
}
