//! Every kernel of this processor against the `argon2` crate, published hashes, and the standard's own description.

use argon2::{Algorithm, Argon2, Params, Version};
use proptest::prelude::*;

use crate::block::Block;
use crate::choice::reproduces_a_known_hash;
use crate::compute::compute;
use crate::digest::{first_block, seed, tag};
use crate::fill::fill;
use crate::kernel::compress::Compress;
use crate::kernel::portable::Portable;
use crate::memory::Memory;
use crate::{Arena, Kernel, TAG_LENGTH};

type Tag = [u8; TAG_LENGTH];

fn params(memory_kib: u32, passes: u32) -> Params {
    Params::new(memory_kib, passes, 1, Some(TAG_LENGTH)).unwrap()
}

fn by_library(params: &Params, password: &[u8], salt: &[u8]) -> Tag {
    let mut tag = Tag::default();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    argon2.hash_password_into(password, salt, &mut tag).unwrap();
    tag
}

/// With the compression function of the standard: what shows the order of blocks to be right on every processor.
fn by_description(params: &Params, password: &[u8], salt: &[u8]) -> Tag {
    let seed = seed(params, password, salt).unwrap();
    let mut memory = vec![Block::ZERO; params.block_count()];
    memory[0] = first_block(&seed, 0);
    memory[1] = first_block(&seed, 1);
    fill(Portable, &mut memory, params.t_cost());
    tag(memory.last().unwrap())
}

fn hexadecimal(tag: &Tag) -> String {
    data_encoding::HEXLOWER.encode(tag)
}

// Published by the reference implementation (phc-winner-argon2, src/test.c), for Argon2id 1.3 with one lane.
#[test]
fn published_hashes_are_reproduced() {
    for (memory_kib, passes, password, salt, expected) in [
        (
            65_536,
            2,
            "password",
            "somesalt",
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7",
        ),
        (256, 2, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        (
            65_536,
            1,
            "password",
            "somesalt",
            "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98",
        ),
        (
            65_536,
            4,
            "password",
            "somesalt",
            "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c",
        ),
        (
            65_536,
            2,
            "differentpassword",
            "somesalt",
            "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde",
        ),
        (
            65_536,
            2,
            "password",
            "diffsalt",
            "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c",
        ),
    ] {
        let params = params(memory_kib, passes);
        for kernel in Kernel::available() {
            let tag = compute(kernel, &mut Memory::default(), &params, password.as_bytes(), salt.as_bytes())
                .unwrap();
            assert_eq!(
                hexadecimal(&tag),
                expected,
                "{kernel:?}, {memory_kib} KiB, {passes} passes, {password}, {salt}"
            );
        }
    }
}

#[test]
fn a_kernel_that_computes_what_it_must_is_chosen() {
    assert_eq!(Some(Kernel::chosen()), Kernel::available().next());
    assert!(!Kernel::is_distrusted());
    for kernel in Kernel::available() {
        assert!(reproduces_a_known_hash(kernel), "{kernel:?}");
    }
}

#[test]
fn a_kernel_that_computes_something_else_is_not_used() {
    let fastest = Kernel::available().next().unwrap();
    let next = Kernel::available().nth(1).unwrap_or(Kernel::Library);
    assert_eq!(Kernel::first(|kernel| kernel != fastest), next);
    assert_eq!(Kernel::first(|_| false), Kernel::Library);
}

#[test]
fn kernels_compress_as_the_standard_describes() {
    let block = |seed: u64| {
        let mut state = seed;
        let mut word = || {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
        };
        Block(std::array::from_fn(|_| word()))
    };
    for seed in 0..50 {
        let (previous, reference, old) = (block(seed), block(seed + 100), block(seed + 200));
        for adds in [false, true] {
            let expected = compressed(Portable, &previous, &reference, &old, adds);
            #[cfg(target_arch = "x86_64")]
            for kernel in Kernel::available() {
                let compressed = match kernel {
                    Kernel::Avx512 => compressed(
                        crate::kernel::avx512::Avx512::detected().unwrap(),
                        &previous,
                        &reference,
                        &old,
                        adds,
                    ),
                    Kernel::Avx2 => compressed(
                        crate::kernel::avx2::Avx2::detected().unwrap(),
                        &previous,
                        &reference,
                        &old,
                        adds,
                    ),
                    Kernel::Library => continue,
                };
                assert_eq!(compressed, expected, "{kernel:?}");
            }
            assert_ne!(expected.0, old.0);
        }
    }
}

/// The block, which must begin with the word that was known ahead.
fn compressed(
    kernel: impl Compress,
    previous: &Block,
    reference: &Block,
    old: &Block,
    adds: bool,
) -> ([u64; Block::WORDS], u64) {
    let (mut into, mut first) = (*old, 0);
    kernel.compress(previous, reference, &mut into, adds, |word| first = word);
    assert_eq!(into.0[0], first);
    (into.0, first)
}

#[test]
fn memory_is_reused_grown_and_released() {
    let mut arena = Arena::default();
    let (small, large) = (params(64, 1), params(300, 2));
    let first = *arena.hash(&small, b"password", b"somesalt").unwrap();
    let second = *arena.hash(&large, b"password", b"somesalt").unwrap();
    for _ in 0..2 {
        assert_eq!(*arena.hash(&small, b"password", b"somesalt").unwrap(), first);
        assert_eq!(*arena.hash(&large, b"password", b"somesalt").unwrap(), second);
        arena.release();
    }
    arena.reserve(&large).unwrap();
    assert_eq!(*arena.hash(&small, b"password", b"somesalt").unwrap(), first);
}

#[test]
fn more_than_one_lane_is_left_to_the_library() {
    let two = Params::new(64, 2, 2, Some(TAG_LENGTH)).unwrap();
    assert_eq!(
        *Arena::default().hash(&two, b"password", b"somesalt").unwrap(),
        by_library(&two, b"password", b"somesalt")
    );
}

#[test]
fn a_salt_is_not_too_short() {
    let short = |kernel| compute(kernel, &mut Memory::default(), &params(64, 1), b"password", b"short12");
    for kernel in Kernel::available() {
        assert_eq!(short(kernel).unwrap_err(), argon2::Error::SaltTooShort, "{kernel:?}");
    }
}

proptest! {
    // `PROPTEST_CASES` sets a higher number: `cargo xtask bench argon2id`.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(1000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn kernels_agree_with_the_library(
        memory_kib in prop_oneof![9 => 8_u32..200, 1 => 200_u32..1025],
        passes in 1_u32..5,
        password in proptest::collection::vec(any::<u8>(), 0..200),
        salt in proptest::collection::vec(any::<u8>(), 8..70),
    ) {
        let params = params(memory_kib, passes);
        let expected = by_library(&params, &password, &salt);
        let mut memory = Memory::default();
        for kernel in Kernel::available() {
            let tag = compute(kernel, &mut memory, &params, &password, &salt).unwrap();
            prop_assert_eq!(*tag, expected, "{:?}", kernel);
        }
        if memory_kib < 64 {
            prop_assert_eq!(by_description(&params, &password, &salt), expected);
        }
    }
}
