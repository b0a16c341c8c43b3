//! The compression function as the standard describes it: what the others are compared with. No `unsafe`, so that Miri
//! and readers can follow it.

use super::compress::Compress;
use crate::block::Block;

#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Compress for Portable {
    fn compress(
        self,
        previous: &Block,
        reference: &Block,
        into: &mut Block,
        adds: bool,
        ahead: impl FnOnce(u64),
    ) {
        let mut mixed = *previous;
        mixed.0.iter_mut().zip(reference.0).for_each(|(word, other)| *word ^= other);
        let mut words = mixed.0;
        for row in 0..8 {
            permute(&mut words, std::array::from_fn(|place| 16 * row + place));
        }
        for column in 0..8 {
            permute(&mut words, std::array::from_fn(|place| 16 * (place / 2) + 2 * column + place % 2));
        }
        for ((into, word), mixed) in into.0.iter_mut().zip(words).zip(mixed.0) {
            *into = word ^ mixed ^ if adds { *into } else { 0 };
        }
        ahead(into.0[0]);
    }
}

/// `P` of RFC 9106, on the words at these places.
fn permute(words: &mut [u64; Block::WORDS], at: [usize; 16]) {
    for [a, b, c, d] in [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]] {
        mix(words, at[a], at[b], at[c], at[d]);
    }
    for [a, b, c, d] in [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] {
        mix(words, at[a], at[b], at[c], at[d]);
    }
}

/// `GB` of RFC 9106.
fn mix(words: &mut [u64; Block::WORDS], a: usize, b: usize, c: usize, d: usize) {
    for [first, second] in [[32, 24], [16, 63]] {
        words[a] = add(words[a], words[b]);
        words[d] = (words[d] ^ words[a]).rotate_right(first);
        words[c] = add(words[c], words[d]);
        words[b] = (words[b] ^ words[c]).rotate_right(second);
    }
}

fn add(x: u64, y: u64) -> u64 {
    let product = (x & 0xffff_ffff) * (y & 0xffff_ffff);
    x.wrapping_add(y).wrapping_add(product.wrapping_mul(2))
}
