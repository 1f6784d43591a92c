//! At which places of a message a marked window stands, as far as a bitmap can tell.

/// Bytes from one place to the next.
pub(crate) const STRIDE: usize = 4;
/// Places that are looked at before anything is decided.
pub(crate) const PLACES: usize = 16;
/// Bytes of a window, short and long.
pub(crate) const SHORT: usize = 4;
pub(crate) const LONG: usize = 7;

/// Bytes that are looked at behind a long window.
pub(crate) const BEHIND: usize = 4;

/// Bytes from one block of places to the next, and those that the windows of a block reach over, with what is behind
/// them.
const BLOCK: usize = PLACES * STRIDE;
const REACH: usize = BLOCK - STRIDE + LONG + BEHIND;

/// Multipliers of the two halves of a window, of their sum, and of what is behind: odd, and as irregular as bits can be
/// (from the golden ratio and the square roots of two, three and five). The one of the second half is a byte higher up,
/// so that the byte behind a long window, the highest of the half, counts for nothing.
const FIRST: u32 = 0x9E37_79B1;
const SECOND: u32 = 0x6A09_E667 << 8;
const MIXED: u32 = 0xBB67_AE85;
const THIRD: u32 = 0x3C6E_F373;

/// Marked windows: two bits in one word for each of them, found by the hash of the window. The second one is that of the
/// bytes behind a long window, as far as its text has them: most windows that messages hold as well have others there.
#[derive(Debug)]
pub(crate) struct Marks {
    /// As many as a hash has values when it is shifted.
    words: Box<[u32]>,
    shift: u32,
    hashing: Hashing,
}

/// How windows are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashing {
    /// With multiplications of 32 bits, of which the processor does eight at once.
    Lanes,
    /// With one multiplication of 64 bits, where it is one window after the other.
    Single,
}

impl Marks {
    /// Nothing is marked; so many bits are wanted at least.
    pub(crate) fn new(bits: usize) -> Self {
        Self::hashed_by(if super::has_avx2() { Hashing::Lanes } else { Hashing::Single }, bits)
    }

    pub(super) fn hashed_by(hashing: Hashing, bits: usize) -> Self {
        let words = (bits / 32).next_power_of_two().clamp(1 << 7, 1 << 24);
        Self { words: vec![0; words].into_boxed_slice(), shift: u32::BITS - words.trailing_zeros(), hashing }
    }

    /// Marks a window with the bytes that are always behind it, if there are some; each given as a number, the first byte
    /// the lowest. Behind a short window nothing is looked at.
    pub(crate) fn mark(&mut self, window: u64, behind: Option<u32>) {
        let Hash { place, first, second, third } = self.hash(window, behind.unwrap_or_default());
        let other = if behind.is_some() { third } else { second };
        self.words[(place >> self.shift) as usize] |= 1 << (31 - first) | 1 << (31 - other);
    }

    fn hash(&self, window: u64, behind: u32) -> Hash {
        match self.hashing {
            Hashing::Lanes => in_lanes(window, behind),
            Hashing::Single => in_one(window),
        }
    }

    /// Whether a long window may be marked with what is behind it.
    #[cfg(test)]
    pub(super) fn may_hold(&self, window: u64, behind: u32) -> bool {
        self.has(self.hash(window, behind)) == 1
    }

    /// Whether a short window may be marked.
    #[cfg(test)]
    pub(super) fn may_hold_short(&self, window: u64) -> bool {
        self.has(self.hash(window, 0).short()) == 1
    }

    /// Whether a window with this hash may be marked: one, or zero.
    #[inline]
    fn has(&self, Hash { place, first, second, third }: Hash) -> u32 {
        let word = self.words.get((place >> self.shift) as usize).copied().unwrap_or_default();
        (word << first & (word << second | word << third)) >> 31
    }

    pub(crate) fn bytes(&self) -> usize {
        self.words.len() * 4
    }
}

/// What is known of a window: the word of its bits, told by the highest bits of `place`, and the bits, counted from the
/// highest: two of its own, and the one of what is behind it.
#[derive(Debug, Clone, Copy)]
struct Hash {
    place: u32,
    first: u32,
    second: u32,
    third: u32,
}

impl Hash {
    /// The same whatever is behind the window.
    #[inline]
    fn short(self) -> Self {
        Self { third: self.second, ..self }
    }
}

