//! At which places of a message three bytes side by side fit some of many classes.

use std::ops::ControlFlow;

/// Bytes side by side that are looked at.
pub(crate) const SIDE_BY_SIDE: usize = 3;
/// Sets that are told apart.
pub(crate) const SETS: usize = 8;

/// Up to eight sets of three classes side by side. Of a byte its halves are looked up one by one, so that a class lets
/// through more than its own bytes: what is found has to be looked at again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fitting {
    /// For each of the bytes and each lower and upper half, the sets that it fits.
    halves: [[[u8; 16]; 2]; SIDE_BY_SIDE],
}

impl Fitting {
    /// Adds a class to a set, for one of the bytes.
    pub(crate) fn add(&mut self, set: usize, place: usize, holds: impl Fn(u8) -> bool) {
        let [low, high] = &mut self.halves[place];
        for byte in (0..=u8::MAX).filter(|&byte| holds(byte)) {
            low[usize::from(byte % 16)] |= 1 << set;
            high[usize::from(byte / 16)] |= 1 << set;
        }
    }

    /// Whether a byte at one of the places fits a set.
    pub(crate) fn fits(&self, set: usize, place: usize, byte: u8) -> bool {
        self.sets_of(place, byte) >> set & 1 == 1
    }

    fn sets_of(&self, place: usize, byte: u8) -> u8 {
        let [low, high] = &self.halves[place];
        low[usize::from(byte % 16)] & high[usize::from(byte / 16)]
    }

    /// Calls `found` with the places of the first of three bytes that fit one of the wanted sets, from left to right,
    /// until it breaks.
    pub(crate) fn each(&self, wanted: u8, text: &[u8], found: impl FnMut(usize) -> ControlFlow<()>) -> ControlFlow<()> {
        #[cfg(target_arch = "x86_64")]
        if super::has_avx2() {
            // SAFETY: the processor has the instructions.
            return unsafe { avx2::each(self, wanted, text, found) };
        }
        self.each_plainly(wanted, text, found)
    }

    pub(super) fn each_plainly(
        &self,
        wanted: u8,
        text: &[u8],
        mut found: impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let fits = |bytes: &[u8; SIDE_BY_SIDE]| {
            bytes.iter().enumerate().fold(wanted, |sets, (place, &byte)| sets & self.sets_of(place, byte)) != 0
        };
        let places = text.windows(SIDE_BY_SIDE).enumerate().filter(|(_, bytes)| bytes.first_chunk().is_some_and(fits));
        places.map(|(at, _)| at).try_for_each(&mut found)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_srli_epi16,
    };
    use std::ops::ControlFlow;

    use super::super::registers::{BYTES, load, twice};
    use super::{Fitting, SIDE_BY_SIDE};

    /// Bytes that the places of a block reach over.
    const REACH: usize = BYTES + SIDE_BY_SIDE - 1;

    #[target_feature(enable = "avx2")]
    pub(super) fn each(
        fitting: &Fitting,
        wanted: u8,
        text: &[u8],
        mut found: impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(last) = text.len().checked_sub(REACH) else { return fitting.each_plainly(wanted, text, found) };
        let halves = fitting.halves.map(|halves| halves.map(|half| twice(&half)));
        let wanted = _mm256_set1_epi8(wanted.cast_signed());
        for start in (0..last + BYTES).step_by(BYTES) {
            // The last block ends with the text: its first places have been looked at.
            let from = start.min(last);
            let mut places = fits(&halves, wanted, &text[from..from + REACH]) & u32::MAX << (start - from);
            while places != 0 {
                found(from + places.trailing_zeros() as usize)?;
                places &= places - 1;
            }
        }
        ControlFlow::Continue(())
    }

    /// The places of a block, a bit for each.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn fits(halves: &[[__m256i; 2]; SIDE_BY_SIDE], wanted: __m256i, block: &[u8]) -> u32 {
        let low_half = _mm256_set1_epi8(15);
        let mut sets = wanted;
        for (place, [low, high]) in halves.iter().enumerate() {
            let bytes = load(block, place);
            let of_low = _mm256_shuffle_epi8(*low, _mm256_and_si256(bytes, low_half));
            let of_high = _mm256_shuffle_epi8(*high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), low_half));
            sets = _mm256_and_si256(sets, _mm256_and_si256(of_low, of_high));
        }
        let none = _mm256_cmpeq_epi8(sets, _mm256_setzero_si256());
        !_mm256_movemask_epi8(none).cast_unsigned()
    }
}
