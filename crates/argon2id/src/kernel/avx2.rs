//! Vectors of 256 bits.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_alignr_epi8, _mm256_load_si256, _mm256_mul_epu32,
    _mm256_permute4x64_epi64, _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_shuffle_epi32, _mm256_srli_epi64,
    _mm256_store_si256, _mm256_xor_si256,
};

use super::compress::Compress;
use crate::block::Block;

/// Words of a vector.
const WIDTH: usize = 4;
/// Vectors of a block: four for each row.
const VECTORS: usize = Block::WORDS / WIDTH;

/// Proves that this processor has AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detected() -> Option<Self> {
        (is_x86_feature_detected!("avx2")).then_some(Self(()))
    }
}

impl Compress for Avx2 {
    #[inline]
    fn compress(
        self,
        previous: &Block,
        reference: &Block,
        into: &mut Block,
        adds: bool,
        ahead: impl FnOnce(u64),
    ) {
        // SAFETY: there is a value only where the processor has AVX2.
        unsafe { compress(previous, reference, into, adds, ahead) }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn compress(previous: &Block, reference: &Block, into: &mut Block, adds: bool, ahead: impl FnOnce(u64)) {
    let mut v: [__m256i; VECTORS] =
        std::array::from_fn(|at| _mm256_xor_si256(load(previous, at), load(reference, at)));
    // What the result is added to, in the place of the result.
    for (at, vector) in v.iter().enumerate() {
        let kept = if adds { _mm256_xor_si256(*vector, load(into, at)) } else { *vector };
        store(into, at, kept);
    }
    for pair in 0..4 {
        rows(&mut v, 8 * pair);
    }
    columns(&mut v, 0);
    // The first word is among these columns.
    store(into, 0, _mm256_xor_si256(v[0], load(into, 0)));
    ahead(into.0[0]);
    for quarter in 1..4 {
        columns(&mut v, quarter);
    }
    for (at, vector) in v.iter().enumerate().skip(1) {
        store(into, at, _mm256_xor_si256(*vector, load(into, at)));
    }
}

/// `P` on two rows, those of the eight vectors from here on: a vector is `a`, `b`, `c` or `d` of a row.
#[target_feature(enable = "avx2")]
#[inline]
fn rows(v: &mut [__m256i; VECTORS], at: usize) {
    let mut s = [v[at], v[at + 1], v[at + 2], v[at + 3]];
    let mut t = [v[at + 4], v[at + 5], v[at + 6], v[at + 7]];
    mix(&mut s, &mut t);
    for s in [&mut s, &mut t] {
        s[1] = _mm256_permute4x64_epi64::<0b00_11_10_01>(s[1]);
        s[2] = _mm256_permute4x64_epi64::<0b01_00_11_10>(s[2]);
        s[3] = _mm256_permute4x64_epi64::<0b10_01_00_11>(s[3]);
    }
    mix(&mut s, &mut t);
    for s in [&mut s, &mut t] {
        s[1] = _mm256_permute4x64_epi64::<0b10_01_00_11>(s[1]);
        s[2] = _mm256_permute4x64_epi64::<0b01_00_11_10>(s[2]);
        s[3] = _mm256_permute4x64_epi64::<0b00_11_10_01>(s[3]);
    }
    v[at..at + 4].copy_from_slice(&s);
    v[at + 4..at + 8].copy_from_slice(&t);
}

/// `P` on two columns, those of this quarter of each row: each 128 bits are half of `a`, `b`, `c` or `d` of a column.
#[target_feature(enable = "avx2")]
#[inline]
fn columns(vectors: &mut [__m256i; VECTORS], quarter: usize) {
    let row = |number: usize| 4 * number + quarter;
    let mut even = [vectors[row(0)], vectors[row(2)], vectors[row(4)], vectors[row(6)]];
    let mut odd = [vectors[row(1)], vectors[row(3)], vectors[row(5)], vectors[row(7)]];
    mix(&mut even, &mut odd);
    let b = [_mm256_alignr_epi8::<8>(odd[1], even[1]), _mm256_alignr_epi8::<8>(even[1], odd[1])];
    let d = [_mm256_alignr_epi8::<8>(even[3], odd[3]), _mm256_alignr_epi8::<8>(odd[3], even[3])];
    let mut left = [even[0], b[0], odd[2], d[0]];
    let mut right = [odd[0], b[1], even[2], d[1]];
    mix(&mut left, &mut right);
    vectors[row(0)] = left[0];
    vectors[row(1)] = right[0];
    vectors[row(2)] = _mm256_alignr_epi8::<8>(left[1], right[1]);
    vectors[row(3)] = _mm256_alignr_epi8::<8>(right[1], left[1]);
    vectors[row(4)] = right[2];
    vectors[row(5)] = left[2];
    vectors[row(6)] = _mm256_alignr_epi8::<8>(right[3], left[3]);
    vectors[row(7)] = _mm256_alignr_epi8::<8>(left[3], right[3]);
}

/// `GB` of RFC 9106, on each word of `a`, `b`, `c` and `d`, for two that depend on each other in nothing.
#[target_feature(enable = "avx2")]
#[inline]
fn mix(first: &mut [__m256i; 4], second: &mut [__m256i; 4]) {
    for [a, b, c, d] in [first, second] {
        *a = add(*a, *b);
        *d = _mm256_shuffle_epi32::<0b10_11_00_01>(_mm256_xor_si256(*d, *a));
        *c = add(*c, *d);
        *b = _mm256_shuffle_epi8(_mm256_xor_si256(*b, *c), right_by_24());
        *a = add(*a, *b);
        *d = _mm256_shuffle_epi8(_mm256_xor_si256(*d, *a), right_by_16());
        *c = add(*c, *d);
        let turned = _mm256_xor_si256(*b, *c);
        // Right by 63 is left by 1.
        *b = _mm256_xor_si256(_mm256_srli_epi64::<63>(turned), _mm256_add_epi64(turned, turned));
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn right_by_24() -> __m256i {
    _mm256_setr_epi8(
        3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8,
        9, 10,
    )
}

#[target_feature(enable = "avx2")]
#[inline]
fn right_by_16() -> __m256i {
    _mm256_setr_epi8(
        2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15,
        8, 9,
    )
}

/// `x + y + 2 · low(x) · low(y)`.
#[target_feature(enable = "avx2")]
#[inline]
fn add(x: __m256i, y: __m256i) -> __m256i {
    let product = _mm256_mul_epu32(x, y);
    _mm256_add_epi64(_mm256_add_epi64(x, y), _mm256_add_epi64(product, product))
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(block: &Block, at: usize) -> __m256i {
    let words = &block.0[at * WIDTH..][..WIDTH];
    // SAFETY: these are 32 bytes, at a multiple of 32 of a block, which is aligned to 64.
    unsafe { _mm256_load_si256(words.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(block: &mut Block, at: usize, vector: __m256i) {
    let words = &mut block.0[at * WIDTH..][..WIDTH];
    // SAFETY: these are 32 bytes, at a multiple of 32 of a block, which is aligned to 64.
    unsafe { _mm256_store_si256(words.as_mut_ptr().cast(), vector) }
}
