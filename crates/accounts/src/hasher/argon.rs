//! Argon2id (RFC 9106) in reused memory, reading and writing PHC strings.

use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Params, Version};
use subtle::ConstantTimeEq as _;
use vestibule_argon2id::TAG_LENGTH;
use zeroize::Zeroizing;

use super::foreign_time::{self, ForeignTime};
use crate::domain::password::Password;
use crate::env::Stopwatch;

/// The output of Argon2.
type Tag = Zeroizing<[u8; TAG_LENGTH]>;

/// Bounds for hashes made by other programs: a hash beyond them does not match, whatever the password.
const FOREIGN_MEMORY_KIB_MAX: u32 = 256 * 1024;
const FOREIGN_PASSES_MAX: u32 = 10;
const FOREIGN_LANES_MAX: u32 = 4;

/// A wait lasts at most this many times what computing would have taken, however long the last comparison was delayed.
const LONGEST_WAIT: u64 = 2;

/// The cost of a new hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    memory_kib: u32,
    passes: u32,
}

/// The memory of one thread. It grows to the largest hash and is freed when the thread is idle.
#[derive(Default)]
pub(super) struct Arena {
    memory: vestibule_argon2id::Arena,
    /// The work computed in it so far, or waited for instead, in KiB and passes.
    spent: u64,
    /// How long the last comparison took that found no match and cost one hash of the current recipe.
    usual: Duration,
}

impl Arena {
    /// Wipes the memory and returns it to the operating system.
    pub(super) fn release(&mut self) {
        self.memory.release();
    }

    /// The work done since the last call.
    pub(super) fn take_spent(&mut self) -> u64 {
        std::mem::take(&mut self.spent)
    }

    /// `None`: it cannot be computed.
    fn tag(&mut self, params: &Params, password: &Password, salt: &[u8]) -> Option<Tag> {
        self.spent += work(params.m_cost(), params.t_cost());
        self.memory.hash(params, password.expose().as_bytes(), salt).ok()
    }
}

impl Recipe {
    pub(crate) const fn new(memory_kib: u32, passes: u32) -> Self {
        Self { memory_kib, passes }
    }

    /// The work of one hash.
    pub(super) fn work(self) -> u64 {
        work(self.memory_kib, self.passes)
    }

