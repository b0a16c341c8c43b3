//! One hash, with a given kernel.

use argon2::{Algorithm, Argon2, Error, Params, Version};
use zeroize::Zeroizing;

use crate::TAG_LENGTH;
use crate::digest::{first_block, seed, tag};
use crate::fill::fill;
use crate::kernel::Kernel;
#[cfg(target_arch = "x86_64")]
use crate::kernel::{avx2::Avx2, avx512::Avx512};
use crate::memory::Memory;

/// The output of Argon2id.
pub(crate) type Tag = Zeroizing<[u8; TAG_LENGTH]>;

pub(crate) fn compute(
    kernel: Kernel,
    memory: &mut Memory,
    params: &Params,
    password: &[u8],
    salt: &[u8],
) -> Result<Tag, Error> {
    if kernel == Kernel::Library {
        let mut tag = Tag::default();
        let blocks = memory.library_blocks(params)?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password, salt, &mut *tag, blocks)?;
        return Ok(tag);
    }
    if salt.len() < argon2::MIN_SALT_LEN {
        return Err(Error::SaltTooShort);
    }
    let seed = seed(params, password, salt).ok_or(Error::PwdTooLong)?;
    let memory = memory.blocks(params)?;
    memory[0] = first_block(&seed, 0);
    memory[1] = first_block(&seed, 1);
    let absent = || Error::AlgorithmInvalid;
    match kernel {
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 => fill(Avx512::detected().ok_or_else(absent)?, memory, params.t_cost()),
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => fill(Avx2::detected().ok_or_else(absent)?, memory, params.t_cost()),
        _ => return Err(absent()),
    }
    memory.last().map(|last| Zeroizing::new(tag(last))).ok_or(Error::OutOfMemory)
}
