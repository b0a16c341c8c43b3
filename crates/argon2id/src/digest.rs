//! What Argon2 does with `BLAKE2b`: the seed, the first two blocks, and the tag (RFC 9106, sections 3.2 and 3.3).

use argon2::Params;
use blake2::{Blake2b256, Blake2b512, Digest as _};
use zeroize::Zeroizing;

use crate::TAG_LENGTH;
use crate::block::Block;

/// Version 1.3.
const VERSION: u32 = 0x13;
/// Argon2id.
pub(crate) const TYPE: u32 = 2;
/// `BLAKE2b` gives 64 bytes, of which a longer output takes the first half.
const HALF: usize = 32;

/// `H_0` of RFC 9106.
pub(crate) type Seed = Zeroizing<[u8; 64]>;

/// `None`: an input is longer than its length can say.
pub(crate) fn seed(params: &Params, password: &[u8], salt: &[u8]) -> Option<Seed> {
    let mut digest = Blake2b512::new();
    let tag_length = u32::try_from(TAG_LENGTH).ok()?;
    for number in [1, tag_length, params.m_cost(), params.t_cost(), VERSION, TYPE] {
        digest.update(number.to_le_bytes());
    }
    for input in [password, salt, &[], &[]] {
        digest.update(u32::try_from(input.len()).ok()?.to_le_bytes());
        digest.update(input);
    }
    Some(Zeroizing::new(digest.finalize().into()))
}

/// The block at this place, 0 or 1, of the only lane.
pub(crate) fn first_block(seed: &Seed, place: u32) -> Block {
    const LENGTH: [u8; 4] = 1024_u32.to_le_bytes();
    let mut bytes = Zeroizing::new([0; Block::BYTES]);
    let digest = Blake2b512::new().chain_update(LENGTH).chain_update(**seed);
    let mut last: Zeroizing<[u8; 64]> =
        Zeroizing::new(digest.chain_update(place.to_le_bytes()).chain_update([0; 4]).finalize().into());
    // Each 32 bytes are the first half of a digest of the digest before; the last digest is taken whole.
    let (places, _) = bytes.as_chunks_mut::<HALF>();
    let (end, halves) = places.split_at_mut(Block::BYTES / HALF - 2);
    for half in end {
        half.copy_from_slice(&last[..HALF]);
        *last = Blake2b512::digest(*last).into();
    }
    for (half, whole) in halves.iter_mut().zip(last.as_chunks::<HALF>().0) {
        *half = *whole;
    }
    Block::from_bytes(&bytes)
}

/// The tag, from the last block of the only lane.
pub(crate) fn tag(last: &Block) -> [u8; TAG_LENGTH] {
    const LENGTH: [u8; 4] = 32_u32.to_le_bytes();
    let bytes = Zeroizing::new(last.to_bytes());
    Blake2b256::new().chain_update(LENGTH).chain_update(*bytes).finalize().into()
}
