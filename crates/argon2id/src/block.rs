//! A block of memory.

/// 1 KiB, as 128 little-endian words: 8 rows of 8 pairs.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Block(pub(crate) [u64; Self::WORDS]);

impl Block {
    pub(crate) const BYTES: usize = 1024;
    pub(crate) const WORDS: usize = Self::BYTES / 8;
    pub(crate) const ZERO: Self = Self([0; Self::WORDS]);

    pub(crate) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let (words, _) = bytes.as_chunks();
        let mut block = Self::ZERO;
        for (word, bytes) in block.0.iter_mut().zip(words) {
            *word = u64::from_le_bytes(*bytes);
        }
        block
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (places, _) = bytes.as_chunks_mut();
        for (place, word) in places.iter_mut().zip(self.0) {
            *place = word.to_le_bytes();
        }
        bytes
    }
}
