//! Argon2id (RFC 9106) in reused memory, in and out of PHC strings.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::Password;

const TAG_OCTETS: usize = 32;
/// Bounds for hashes that were made elsewhere: beyond them a hash does not match, whatever the password.
const FOREIGN_MEMORY_KIB_MAX: u32 = 256 * 1024;
const FOREIGN_PASSES_MAX: u32 = 10;
const FOREIGN_LANES_MAX: u32 = 4;

/// What a new hash costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    memory_kib: u32,
    passes: u32,
}

/// The memory of one thread. It grows to the largest hash and is given back when the thread has nothing to do.
#[derive(Default)]
pub(super) struct Arena(Vec<Block>);

impl Arena {
    /// Wipes the memory and returns it to the operating system.
    pub(super) fn release(&mut self) {
        self.0.iter_mut().for_each(Block::zeroize);
        self.0 = Vec::new();
    }

    fn compute(
        &mut self,
        params: Params,
        password: &[u8],
        salt: &[u8],
        tag: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let blocks = params.block_count();
        if self.0.len() < blocks {
            // Exactly as much as is needed: doubling would cost another 19 MiB.
            self.0 = Vec::new();
            self.0.reserve_exact(blocks);
            self.0.resize(blocks, Block::default());
        }
        let memory = self.0.get_mut(..blocks).ok_or(argon2::Error::OutOfMemory)?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password, salt, tag, memory)
    }
}

impl Recipe {
    pub(crate) const fn new(memory_kib: u32, passes: u32) -> Self {
        Self { memory_kib, passes }
    }

    fn params(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, 1, Some(TAG_OCTETS))
    }

    /// The PHC string of `password`.
    pub(super) fn hash(self, arena: &mut Arena, password: &Password, salt: &[u8; 16]) -> Option<String> {
        let params = self.params().ok()?;
        let mut tag = [0; TAG_OCTETS];
        arena.compute(params.clone(), password.expose().as_bytes(), salt, &mut tag).ok()?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(Output::new(&tag).ok()?),
        };
        tag.zeroize();
        Some(hash.to_string())
    }

    /// Computes a hash whose result nobody needs: as much work as for an account that exists.
    pub(super) fn waste(self, arena: &mut Arena, password: &Password) {
        if let Ok(params) = self.params() {
            let mut tag = [0; TAG_OCTETS];
            let _ = arena.compute(params, password.expose().as_bytes(), b"vestibule: dummy", &mut tag);
        }
    }

    /// Whether `hash` was made with less memory or fewer passes.
    pub(crate) fn is_stronger_than(self, hash: &str) -> bool {
        match parse(hash) {
            Some((params, ..)) => params.m_cost() < self.memory_kib || params.t_cost() < self.passes,
            None => true,
        }
    }
}

/// Whether `hash` is the PHC string of `password`. A string that is damaged, or too dear to compute, is not (P5).
pub(super) fn matches(arena: &mut Arena, password: &Password, hash: &str) -> bool {
    let Some((params, salt, expected)) = parse(hash) else { return false };
    let mut tag = [0; TAG_OCTETS];
    let computed = arena.compute(params, password.expose().as_bytes(), salt.as_ref(), &mut tag).is_ok();
    let equal: bool = tag.ct_eq(expected.as_ref()).into();
    tag.zeroize();
    computed && equal
}

fn parse(hash: &str) -> Option<(Params, Salt, Output)> {
    let parsed = PasswordHash::new(hash).ok()?;
    let params = Params::try_from(&parsed).ok()?;
    let affordable = params.m_cost() <= FOREIGN_MEMORY_KIB_MAX
        && params.t_cost() <= FOREIGN_PASSES_MAX
        && params.p_cost() <= FOREIGN_LANES_MAX;
    let ours = parsed.algorithm == ARGON2ID_IDENT && parsed.version == Some(Version::V0x13.into());
    let output = parsed.hash.filter(|output| output.len() == TAG_OCTETS)?;
    (ours && affordable).then_some((params, parsed.salt?, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe::new(19_456, 2);

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    #[test]
    fn a_hash_matches_its_password_only() {
        let mut arena = Arena::default();
        let hash = RECIPE.hash(&mut arena, &password("violet-otter-maps"), &[7; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches(&mut arena, &password("violet-otter-maps"), &hash));
        assert!(!matches(&mut arena, &password("violet-otter-mapS"), &hash));
        assert!(!RECIPE.is_stronger_than(&hash));
        assert!(Recipe::new(47_104, 2).is_stronger_than(&hash));
    }

    // The reused memory must not change the result: the same as with fresh memory.
    #[test]
    fn the_arena_leaves_no_trace() {
        let mut arena = Arena::default();
        let first = RECIPE.hash(&mut arena, &password("first-password"), &[1; 16]);
        let _ = RECIPE.hash(&mut arena, &password("second-password"), &[2; 16]);
        assert_eq!(first, RECIPE.hash(&mut arena, &password("first-password"), &[1; 16]));
        arena.release();
        assert_eq!(first, RECIPE.hash(&mut arena, &password("first-password"), &[1; 16]));
    }

    // P5: a damaged or hostile string is a failed sign-in, not a panic and not a gigabyte.
    #[test]
    fn damaged_hashes_match_nothing() {
        let mut arena = Arena::default();
        let good = RECIPE.hash(&mut arena, &password("violet-otter-maps"), &[7; 16]).unwrap();
        let damaged = [
            "",
            "$",
            "plain text",
            "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            &good.replace("argon2id", "argon2d"),
            &good.replace("v=19", "v=16"),
            &good.replace("p=1", "p=0"),
            &good[..good.len() - 8],
        ];
        for hash in damaged {
            assert!(!matches(&mut arena, &password("violet-otter-maps"), hash), "{hash}");
        }
    }
}
