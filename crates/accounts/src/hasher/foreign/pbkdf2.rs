//! PBKDF2 (RFC 8018), as passlib, Django and Werkzeug write it.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};

use super::encoding::{base64, hex, number};
use super::error::{ImportedHashError, Parsed};

/// Rounds, counted once for each block of the result.
const ROUNDS_MAX: u64 = 2_000_000;
/// A shorter result is met by chance; a longer one says no more.
const TAG_OCTETS: std::ops::RangeInclusive<usize> = 16..=128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pbkdf2Hash {
    digest: Digest,
    rounds: NonZeroU32,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

impl Digest {
    fn named(name: &str) -> Option<Self> {
        match name {
            "pbkdf2" | "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn octets(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha1 => PBKDF2_HMAC_SHA1,
            Self::Sha256 => PBKDF2_HMAC_SHA256,
            Self::Sha512 => PBKDF2_HMAC_SHA512,
        }
    }
}

impl Pbkdf2Hash {
    fn new(digest: Option<Digest>, rounds: Option<u32>, salt: Vec<u8>, tag: Option<Vec<u8>>) -> Parsed<Self> {
        let rounds = rounds.and_then(NonZeroU32::new).ok_or(damaged())?;
        let (digest, tag) = digest.zip(tag).ok_or(damaged())?;
        if !TAG_OCTETS.contains(&tag.len()) {
            return Err(damaged());
        }
        let hash = Self { digest, rounds, salt, tag };
        if u64::from(rounds.get()) * hash.blocks() > ROUNDS_MAX {
            return Err(ImportedHashError::TooCostly("PBKDF2", "at most 2 000 000 rounds"));
        }
        Ok(hash)
    }

    /// `$pbkdf2-sha256$29000$salt$hash`.
    pub(super) fn of_passlib(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &["", scheme, rounds, salt, tag] = parts.as_slice() else { return Err(damaged()) };
        let digest = Digest::named(scheme.strip_prefix("pbkdf2-").unwrap_or(scheme));
        Self::new(digest, number(rounds), base64(salt).ok_or(damaged())?, base64(tag))
    }

    /// `pbkdf2_sha256$1000000$salt$hash`; the salt is text.
    pub(super) fn of_django(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &[scheme, rounds, salt, tag] = parts.as_slice() else { return Err(damaged()) };
        let digest = Digest::named(scheme.strip_prefix("pbkdf2_").unwrap_or_default());
        Self::new(digest, number(rounds), salt.as_bytes().to_vec(), base64(tag))
    }

    /// `pbkdf2:sha256:1000000$salt$hash`; the salt is text, the hash hexadecimal.
    pub(super) fn of_werkzeug(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &[method, salt, tag] = parts.as_slice() else { return Err(damaged()) };
        let method: Vec<&str> = method.split(':').collect();
        let &[_, digest, rounds] = method.as_slice() else { return Err(damaged()) };
        Self::new(Digest::named(digest), number(rounds), salt.as_bytes().to_vec(), hex(tag))
    }

    /// In constant time.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        pbkdf2::verify(self.digest.algorithm(), self.rounds, &self.salt, password, &self.tag).is_ok()
    }

    fn blocks(&self) -> u64 {
        self.tag.len().div_ceil(self.digest.octets()) as u64
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.digest {
            Digest::Sha1 => "pbkdf2-sha1",
            Digest::Sha256 => "pbkdf2-sha256",
            Digest::Sha512 => "pbkdf2-sha512",
        }
    }

    pub(super) fn cost(&self) -> u64 {
        u64::from(self.rounds.get()) * self.blocks()
    }
}

fn damaged() -> ImportedHashError {
    ImportedHashError::Damaged("PBKDF2")
}
