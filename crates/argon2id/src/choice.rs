//! Which kernel is used.

use std::sync::OnceLock;

use argon2::Params;

use crate::TAG_LENGTH;
use crate::compute::compute;
use crate::kernel::Kernel;
use crate::memory::Memory;

/// The tag of `password` with the salt `somesalt`, 256 KiB and two passes, as the reference implementation publishes it.
const KNOWN: [u8; TAG_LENGTH] = [
    0x9d, 0xfe, 0xb9, 0x10, 0xe8, 0x0b, 0xad, 0x03, 0x11, 0xfe, 0xe2, 0x0f, 0x9c, 0x0e, 0x2b, 0x12, 0xc1,
    0x79, 0x87, 0xb4, 0xca, 0xc9, 0x0c, 0x2e, 0xf5, 0x4d, 0x5b, 0x30, 0x21, 0xc6, 0x8b, 0xfe,
];

impl Kernel {
    /// The fastest that this processor has and that reproduces a known hash.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<Kernel> = OnceLock::new();
        *CHOSEN.get_or_init(|| Self::first(reproduces_a_known_hash))
    }

    /// The fastest that is right; the library if none is.
    pub(crate) fn first(is_right: impl Fn(Self) -> bool) -> Self {
        Self::available().find(|kernel| is_right(*kernel)).unwrap_or(Self::Library)
    }

    /// Whether a kernel of this processor computed something else than the known hash, and is not used for that reason.
    pub fn is_distrusted() -> bool {
        Some(Self::chosen()) != Self::available().next()
    }

    /// What computes hashes of this form.
    pub(crate) fn of(params: &Params) -> Self {
        let is_usual = params.p_cost() == 1 && params.data().is_empty() && params.keyid().is_empty();
        if is_usual { Self::chosen() } else { Self::Library }
    }
}

/// Whether this kernel computes what it must.
pub(crate) fn reproduces_a_known_hash(kernel: Kernel) -> bool {
    let Ok(params) = Params::new(256, 2, 1, Some(TAG_LENGTH)) else { return false };
    let computed = compute(kernel, &mut Memory::default(), &params, b"password", b"somesalt");
    computed.is_ok_and(|tag| *tag == KNOWN)
}
