//! scrypt (RFC 7914), as passlib, Django, Werkzeug and better-auth write it.

use scrypt::Params;
use subtle::ConstantTimeEq as _;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::encoding::{base64, hex, number};
use super::error::{ImportedHashError, Parsed};
use crate::domain::password::Password;

/// N·r·p: memory is at most 128 MiB, and time that of so many blocks.
const WORK_MAX: u64 = 1 << 20;
const TAG_OCTETS: std::ops::RangeInclusive<usize> = 16..=128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScryptHash {
    cost: Cost,
    salt: Vec<u8>,
    tag: Vec<u8>,
    /// better-auth hashes the NFKC form of a password.
    is_compatible_form: bool,
}

/// What scrypt costs: N is a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    log_n: u8,
    r: u32,
    p: u32,
}

impl Cost {
    pub(super) fn new(log_n: u32, r: u32, p: u32) -> Parsed<Self> {
        let blocks = 1_u64.checked_shl(log_n).filter(|n| *n > 1);
        let work = blocks
            .and_then(|n| n.checked_mul(u64::from(r)))
            .and_then(|work| work.checked_mul(u64::from(p)))
            .unwrap_or(u64::MAX);
        if r == 0 || p == 0 || log_n == 0 {
            return Err(damaged());
        }
        if work > WORK_MAX {
            return Err(ImportedHashError::TooCostly("scrypt", "N·r·p is at most 1 048 576"));
        }
        Ok(Self { log_n: u8::try_from(log_n).map_err(|_| damaged())?, r, p })
    }

    fn of_n(n: Option<u32>, r: Option<u32>, p: Option<u32>) -> Parsed<Self> {
        match (n, r, p) {
            (Some(n), Some(r), Some(p)) if n.is_power_of_two() => Self::new(n.ilog2(), r, p),
            _ => Err(damaged()),
        }
    }

    /// `None`: it cannot be computed.
    pub(super) fn derive(self, password: &[u8], salt: &[u8], octets: usize) -> Option<Zeroizing<Vec<u8>>> {
        let params = Params::new(self.log_n, self.r, self.p).ok()?;
        let mut key = Zeroizing::new(vec![0; octets]);
        scrypt::scrypt(password, salt, &params, &mut key).ok()?;
        Some(key)
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ln={},r={},p={}", self.log_n, self.r, self.p)
    }
}

impl ScryptHash {
    fn new(cost: Cost, salt: Vec<u8>, tag: Option<Vec<u8>>) -> Parsed<Self> {
        let tag = tag.filter(|tag| TAG_OCTETS.contains(&tag.len())).ok_or(damaged())?;
        Ok(Self { cost, salt, tag, is_compatible_form: false })
    }

    /// `$scrypt$ln=16,r=8,p=1$salt$hash`.
    pub(super) fn of_passlib(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &["", _, costs, salt, tag] = parts.as_slice() else { return Err(damaged()) };
        let costs: Vec<&str> = costs.split(',').collect();
        let &[n, r, p] = costs.as_slice() else { return Err(damaged()) };
        let value = |text: &str, name| text.strip_prefix(name).and_then(number).ok_or(damaged());
        let cost = Cost::new(value(n, "ln=")?, value(r, "r=")?, value(p, "p=")?)?;
        Self::new(cost, base64(salt).ok_or(damaged())?, base64(tag))
    }

    /// `scrypt$16384$salt$8$5$hash`; the salt is text.
    pub(super) fn of_django(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &[_, n, salt, r, p, tag] = parts.as_slice() else { return Err(damaged()) };
        Self::new(Cost::of_n(number(n), number(r), number(p))?, salt.as_bytes().to_vec(), base64(tag))
    }

    /// `scrypt:32768:8:1$salt$hash`; the salt is text, the hash hexadecimal.
    pub(super) fn of_werkzeug(text: &str) -> Parsed<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &[method, salt, tag] = parts.as_slice() else { return Err(damaged()) };
        let method: Vec<&str> = method.split(':').collect();
        let &[_, n, r, p] = method.as_slice() else { return Err(damaged()) };
        Self::new(Cost::of_n(number(n), number(r), number(p))?, salt.as_bytes().to_vec(), hex(tag))
    }

    /// `salt:hash`, both hexadecimal; the salt is the text itself.
    pub(super) fn of_better_auth(text: &str) -> Parsed<Self> {
        let (salt, tag) = text.split_once(':').ok_or(damaged())?;
        let hash = Self::new(Cost::new(14, 16, 1)?, salt.as_bytes().to_vec(), hex(tag))?;
        Ok(Self { is_compatible_form: true, ..hash })
    }

    pub(super) fn matches(&self, password: &Password) -> bool {
        let text = password.expose();
        let password =
            Zeroizing::new(if self.is_compatible_form { text.nfkc().collect() } else { text.to_owned() });
        let computed = self.cost.derive(password.as_bytes(), &self.salt, self.tag.len());
        computed.is_some_and(|tag| tag.as_slice().ct_eq(&self.tag).into())
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost
    }
}

/// 16 octets of salt and 64 of the hash.
pub(super) fn is_of_better_auth(text: &str) -> bool {
    text.split_once(':').is_some_and(|(salt, tag)| {
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        salt.len() == 32 && tag.len() == 128 && is_hex(salt) && is_hex(tag)
    })
}

fn damaged() -> ImportedHashError {
    ImportedHashError::Damaged("scrypt")
}
