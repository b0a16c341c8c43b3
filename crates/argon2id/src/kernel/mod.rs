//! The compression function `G` of RFC 9106, for each processor, and which of them this one has.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(test)]
pub(crate) mod portable;

use crate::block::Block;

/// Bytes that a processor fetches at a time.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// The compression function. A value proves that this processor can run it.
pub(crate) trait Compress: Copy {
    /// Writes `G(previous, reference)` to `into`, or adds it there (exclusive or) if `adds`. `ahead` gets the first word
    /// of the result as soon as it is known.
    fn compress(
        self,
        previous: &Block,
        reference: &Block,
        into: &mut Block,
        adds: bool,
        ahead: impl FnOnce(u64),
    );

    /// Asks for a block that is needed soon. Any pointer will do: nothing is read.
    #[inline]
    fn fetch(self, block: *const Block) {
        #[cfg(target_arch = "x86_64")]
        for line in 0..Block::BYTES / LINE {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a prefetch is a hint, which no address makes fault.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(block.cast::<i8>().wrapping_add(line * LINE)) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = block;
    }
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
            Self::Avx512 => avx512::Avx512::detected().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::Avx2::detected().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            Self::Library => true,
        }
    }
}
