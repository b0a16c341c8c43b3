//! Argon2id (RFC 9106), version 1.3, in the only form that stored passwords need: one lane, a tag of 32 bytes, no secret
//! and no associated data.
//!
//! Processors with AVX-512 or AVX2 run kernels of this crate, which compute the next address early and fetch its block
//! while the present one is finished. Every other processor, and every other form of Argon2id, is left to the `argon2`
//! crate. Before a kernel is used it must reproduce a known hash.
//!
//! `unsafe` is confined to this crate: vector instructions, and a mapping that the system may back with huge pages.

mod arena;
mod block;
mod choice;
mod compute;
mod digest;
mod fill;
mod kernel;
mod memory;

pub use arena::Arena;
pub use argon2::{Error, Params};
pub use kernel::Kernel;

/// The length of a tag, in bytes.
pub const TAG_LENGTH: usize = 32;

#[cfg(test)]
mod tests;
