//! Argon2 of every variant and version (RFC 9106), as a PHC string.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::error::{ImportedHashError, Parsed};

const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Memory times passes: four passes over the most memory take about a second.
const WORK_MAX: u64 = 1024 * 1024;
const LANES_MAX: u32 = 16;
/// A shorter tag is met by chance.
const TAG_OCTETS_MIN: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    tag: Output,
}

impl Argon2Hash {
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let parsed = PasswordHash::new(text).map_err(|_| damaged())?;
        let algorithm = Algorithm::new(parsed.algorithm).map_err(|_| damaged())?;
        // Without a version it is the first (the reference implementation).
        let version = Version::try_from(parsed.version.unwrap_or(0x10)).map_err(|_| damaged())?;
        let params = Params::try_from(&parsed).map_err(|_| damaged())?;
        let (Some(salt), Some(tag)) = (parsed.salt, parsed.hash) else { return Err(damaged()) };
        if tag.len() < TAG_OCTETS_MIN || !params.keyid().is_empty() {
            return Err(damaged());
        }
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        let is_affordable =
            params.m_cost() <= MEMORY_KIB_MAX && work <= WORK_MAX && params.p_cost() <= LANES_MAX;
        if !is_affordable {
            let most = "at most 256 MiB, 1 GiB over all passes, 16 lanes";
            return Err(ImportedHashError::TooCostly("Argon2", most));
        }
        Ok(Self { algorithm, version, params, salt, tag })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        let argon = Argon2::new(self.algorithm, self.version, self.params.clone());
        let computed = argon.hash_password_into(password, self.salt.as_ref(), &mut tag);
        computed.is_ok() && bool::from(tag.as_slice().ct_eq(self.tag.as_ref()))
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.algorithm {
            Algorithm::Argon2d => "argon2d",
            Algorithm::Argon2i => "argon2i",
            Algorithm::Argon2id => "argon2id",
        }
    }

    pub(super) fn cost(&self) -> String {
        let params = &self.params;
        format!("m={},t={},p={}", params.m_cost(), params.t_cost(), params.p_cost())
    }
}

fn damaged() -> ImportedHashError {
    ImportedHashError::Damaged("Argon2")
}
