//! The compression function `G` of RFC 9106, for each processor, and which of them this one has.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(test)]
pub(crate) mod portable;

use crate::block::Block;

/// The compression function.
pub(crate) trait Compress {
    /// Writes `G(previous, reference)` to `into`, or adds it there (exclusive or) if `adds`. `ahead` gets the first word
    /// of the result as soon as it is known.
    fn compress(previous: &Block, reference: &Block, into: &mut Block, adds: bool, ahead: impl FnOnce(u64));

    /// Asks for a block that is needed soon. Any pointer will do: nothing is read.
    fn fetch(_block: *const Block) {}
}

/// What computes hashes on this processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Vectors of 512 bits.
    Avx512,
    /// Vectors of 256 bits.
    Avx2,
    /// The `argon2` crate.
    Library,
}

impl Kernel {
    /// What this processor has, the fastest first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        [Self::Avx512, Self::Avx2, Self::Library].into_iter().filter(|kernel| kernel.is_available())
    }

    fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            Self::Library => true,
        }
    }
}