/// A window hashed by [`Hashing::Lanes`]; the upper half of a short one is zero.
#[expect(clippy::cast_possible_truncation, reason = "each half on its own")]
fn in_lanes(window: u64, behind: u32) -> Hash {
    let place = (window as u32).wrapping_mul(FIRST).wrapping_add(((window >> 32) as u32).wrapping_mul(SECOND));
    let mixed = place.wrapping_mul(MIXED);
    Hash { place, first: mixed >> 27, second: mixed >> 22 & 31, third: behind.wrapping_mul(THIRD) >> 27 }
}

/// A window hashed by [`Hashing::Single`]: all bits are the same one, since each shift counts here.
#[expect(clippy::cast_possible_truncation, reason = "the upper half, and bits of the lower one")]
fn in_one(window: u64) -> Hash {
    let hash = spread(window);
    let bit = hash as u32 >> 27;
    Hash { place: (hash >> 32) as u32, first: bit, second: bit, third: bit }
}

/// Fibonacci hashing of a window, of which the upper half depends on all bytes.
pub(crate) fn spread(window: u64) -> u64 {
    (window ^ window >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The bytes of a window as a number, the first one the lowest; none where a text has no room for it.
#[inline]
pub(crate) fn value_at<const N: usize>(text: &[u8], at: usize) -> Option<u64> {
    let rest = text.get(at..)?;
    // One load, where there are as many bytes as a number has.
    if let Some(bytes) = rest.first_chunk() {
        return Some(u64::from_le_bytes(*bytes) & bits_of(N));
    }
    let window: &[u8; N] = rest.first_chunk()?;
    let mut bytes = [0; size_of::<u64>()];
    bytes[..N].copy_from_slice(window);
    Some(u64::from_le_bytes(bytes))
}

/// The bits of so many bytes.
const fn bits_of(bytes: usize) -> u64 {
    u64::MAX >> (u64::BITS as usize - 8 * bytes)
}

/// The marks of both sizes, hashed alike; those of a size that nobody looks for are never asked.
pub(crate) struct Wanted<'m> {
    pub(crate) long: Option<&'m Marks>,
    pub(crate) short: Option<&'m Marks>,
}

impl Wanted<'_> {
    fn hashing(&self) -> Option<Hashing> {
        self.long.or(self.short).map(|marks| marks.hashing)
    }
}

/// Places of a block, a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hits {
    /// Where the block begins.
    pub(crate) start: usize,
    pub(crate) long: u32,
    pub(crate) short: u32,
}

/// Calls `found` for each block of places some of which may hold a marked window, from left to right.
pub(crate) fn each_hit(wanted: &Wanted<'_>, text: &[u8], found: impl FnMut(Hits)) {
    #[cfg(target_arch = "x86_64")]
    if super::has_avx2() && wanted.hashing() == Some(Hashing::Lanes) {
        // SAFETY: the processor has the instructions.
        return unsafe { avx2::each_hit(wanted, text, found) };
    }
    each_hit_plainly(wanted, text, found);
}

pub(super) fn each_hit_plainly(wanted: &Wanted<'_>, text: &[u8], found: impl FnMut(Hits)) {
    match wanted.hashing() {
        Some(Hashing::Lanes) => each_block(wanted, text, |wanted, block| look(wanted, block, in_lanes), found),
        Some(Hashing::Single) => {
            each_block(wanted, text, |wanted, block| look(wanted, block, |window, _| in_one(window)), found);
        }
        None => {}
    }
}

