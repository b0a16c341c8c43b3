//! The order in which memory is filled, and which blocks depend on which (RFC 9106, section 3.4), for one lane.

use crate::block::Block;
use crate::digest::TYPE;
use crate::kernel::compress::Compress;

/// Slices of a pass.
pub(crate) const SLICES: usize = 4;

/// Fills the memory, whose first two blocks are there, in all passes.
///
/// Its length is a multiple of four, and eight at least.
pub(crate) fn fill(kernel: impl Compress, memory: &mut [Block], passes: u32) {
    for pass in 0..passes {
        for slice in 0..SLICES {
            let segment = Segment { pass, slice, length: memory.len() / SLICES };
            if pass == 0 && slice < SLICES / 2 {
                segment.fill_independently(kernel, memory, passes);
            } else {
                segment.fill(kernel, memory);
            }
        }
    }
}

/// A slice of a pass.
#[derive(Clone, Copy)]
struct Segment {
    pass: u32,
    slice: usize,
    /// In blocks.
    length: usize,
}

impl Segment {
    /// Each block depends on one that the block before names: its address is known, and its block fetched, as soon as
    /// the first word of that block is.
    fn fill(self, kernel: impl Compress, memory: &mut [Block]) {
        let start = self.slice * self.length;
        let first_word = memory[before(start, memory.len())].0[0];
        let mut reference = self.reference(0, first_word);
        for index in 0..self.length {
            let current = start + index;
            let base = memory.as_ptr();
            let mut next = 0;
            self.compress(kernel, memory, current, reference, |word| {
                next = self.reference(index + 1, word);
                kernel.fetch(base.wrapping_add(next));
            });
            reference = next;
        }
    }

    /// The first half of the first pass: addresses depend on nothing secret, and are computed 128 at a time.
    fn fill_independently(self, kernel: impl Compress, memory: &mut [Block], passes: u32) {
        let mut input = Block::ZERO;
        let blocks = self.length * SLICES;
        let header =
            [u64::from(self.pass), 0, self.slice as u64, blocks as u64, u64::from(passes), u64::from(TYPE)];
        input.0[..header.len()].copy_from_slice(&header);
        // The first two blocks of all are there.
        let first = if self.slice == 0 { 2 } else { 0 };
        let mut addresses = Block::ZERO;
        for index in first..self.length {
            let place = index % Block::WORDS;
            if place == 0 || index == first {
                input.0[6] += 1;
                addresses = addresses_of(kernel, &input);
            }
            if let Some(following) = addresses.0.get(place + 1) {
                kernel.fetch(memory.as_ptr().wrapping_add(self.reference(index + 1, *following)));
            }
            let reference = self.reference(index, addresses.0[place]);
            self.compress(kernel, memory, self.slice * self.length + index, reference, |_| ());
        }
    }

    /// Computes the block `current`; from the second pass on, into what is there.
    fn compress(
        self,
        kernel: impl Compress,
        memory: &mut [Block],
        current: usize,
        reference: usize,
        ahead: impl FnOnce(u64),
    ) {
        let previous = before(current, memory.len());
        let blocks = memory.get_disjoint_mut([current, previous, reference]);
        let [into, previous, reference] =
            blocks.expect("a block refers neither to itself nor to the one before");
        kernel.compress(previous, reference, into, self.pass > 0, ahead);
    }

    /// The block that this random word names for the block at `index`: any that is finished in this pass or the one
    /// before, except the one just finished, the later the likelier.
    fn reference(self, index: usize, random: u64) -> usize {
        let blocks = self.length * SLICES;
        let finished = if self.pass == 0 { self.slice * self.length } else { blocks - self.length };
        let area = (finished + index - 1) as u64;
        let short = random & u64::from(u32::MAX);
        let from_end = (area * ((short * short) >> 32)) >> 32;
        let start = if self.pass == 0 { 0 } else { (self.slice + 1) * self.length };
        let place = start + usize::try_from(area - 1 - from_end).expect("no larger than the memory");
        place % blocks
    }
}

/// The place before this one, in a ring.
fn before(place: usize, length: usize) -> usize {
    place.checked_sub(1).unwrap_or(length - 1)
}

fn addresses_of(kernel: impl Compress, input: &Block) -> Block {
    let (mut once, mut twice) = (Block::ZERO, Block::ZERO);
    kernel.compress(&Block::ZERO, input, &mut once, false, |_| ());
    kernel.compress(&Block::ZERO, &once, &mut twice, false, |_| ());
    twice
}
