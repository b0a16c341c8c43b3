//! Hashing in memory that is kept.

use argon2::{Error, Params};
use zeroize::Zeroizing;

use crate::TAG_LENGTH;
use crate::compute::compute;
use crate::kernel::Kernel;
use crate::memory::Memory;

/// The memory of one thread, for one hash after the other.
#[derive(Debug, Default)]
pub struct Arena(Memory);

impl Arena {
    /// Makes room for hashes of this cost, so that the first of them takes no longer than the next.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn reserve(&mut self, params: &Params) -> Result<(), Error> {
        match Kernel::of(params) {
            Kernel::Library => self.0.library_blocks(params).map(drop),
            Kernel::Avx512 | Kernel::Avx2 => self.0.blocks(params).map(drop),
        }
    }

    /// Wipes the memory and returns it to the system.
    pub fn release(&mut self) {
        self.0.release();
    }

    /// The tag of a password.
    ///
    /// # Errors
    /// As those of the `argon2` crate: the password or the salt is too long, the salt is shorter than 8 bytes, or there is
    /// not enough memory.
    pub fn hash(
        &mut self,
        params: &Params,
        password: &[u8],
        salt: &[u8],
    ) -> Result<Zeroizing<[u8; TAG_LENGTH]>, Error> {
        compute(Kernel::of(params), &mut self.0, params, password, salt)
    }
}