/// Goes through the blocks of a text with something that looks at one block.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it becomes part of a function with the instructions that `look` has")]
fn each_block(
    wanted: &Wanted<'_>,
    text: &[u8],
    look: impl Fn(&Wanted<'_>, &[u8; REACH]) -> [u32; 2],
    mut found: impl FnMut(Hits),
) {
    let mut start = 0;
    let mut report = |start: usize, [long, short]: [u32; 2]| {
        if long | short != 0 {
            found(Hits { start, long, short });
        }
    };
    while let Some(block) = text[start..].first_chunk() {
        report(start, look(wanted, block));
        start += BLOCK;
    }
    // The last block ends with the last window, as far as there is a whole block in front of that.
    let end = text.len() / STRIDE * STRIDE;
    while start < end {
        let from = start.min(end.saturating_sub(BLOCK));
        let rest = &text[from..text.len().min(from + REACH)];
        let mut block = [0; REACH];
        block[..rest.len()].copy_from_slice(rest);
        // Places that were not looked at yet and have room for a window.
        let new = |window: usize| {
            let places = (text.len() - from + STRIDE - window) / STRIDE;
            ((1 << places) - 1) & u32::MAX << ((start - from) / STRIDE)
        };
        let [long, short] = look(wanted, &block);
        report(from, [long & new(LONG), short & new(SHORT)]);
        start = from + BLOCK;
    }
}

/// Which windows of a block may be marked.
#[inline]
fn look(wanted: &Wanted<'_>, block: &[u8; REACH], hash: impl Fn(u64, u32) -> Hash) -> [u32; 2] {
    let mut hits = [0; 2];
    for place in 0..PLACES {
        let window = block[place * STRIDE..].first_chunk().map_or(0, |window| u64::from_le_bytes(*window));
        let behind = block[place * STRIDE + LONG..].first_chunk().map_or(0, |behind| u32::from_le_bytes(*behind));
        hits[0] |= wanted.long.map_or(0, |marks| marks.has(hash(window & bits_of(LONG), behind))) << place;
        let short = |marks: &Marks| marks.has(hash(window & bits_of(SHORT), 0).short());
        hits[1] |= wanted.short.map_or(0, short) << place;
    }
    hits
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_cvtsi32_si128, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_ps, _mm256_movemask_ps,
        _mm256_mullo_epi32, _mm256_or_si256, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_sllv_epi32, _mm256_srl_epi32,
        _mm256_srli_epi32, _mm256_storeu_si256,
    };

    use super::super::registers::load;
    use super::{FIRST, Hits, LONG, MIXED, Marks, PLACES, REACH, SECOND, STRIDE, THIRD, Wanted, each_block};

    /// Places in one register.
    const LANES: usize = 8;

    #[target_feature(enable = "avx2")]
    pub(crate) fn each_hit(wanted: &Wanted<'_>, text: &[u8], found: impl FnMut(Hits)) {
        each_block(wanted, text, |wanted, block| look(wanted, block), found);
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn look(wanted: &Wanted<'_>, block: &[u8; REACH]) -> [u32; 2] {
        let (mut long, mut short) = (0, 0);
        for half in 0..PLACES / LANES {
            let at = half * LANES * STRIDE;
            let first = _mm256_mullo_epi32(load(block, at), _mm256_set1_epi32(FIRST.cast_signed()));
            if let Some(marks) = wanted.long {
                let second = _mm256_mullo_epi32(load(block, at + STRIDE), _mm256_set1_epi32(SECOND.cast_signed()));
                let behind = _mm256_mullo_epi32(load(block, at + LONG), _mm256_set1_epi32(THIRD.cast_signed()));
                let behind = _mm256_srli_epi32::<27>(behind);
                long |= has(marks, _mm256_add_epi32(first, second), Some(behind)) << (half * LANES);
            }
            if let Some(marks) = wanted.short {
                short |= has(marks, first, None) << (half * LANES);
            }
        }
        [long, short]
    }

    /// [`Marks::has`] for eight hashes, a bit for each, with what tells the bytes behind long windows.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn has(marks: &Marks, hashes: __m256i, third: Option<__m256i>) -> u32 {
        let places = _mm256_srl_epi32(hashes, _mm_cvtsi32_si128(marks.shift.cast_signed()));
        // A gather does this in one instruction, and takes longer.
        let mut of_lane = [0_u32; LANES];
        // SAFETY: the array has the bytes of a register.
        unsafe { _mm256_storeu_si256(of_lane.as_mut_ptr().cast(), places) };
        // SAFETY: `Marks::new` makes as many words as a hash shifted by `shift` has values, so that each place is inside of
        // them.
        let word = |lane: usize| unsafe { marks.words.get_unchecked(of_lane[lane] as usize).cast_signed() };
        let words = _mm256_setr_epi32(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7));
        let mixed = _mm256_mullo_epi32(hashes, _mm256_set1_epi32(MIXED.cast_signed()));
        let first = _mm256_srli_epi32::<27>(mixed);
        let second = _mm256_and_si256(_mm256_srli_epi32::<22>(mixed), _mm256_set1_epi32(31));
        let mut other = _mm256_sllv_epi32(words, second);
        if let Some(third) = third {
            other = _mm256_or_si256(other, _mm256_sllv_epi32(words, third));
        }
        let both = _mm256_and_si256(_mm256_sllv_epi32(words, first), other);
        // The highest bit of each lane.
        _mm256_movemask_ps(_mm256_castsi256_ps(both)).cast_unsigned()
    }
}