    fn params(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, 1, Some(TAG_LENGTH))
    }

    /// The PHC string of `password`.
    pub(super) fn hash(self, arena: &mut Arena, password: &Password, salt: &[u8; 16]) -> Option<String> {
        let tag = arena.tag(&self.params().ok()?, password, salt)?;
        self.phc(salt, &tag)
    }

    /// The PHC string of a hash of this cost.
    pub(super) fn phc(self, salt: &[u8; 16], tag: &[u8; TAG_LENGTH]) -> Option<String> {
        let params = self.params().ok()?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(Output::new(tag).ok()?),
        };
        Some(hash.to_string())
    }

    /// Which of these PHC strings match `password`. Those with the same salt and cost are one computation. If none
    /// matches, at least the work of one hash of this recipe was done, so that neither their number nor their age shows
    /// (L1).
    pub(super) fn matches(self, arena: &mut Arena, password: &Password, hashes: &[String]) -> Compared {
        if let Ok(params) = self.params() {
            // Before the first hash, which may be a small one: fresh memory takes time, too.
            // What cannot be had is missed by the hash.
            let _ = arena.memory.reserve(&params);
        }
        let watch = Stopwatch::start();
        let mut computed: Vec<(Params, Salt, Option<Tag>)> = Vec::new();
        let mut foreign = Vec::new();
        let mut compare = |hash: &String| {
            let Some((params, salt, expected)) = parse(hash).filter(|(params, ..)| self.covers(params))
            else {
                return foreign_time::compare(password, hash, &mut foreign);
            };
            let known = computed.iter().position(|(cost, with, _)| *cost == params && *with == salt);
            let index = known.unwrap_or_else(|| {
                let tag = arena.tag(&params, password, salt.as_ref());
                computed.push((params, salt, tag));
                computed.len() - 1
            });
            let tag = computed.get(index).and_then(|(.., tag)| tag.as_ref());
            tag.is_some_and(|tag| tag.ct_eq(expected.as_ref()).into())
        };
        let matching: Vec<bool> = hashes.iter().map(&mut compare).collect();
        if !matching.contains(&true) {
            let spent: u64 = computed.iter().map(|(params, ..)| work(params.m_cost(), params.t_cost())).sum();
            if foreign.is_empty() {
                self.take_as_long_as_usual(arena, password, spent, watch);
            } else {
                // What the others took is beyond this: see `ForeignTimes`.
                self.waste(arena, password, self.work().saturating_sub(spent));
            }
        }
        Compared { matching, computed: computed.len().max(1), foreign }
    }

    /// Whether hashes of this cost are ours, and not another program's that takes longer.
    fn covers(self, params: &Params) -> bool {
        let is_cheaper = params.p_cost() == 1 && work(params.m_cost(), params.t_cost()) <= self.work();
        is_cheaper || !cfg!(feature = "import")
    }

    /// Whether a stored hash takes no longer than one of this recipe.
    #[cfg(feature = "import")]
    pub(super) fn covers_hash(self, hash: &str) -> bool {
        parse(hash).is_some_and(|(params, ..)| self.covers(&params))
    }

    /// Makes a comparison without a match, which did the work `spent`, take as long as one hash of this recipe.
    fn take_as_long_as_usual(self, arena: &mut Arena, password: &Password, spent: u64, watch: Stopwatch) {
        let is_usual = spent == 0 || spent == self.work();
        let difference = self.work().saturating_sub(spent);
        if is_usual || arena.usual.is_zero() {
            self.waste(arena, password, difference);
            if is_usual {
                arena.usual = watch.elapsed();
            }
            return;
        }
        // By the clock: little memory is faster than its share of the work, so computing the rest would show.
        arena.spent += difference;
        let share = self.work().div_ceil(spent.max(1)).saturating_mul(LONGEST_WAIT);
        let longest = watch.elapsed().saturating_mul(u32::try_from(share).unwrap_or(u32::MAX));
        // A sleeping thread would be slower afterwards.
        while watch.elapsed() < arena.usual.min(longest) {
            std::thread::yield_now();
        }
    }

    /// Computes this much work of hashes and discards the results.
    fn waste(self, arena: &mut Arena, password: &Password, kib_passes: u64) {
        let passes = u32::try_from(kib_passes.div_ceil(u64::from(self.memory_kib))).unwrap_or(u32::MAX);
        let Some(memory) = kib_passes.checked_div(u64::from(passes)) else { return };
        let memory = u32::try_from(memory).unwrap_or(u32::MAX).max(Params::MIN_M_COST);
        if let Ok(params) = Params::new(memory, passes, 1, Some(TAG_LENGTH)) {
            let _ = arena.tag(&params, password, b"vestibule: dummy");
        }
    }

    /// Whether `hash` was made with less memory or fewer passes, or by another program.
    pub(crate) fn is_stronger_than(self, hash: &str) -> bool {
        match parse(hash) {
            Some((params, ..)) => {
                params.m_cost() < self.memory_kib || params.t_cost() < self.passes || params.p_cost() != 1
            }
            None => true,
        }
    }
}

/// The result of a comparison.
pub(super) struct Compared {
    /// For each hash, whether it matches the password.
    pub(super) matching: Vec<bool>,
    /// How many hashes were computed.
    pub(super) computed: usize,
    /// Comparisons with hashes of other programs.
    pub(super) foreign: Vec<ForeignTime>,
}

/// The work of a hash: its time grows with it.
fn work(memory_kib: u32, passes: u32) -> u64 {
    u64::from(memory_kib) * u64::from(passes)
}

