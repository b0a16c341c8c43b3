//! The compression function `G` of RFC 9106, as a kernel offers it.

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
