//! The memory that hashes are computed in.

use argon2::{Error, Params};
use memmap2::MmapMut;
use zeroize::Zeroize as _;

use crate::block::Block;
use crate::fill::SLICES;

/// What the system backs with one page where it can: far fewer look-ups of addresses.
const HUGE_PAGE: usize = 2 * 1024 * 1024;

/// Memory that is kept for the next hash. It grows to the largest one.
///
/// It is a mapping of its own rather than memory of the allocator, so that nothing of it stays behind when it is
/// released.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    mapping: Option<MmapMut>,
    library: Vec<argon2::Block>,
}

impl Memory {
    /// Wipes the memory and returns it to the system.
    pub(crate) fn release(&mut self) {
        if let Some(mut mapping) = self.mapping.take() {
            mapping.zeroize();
        }
        self.library.iter_mut().for_each(argon2::Block::zeroize);
        self.library = Vec::new();
    }

    /// For the `argon2` crate.
    pub(crate) fn library_blocks(&mut self, params: &Params) -> Result<&mut [argon2::Block], Error> {
        let length = params.block_count();
        if self.library.len() < length {
            // Exactly as much as needed: doubling would cost as much again.
            self.library = Vec::new();
            self.library.try_reserve_exact(length).map_err(|_| Error::OutOfMemory)?;
            self.library.resize(length, argon2::Block::new());
        }
        self.library.get_mut(..length).ok_or(Error::OutOfMemory)
    }

    /// For a kernel.
    pub(crate) fn blocks(&mut self, params: &Params) -> Result<&mut [Block], Error> {
        let length = params.block_count() / SLICES * SLICES;
        let bytes = length * Block::BYTES;
        let needed = bytes + HUGE_PAGE;
        if self.mapping.as_ref().is_none_or(|mapping| mapping.len() < needed) {
            self.release();
            let mapping = MmapMut::map_anon(needed).map_err(|_| Error::OutOfMemory)?;
            // Without huge pages it is slower, and right.
            #[cfg(target_os = "linux")]
            if bytes >= HUGE_PAGE {
                let _ = mapping.advise(memmap2::Advice::HugePage);
            }
            self.mapping = Some(mapping);
        }
        let mapping = self.mapping.as_mut().ok_or(Error::OutOfMemory)?;
        let start = mapping.as_ptr().align_offset(HUGE_PAGE);
        let place = mapping.get_mut(start..start + bytes).ok_or(Error::OutOfMemory)?;
        // SAFETY: any bytes are words, and a block is nothing but words.
        let (before, blocks, after) = unsafe { place.align_to_mut::<Block>() };
        if before.is_empty() && after.is_empty() { Ok(blocks) } else { Err(Error::OutOfMemory) }
    }
}