/// The parts of a PHC string; `None` if it is damaged or too expensive to compute: then it matches nothing (P5).
fn parse(hash: &str) -> Option<(Params, Salt, Output)> {
    let parsed = PasswordHash::new(hash).ok()?;
    let params = Params::try_from(&parsed).ok()?;
    let affordable = params.m_cost() <= FOREIGN_MEMORY_KIB_MAX
        && params.t_cost() <= FOREIGN_PASSES_MAX
        && params.p_cost() <= FOREIGN_LANES_MAX;
    let ours = parsed.algorithm == ARGON2ID_IDENT && parsed.version == Some(Version::V0x13.into());
    let output = parsed.hash.filter(|output| output.len() == TAG_LENGTH)?;
    (ours && affordable).then_some((params, parsed.salt?, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe::new(19_456, 2);

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    fn matches(arena: &mut Arena, password: &Password, hash: &str) -> bool {
        RECIPE.matches(arena, password, &[hash.to_owned()]).matching == [true]
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

    // Reused memory must give the same result as fresh memory.
    #[test]
    fn the_arena_leaves_no_trace() {
        let mut arena = Arena::default();
        let first = RECIPE.hash(&mut arena, &password("first-password"), &[1; 16]);
        let _ = RECIPE.hash(&mut arena, &password("second-password"), &[2; 16]);
        assert_eq!(first, RECIPE.hash(&mut arena, &password("first-password"), &[1; 16]));
        arena.release();
        assert_eq!(first, RECIPE.hash(&mut arena, &password("first-password"), &[1; 16]));
    }

    // L1: hashes with the same salt are one computation, whatever their number; damaged ones and none cost one as well.
    #[test]
    fn hashes_of_one_salt_are_computed_once() {
        let mut arena = Arena::default();
        let hashes: Vec<String> = ["first-password", "second-password", "third-password"]
            .iter()
            .map(|text| RECIPE.hash(&mut arena, &password(text), &[7; 16]).unwrap())
            .collect();
        let found = RECIPE.matches(&mut arena, &password("second-password"), &hashes);
        assert_eq!((found.matching, found.computed), (vec![false, true, false], 1));
        let found = RECIPE.matches(&mut arena, &password("fourth-password"), &hashes);
        assert_eq!((found.matching, found.computed), (vec![false; 3], 1));
        let other = RECIPE.hash(&mut arena, &password("first-password"), &[8; 16]).unwrap();
        let two = [hashes[0].clone(), other];
        assert_eq!(RECIPE.matches(&mut arena, &password("fourth-password"), &two).computed, 2);
        assert_eq!(RECIPE.matches(&mut arena, &password("fourth-password"), &[]).computed, 1);
    }

    // L1: the time does not reveal that a hash is an old, cheaper one.
    #[test]
    fn a_cheaper_hash_that_does_not_match_takes_as_long_as_a_usual_one() {
        let mut arena = Arena::default();
        let usual = RECIPE.hash(&mut arena, &password("first-password"), &[7; 16]).unwrap();
        let cheaper = Recipe::new(1024, 1).hash(&mut arena, &password("first-password"), &[7; 16]).unwrap();
        assert!(!matches(&mut arena, &password("second-password"), &cheaper));
        assert!(arena.usual.is_zero(), "it was computed to its end, and says nothing of a usual one");
        assert!(!matches(&mut arena, &password("second-password"), &usual));
        arena.usual /= 2;
        let (usual, watch) = (arena.usual, Stopwatch::start());
        arena.take_spent();
        assert!(!matches(&mut arena, &password("second-password"), &cheaper));
        assert!(watch.elapsed() >= usual && arena.usual == usual);
        assert_eq!(arena.take_spent(), RECIPE.work());
    }

    // P6: a comparison that was delayed or cost more does not delay the next ones.
    #[test]
    fn a_wait_is_bounded_whatever_came_before() {
        let mut arena = Arena::default();
        let recipe = Recipe::new(64, 1);
        let expensive = Recipe::new(128, 2).hash(&mut arena, &password("first-password"), &[7; 16]).unwrap();
        let cheaper = Recipe::new(32, 1).hash(&mut arena, &password("first-password"), &[7; 16]).unwrap();
        let wrong = password("second-password");
        assert!(!recipe.matches(&mut arena, &wrong, &[expensive]).matching[0]);
        assert!(arena.usual.is_zero(), "a more expensive hash says nothing of a usual one");
        arena.usual = Duration::from_hours(1);
        assert!(!recipe.matches(&mut arena, &wrong, &[cheaper]).matching[0]);
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
