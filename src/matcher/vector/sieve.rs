//! Which of a few sets of bytes side by side may stand in a message: one pass that branches nowhere.

/// Bytes side by side that are looked at.
pub(crate) const SIDE_BY_SIDE: usize = 6;
/// Sets that are told apart.
pub(crate) const SETS: usize = 8;

/// Up to eight sets of bytes side by side. Only the lower half of a byte is looked at, which both cases of a letter share,
/// and each byte by itself: more passes than was added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bank {
    /// For each of the bytes and each lower half, the sets that have it there.
    tables: [[u8; 16]; SIDE_BY_SIDE],
}

/// What passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The sets of which something may stand in the message, a bit for each.
    pub(crate) sets: u8,
    /// Whether the message is ASCII; where it is not, its other bytes fit nothing.
    pub(crate) is_ascii: bool,
}

impl Bank {
    /// Adds bytes to a set; all of them are ASCII, others would never be found.
    pub(crate) fn add(&mut self, set: usize, bytes: [u8; SIDE_BY_SIDE]) {
        debug_assert!(bytes.is_ascii(), "{bytes:?}");
        for (table, byte) in self.tables.iter_mut().zip(bytes) {
            table[usize::from(byte % 16)] |= 1 << set;
        }
    }

    /// The sets of a message.
    pub(crate) fn pass(&self, text: &[u8]) -> Passed {
        #[cfg(target_arch = "x86_64")]
        if super::has_avx2() {
            // SAFETY: the processor has the instructions.
            return unsafe { avx2::pass(self, text) };
        }
        self.pass_plainly(text)
    }

    pub(super) fn pass_plainly(&self, text: &[u8]) -> Passed {
        let sets_of = |(table, &byte): (&[u8; 16], &u8)| if byte < 0x80 { table[usize::from(byte % 16)] } else { 0 };
        let sets = |bytes: &[u8]| self.tables.iter().zip(bytes).map(sets_of).fold(u8::MAX, |all, sets| all & sets);
        let sets = text.windows(SIDE_BY_SIDE).map(sets).fold(0, |any, sets| any | sets);
        Passed { sets, is_ascii: text.is_ascii() }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_shuffle_epi8, _mm256_storeu_si256,
    };

    use super::super::registers::{BYTES, load, twice};
    use super::{Bank, Passed, SIDE_BY_SIDE};

    /// Bytes that the places of a block reach over.
    const REACH: usize = BYTES + SIDE_BY_SIDE - 1;

    #[target_feature(enable = "avx2")]
    pub(super) fn pass(bank: &Bank, text: &[u8]) -> Passed {
        let Some(last) = text.last_chunk::<REACH>() else {
            // Filled up with bytes that fit nothing.
            let mut block = [u8::MAX; REACH];
            block[..text.len()].copy_from_slice(text);
            return Passed { is_ascii: text.is_ascii(), ..pass(bank, &block) };
        };
        let tables = bank.tables.map(|table| twice(&table));
        // The last block ends with the text, wherever the one before it ends.
        let mut any = fitting(&tables, last);
        let mut bytes = _mm256_or_si256(load(last, 0), load(last, SIDE_BY_SIDE - 1));
        let mut rest = text;
        while let Some(block) = rest.first_chunk::<REACH>() {
            any = _mm256_or_si256(any, fitting(&tables, block));
            bytes = _mm256_or_si256(bytes, load(block, 0));
            rest = &rest[BYTES..];
        }
        Passed { sets: any_byte(any), is_ascii: _mm256_movemask_epi8(bytes) == 0 }
    }

    /// The sets that each place of a block fits.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn fitting(tables: &[__m256i; SIDE_BY_SIDE], block: &[u8; REACH]) -> __m256i {
        let mut sets = _mm256_shuffle_epi8(tables[0], load(block, 0));
        for (place, table) in tables.iter().enumerate().skip(1) {
            // A byte whose highest bit is one gets nothing from a table.
            sets = _mm256_and_si256(sets, _mm256_shuffle_epi8(*table, load(block, place)));
        }
        sets
    }

    /// The bits that are set in any byte.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn any_byte(bytes: __m256i) -> u8 {
        let mut lanes = [0; BYTES];
        // SAFETY: as many bytes are written as the array has; the instruction wants no alignment.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), bytes) };
        lanes.iter().fold(0, |any, byte| any | byte)
    }
}
