//! Vectors of 512 bits: the whole block is in registers.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_alignr_epi8, _mm512_load_si512, _mm512_mul_epu32,
    _mm512_permutex_epi64, _mm512_ror_epi64, _mm512_shuffle_i64x2, _mm512_store_si512, _mm512_xor_si512,
};

use super::compress::Compress;
use crate::block::Block;

/// Words of a vector.
const WIDTH: usize = 8;
/// Vectors of a block: two for each row.
const VECTORS: usize = Block::WORDS / WIDTH;

/// Proves that this processor has AVX-512 F and BW.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn detected() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")).then_some(Self(()))
    }
}

impl Compress for Avx512 {
    #[inline]
    fn compress(
        self,
        previous: &Block,
        reference: &Block,
        into: &mut Block,
        adds: bool,
        ahead: impl FnOnce(u64),
    ) {
        // SAFETY: there is a value only where the processor has AVX-512 F and BW.
        unsafe { compress(previous, reference, into, adds, ahead) }
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn compress(previous: &Block, reference: &Block, into: &mut Block, adds: bool, ahead: impl FnOnce(u64)) {
    let mut v: [__m512i; VECTORS] =
        std::array::from_fn(|at| _mm512_xor_si512(load(previous, at), load(reference, at)));
    // What the result is added to, in the place of the result: there are no registers left for it.
    for (at, vector) in v.iter().enumerate() {
        let kept = if adds { _mm512_xor_si512(*vector, load(into, at)) } else { *vector };
        store(into, at, kept);
    }
    for pair in 0..4 {
        rows(&mut v, 4 * pair);
    }
    columns(&mut v, 0);
    // The first word is among these columns.
    store(into, 0, _mm512_xor_si512(v[0], load(into, 0)));
    ahead(into.0[0]);
    columns(&mut v, 1);
    for (at, vector) in v.iter().enumerate().skip(1) {
        store(into, at, _mm512_xor_si512(*vector, load(into, at)));
    }
}

/// `P` on two rows at once, those of the four vectors from here on: half a vector is `a`, `b`, `c` or `d` of a row.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn rows(v: &mut [__m512i; VECTORS], at: usize) {
    let mut s = [
        _mm512_shuffle_i64x2::<0x44>(v[at], v[at + 2]),
        _mm512_shuffle_i64x2::<0xee>(v[at], v[at + 2]),
        _mm512_shuffle_i64x2::<0x44>(v[at + 1], v[at + 3]),
        _mm512_shuffle_i64x2::<0xee>(v[at + 1], v[at + 3]),
    ];
    mix(&mut s);
    s[1] = _mm512_permutex_epi64::<0b00_11_10_01>(s[1]);
    s[2] = _mm512_permutex_epi64::<0b01_00_11_10>(s[2]);
    s[3] = _mm512_permutex_epi64::<0b10_01_00_11>(s[3]);
    mix(&mut s);
    s[1] = _mm512_permutex_epi64::<0b10_01_00_11>(s[1]);
    s[2] = _mm512_permutex_epi64::<0b01_00_11_10>(s[2]);
    s[3] = _mm512_permutex_epi64::<0b00_11_10_01>(s[3]);
    v[at] = _mm512_shuffle_i64x2::<0x44>(s[0], s[1]);
    v[at + 1] = _mm512_shuffle_i64x2::<0x44>(s[2], s[3]);
    v[at + 2] = _mm512_shuffle_i64x2::<0xee>(s[0], s[1]);
    v[at + 3] = _mm512_shuffle_i64x2::<0xee>(s[2], s[3]);
}

/// `P` on four columns at once, those of the first or the second vector of each row: each 128 bits are half of `a`, `b`,
/// `c` or `d` of a column.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn columns(vectors: &mut [__m512i; VECTORS], half: usize) {
    let row = |number: usize| 2 * number + half;
    let mut even = [vectors[row(0)], vectors[row(2)], vectors[row(4)], vectors[row(6)]];
    let mut odd = [vectors[row(1)], vectors[row(3)], vectors[row(5)], vectors[row(7)]];
    mix(&mut even);
    mix(&mut odd);
    let b = [_mm512_alignr_epi8::<8>(odd[1], even[1]), _mm512_alignr_epi8::<8>(even[1], odd[1])];
    let d = [_mm512_alignr_epi8::<8>(even[3], odd[3]), _mm512_alignr_epi8::<8>(odd[3], even[3])];
    let mut left = [even[0], b[0], odd[2], d[0]];
    let mut right = [odd[0], b[1], even[2], d[1]];
    mix(&mut left);
    mix(&mut right);
    vectors[row(0)] = left[0];
    vectors[row(1)] = right[0];
    vectors[row(2)] = _mm512_alignr_epi8::<8>(left[1], right[1]);
    vectors[row(3)] = _mm512_alignr_epi8::<8>(right[1], left[1]);
    vectors[row(4)] = right[2];
    vectors[row(5)] = left[2];
    vectors[row(6)] = _mm512_alignr_epi8::<8>(right[3], left[3]);
    vectors[row(7)] = _mm512_alignr_epi8::<8>(left[3], right[3]);
}

/// `GB` of RFC 9106, on each word of `a`, `b`, `c` and `d`.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn mix(state: &mut [__m512i; 4]) {
    let [a, b, c, d] = state;
    *a = add(*a, *b);
    *d = _mm512_ror_epi64::<32>(_mm512_xor_si512(*d, *a));
    *c = add(*c, *d);
    *b = _mm512_ror_epi64::<24>(_mm512_xor_si512(*b, *c));
    *a = add(*a, *b);
    *d = _mm512_ror_epi64::<16>(_mm512_xor_si512(*d, *a));
    *c = add(*c, *d);
    *b = _mm512_ror_epi64::<63>(_mm512_xor_si512(*b, *c));
}

/// `x + y + 2 · low(x) · low(y)`.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn add(x: __m512i, y: __m512i) -> __m512i {
    let product = _mm512_mul_epu32(x, y);
    _mm512_add_epi64(_mm512_add_epi64(x, y), _mm512_add_epi64(product, product))
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn load(block: &Block, at: usize) -> __m512i {
    let words = &block.0[at * WIDTH..][..WIDTH];
    // SAFETY: these are 64 bytes, at a multiple of 64 of a block, which is aligned to 64.
    unsafe { _mm512_load_si512(words.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn store(block: &mut Block, at: usize, vector: __m512i) {
    let words = &mut block.0[at * WIDTH..][..WIDTH];
    // SAFETY: these are 64 bytes, at a multiple of 64 of a block, which is aligned to 64.
    unsafe { _mm512_store_si512(words.as_mut_ptr().cast(), vector) }
}
