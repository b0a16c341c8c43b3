//! bcrypt, as everybody writes it and as Django does.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::encoding::{bcrypt_base64, number};
use super::error::{ImportedHashError, Parsed};

const COST_MIN: u32 = 4;
/// Each step doubles the time: 14 takes about a second.
const COST_MAX: u32 = 14;
/// bcrypt reads no further. Two long passwords with one beginning would be the same: longer ones are refused (P5).
const PASSWORD_OCTETS_MAX: usize = 72;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BcryptHash {
    cost: u32,
    salt: [u8; 16],
    tag: [u8; 23],
    /// Of the hexadecimal SHA-256 of the password, as Django's `bcrypt_sha256`.
    is_prehashed: bool,
}

impl BcryptHash {
    /// `$2b$12$` with 22 characters of salt and 31 of the hash; `2a` and `2y` are the same algorithm.
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &[_, _, cost, rest] = parts.as_slice() else { return Err(damaged()) };
        let cost =
            number(cost).filter(|_| cost.len() == 2).filter(|cost| *cost >= COST_MIN).ok_or(damaged())?;
        let (salt, tag) = rest.split_at_checked(22).ok_or(damaged())?;
        let salt = bcrypt_base64(salt).ok_or(damaged())?;
        let tag = bcrypt_base64(tag).ok_or(damaged())?;
        if cost > COST_MAX {
            return Err(ImportedHashError::TooCostly("bcrypt", "the cost is at most 14"));
        }
        Ok(Self { cost, salt, tag, is_prehashed: false })
    }

    /// `bcrypt$` or `bcrypt_sha256$`, then the usual text.
    pub(super) fn of_django(text: &str) -> Parsed<Self> {
        let (scheme, rest) = text.split_once('$').ok_or(damaged())?;
        Ok(Self { is_prehashed: scheme == "bcrypt_sha256", ..Self::parse(rest)? })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new(Vec::with_capacity(2 * PASSWORD_OCTETS_MAX));
        if self.is_prehashed {
            key.extend_from_slice(HEXLOWER.encode(digest(&SHA256, password).as_ref()).as_bytes());
        } else if password.len() <= PASSWORD_OCTETS_MAX && !password.contains(&0) {
            key.extend_from_slice(password);
        } else {
            return false;
        }
        // The NUL that ends the text is part of the key, where there is room for it.
        key.push(0);
        key.truncate(PASSWORD_OCTETS_MAX);
        let computed = Zeroizing::new(bcrypt::bcrypt(self.cost, self.salt, &key));
        computed.get(..23).is_some_and(|tag| tag.ct_eq(&self.tag).into())
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.is_prehashed { "bcrypt-sha256" } else { "bcrypt" }
    }

    pub(super) fn cost(&self) -> u32 {
        self.cost
    }
}

fn damaged() -> ImportedHashError {
    ImportedHashError::Damaged("bcrypt")
}
