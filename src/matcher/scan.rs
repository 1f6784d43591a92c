//! Which of many texts occur in a folded message: one pass whose cost hardly grows with their number.
//!
//! A few texts are looked for by a packed searcher. Many are sampled: of every text the hashes of a few windows of eight
//! (or four) bytes are marked in a bitmap, one window for each residue of its place modulo four, so that looking at every
//! fourth place of the message meets one of them wherever the text stands. What the bitmap lets through is compared as a
//! whole. Both find the same.

use std::collections::HashMap;

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use foldhash::fast::FixedState;

use crate::model::byte_bits;

/// More texts than this are sampled: the packed searcher slows down with each of them.
const PACKED: usize = 48;
/// Places of the message between two samples.
const STRIDE: usize = 4;
/// Bits of the bitmap for each marked window: most places of a message hit none of them.
const BITS_PER_WINDOW: usize = 24;
/// Bits of a bitmap that fits the fastest cache anyway.
const SMALL_BITMAP: usize = 1 << 17;
/// Places that are looked at before anything is decided.
const BATCH: usize = 8;
/// What a scan costs in nanoseconds whatever the length of the message.
const SCAN: usize = 60;
/// Bytes that the packed searcher looks at first.
const HEAD: usize = 4;

/// A number of a text: its place in the list that the set was made of.
pub(crate) type TextId = u32;

/// A set of folded texts, each looked for in one pass.
#[derive(Debug, Default)]
pub(crate) struct TextSet {
    texts: Vec<Box<[u8]>>,
    packed: Option<Packed>,
    long: Option<Sampled<8>>,
    short: Option<Sampled<4>>,
    /// Texts that are too short to be sampled, and too many to be packed.
    rest: Option<Automaton>,
}

impl TextSet {
    /// A set of distinct texts, none of them empty.
    pub(crate) fn new(texts: Vec<Box<[u8]>>) -> Self {
        let mut set = Self::default();
        let of_length = |least: usize, below: usize| -> Vec<TextId> {
            let ids = (0..).zip(&texts).filter(|(_, text)| (least..below).contains(&text.len()));
            ids.map(|(id, _)| id).collect()
        };
        if texts.len() <= PACKED {
            set.packed = Packed::new(&texts, of_length(1, usize::MAX));
        }
        if set.packed.is_none() {
            set.long = Sampled::new(&texts, &of_length(8 + STRIDE - 1, usize::MAX));
            set.short = Sampled::new(&texts, &of_length(4 + STRIDE - 1, 8 + STRIDE - 1));
            let rest = of_length(1, 4 + STRIDE - 1);
            if rest.len() <= PACKED {
                set.packed = Packed::new(&texts, rest.clone());
            }
            if set.packed.is_none() {
                set.rest = Automaton::new(&texts, rest);
            }
        }
        set.texts = texts;
        set
    }

    /// Calls `found` with each text that occurs, at least once and possibly more often.
    pub(crate) fn scan(&self, folded: &[u8], mut found: impl FnMut(TextId)) {
        if let Some(packed) = &self.packed {
            packed.scan(folded, &self.texts, &mut found);
        }
        match (&self.long, &self.short) {
            (Some(long), Some(short)) => sample::<true, true>(long, short, folded, &self.texts, &mut found),
            (Some(long), None) => sample::<true, false>(long, &Sampled::default(), folded, &self.texts, &mut found),
            (None, Some(short)) => sample::<false, true>(&Sampled::default(), short, folded, &self.texts, &mut found),
            (None, None) => {}
        }
        if let Some(rest) = &self.rest {
            rest.scan(folded, &mut found);
        }
    }

    /// What a scan of so many bytes costs in nanoseconds, roughly: it is weighed against trying patterns one by one.
    pub(crate) fn cost(&self, bytes: usize) -> usize {
        let sampled = self.long.is_some() || self.short.is_some() || self.rest.is_some();
        SCAN + if sampled { bytes / 2 } else { bytes / 6 }
    }

    /// Bytes of the set, as far as they are known.
    pub(crate) fn bytes(&self) -> usize {
        let texts: usize = self.texts.iter().map(|text| text.len() + size_of::<Box<[u8]>>()).sum();
        texts
            + self.packed.as_ref().map_or(0, |packed| packed.searcher.memory_usage())
            + self.long.as_ref().map_or(0, Sampled::bytes)
            + self.short.as_ref().map_or(0, Sampled::bytes)
            + self.rest.as_ref().map_or(0, |rest| rest.automaton.memory_usage())
    }
}

/// Words that every message holds: they tell nothing.
const COMMON_WORDS: [&[u8]; 24] = [
    b"a", b"and", b"are", b"at", b"be", b"by", b"could", b"error", b"failed", b"for", b"from", b"has", b"in", b"is",
    b"it", b"not", b"of", b"on", b"or", b"that", b"the", b"to", b"was", b"with",
];

/// How rarely messages hold parts of a text, roughly.
struct Surprise {
    /// For each byte what it tells, and whether it is a letter, of which those behind the first ones tell less.
    bytes: Vec<(f32, bool)>,
}

impl Surprise {
    fn new(text: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(text.len());
        for word in text.chunk_by(|a, b| a.is_ascii_lowercase() && b.is_ascii_lowercase()) {
            let is_letter = word.first().is_some_and(u8::is_ascii_lowercase);
            let is_common = is_letter && COMMON_WORDS.contains(&word);
            bytes.extend(word.iter().map(|&byte| match byte {
                b' ' => (0.5, false),
                _ if is_common => (0.1, false),
                _ if is_letter => (byte_bits(byte) / 8.0, true),
                _ => (byte_bits(byte) / 2.0, false),
            }));
        }
        Self { bytes }
    }

    /// What the bytes from a place on tell: the first letters of a word much, those behind them little.
    fn of(&self, at: usize, length: usize) -> f32 {
        const LETTERS: [f32; 8] = [4.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        let mut letters = 0;
        let bits = self.bytes.iter().skip(at).take(length).map(|&(bits, is_letter)| {
            letters = if is_letter { letters + 1 } else { 0 };
            bits + if is_letter { LETTERS[usize::min(letters, LETTERS.len()) - 1] } else { 0.0 }
        });
        bits.sum()
    }
}

/// Whether a text stands in the message around a part of it.
fn stands(folded: &[u8], text: &[u8], part_at: usize, part_of_text: usize) -> bool {
    let start = part_at.checked_sub(part_of_text);
    start.and_then(|start| folded.get(start..start + text.len())).is_some_and(|found| found == text)
}

/// A vectorized searcher for a few texts.
#[derive(Debug)]
struct Packed {
    searcher: packed::Searcher,
    /// For each text of the searcher, the texts of the set with the place at which they hold it.
    holders: Vec<Vec<(TextId, usize)>>,
}

impl Packed {
    /// `None` without texts, and where the machine has no vector instructions for it.
    fn new(texts: &[Box<[u8]>], ids: Vec<TextId>) -> Option<Self> {
        let mut parts: Vec<(&[u8], TextId, usize)> = Vec::new();
        for id in ids {
            let text = &texts[id as usize];
            let at = rarest_head(text);
            parts.push((&text[at..text.len().min(at + HEAD)], id, at));
        }
        parts.sort_unstable();
        // A text with a shorter one at its start would hide it, or be hidden: it is found with the shorter one.
        let mut heads: Vec<&[u8]> = Vec::new();
        let mut holders: Vec<Vec<(TextId, usize)>> = Vec::new();
        for (part, id, at) in parts {
            match (heads.last(), holders.last_mut()) {
                (Some(head), Some(ids)) if part.starts_with(head) => ids.push((id, at)),
                _ => {
                    heads.push(part);
                    holders.push(vec![(id, at)]);
                }
            }
        }
        if heads.is_empty() {
            return None;
        }
        Some(Self { searcher: packed::Searcher::new(heads)?, holders })
    }

    fn scan(&self, folded: &[u8], texts: &[Box<[u8]>], found: &mut impl FnMut(TextId)) {
        let mut at = 0;
        while let Some(hit) = self.searcher.find_in(folded, aho_corasick::Span { start: at, end: folded.len() }) {
            for &(id, part_of_text) in &self.holders[hit.pattern().as_usize()] {
                if stands(folded, &texts[id as usize], hit.start(), part_of_text) {
                    found(id);
                }
            }
            at = hit.start() + 1;
        }
    }
}

/// The place of the rarest bytes that the packed searcher could look at first.
fn rarest_head(text: &[u8]) -> usize {
    let surprise = Surprise::new(text);
    let bits = |at: usize| surprise.of(at, HEAD);
    let places = 0..=text.len().saturating_sub(HEAD);
    places.max_by(|&a, &b| bits(a).total_cmp(&bits(b))).unwrap_or_default()
}

/// Texts of which windows of `N` bytes are looked for at every fourth place.
#[derive(Debug, Default)]
struct Sampled<const N: usize> {
    /// One bit for each value of a window's hash.
    bitmap: Vec<u64>,
    /// Where the windows of each bucket end, and the bits that a hash is shifted by to be a bucket.
    ends: Vec<u32>,
    bucket_shift: u32,
    /// The windows with the text that holds them and their place in it, by hash.
    windows: Vec<(u64, TextId, u32)>,
}

impl<const N: usize> Sampled<N> {
    fn new(texts: &[Box<[u8]>], ids: &[TextId]) -> Option<Self> {
        if ids.is_empty() {
            return None;
        }
        let value = |text: &[u8], at: usize| window_value(&text[at..at + N]);
        let mut popularity: HashMap<u64, u32, FixedState> = HashMap::default();
        for &id in ids {
            let text = &texts[id as usize];
            for at in 0..=text.len() - N {
                *popularity.entry(value(text, at)).or_default() += 1;
            }
        }
        let mut marked: Vec<(u64, TextId, u32)> = Vec::with_capacity(ids.len() * STRIDE);
        for &id in ids {
            let text = &texts[id as usize];
            let surprise = Surprise::new(text);
            for residue in 0..STRIDE {
                let places = (residue..=text.len() - N).step_by(STRIDE);
                // A window that few texts share and that messages hold rarely.
                #[expect(clippy::cast_precision_loss, reason = "as many as there are texts")]
                let worth = |at: usize| {
                    let sharing = popularity.get(&value(text, at)).copied().unwrap_or_default();
                    surprise.of(at, N) - 2.0 * (sharing as f32).log2()
                };
                let best = places.max_by(|&a, &b| worth(a).total_cmp(&worth(b)));
                if let Some(at) = best {
                    marked.push((value(text, at), id, u32::try_from(at).unwrap_or(u32::MAX)));
                }
            }
        }
        marked.sort_unstable_by_key(|&(value, id, at)| (hash(value), id, at));
        let buckets = marked.len().next_power_of_two();
        let bucket_shift = u64::BITS - buckets.trailing_zeros().max(1);
        let bits = (marked.len() * 4 * BITS_PER_WINDOW).min(SMALL_BITMAP).max(marked.len() * BITS_PER_WINDOW);
        let bits = bits.next_power_of_two().max(1 << 12);
        let mut bitmap = vec![0; bits / 64];
        let mut ends = vec![0; buckets.max(2)];
        for &(value, ..) in &marked {
            let (word, bit) = place_of(value, bits / 64);
            bitmap[word] |= 1 << bit;
            ends[bucket_of(value, bucket_shift)] += 1;
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        Some(Self { bitmap, ends, bucket_shift, windows: marked })
    }

    /// Whether the bitmap lets a window through: one, or zero.
    fn passes(&self, value: u64) -> u64 {
        let (word, bit) = place_of(value, self.bitmap.len());
        self.bitmap.get(word).map_or(0, |word| word >> bit & 1)
    }

    /// What the bitmap let through: the window itself, then the texts around it.
    #[cold]
    fn verify(&self, value: u64, at: usize, folded: &[u8], texts: &[Box<[u8]>], found: &mut impl FnMut(TextId)) {
        let bucket = bucket_of(value, self.bucket_shift);
        let start = bucket.checked_sub(1).map_or(0, |before| self.ends[before]);
        for &(window, id, place) in &self.windows[start as usize..self.ends[bucket] as usize] {
            if window == value && stands(folded, &texts[id as usize], at, place as usize) {
                found(id);
            }
        }
    }

    fn bytes(&self) -> usize {
        self.bitmap.len() * 8 + self.ends.len() * 4 + self.windows.len() * 16
    }
}

/// Looks at every fourth place of a message for windows of eight bytes, of four bytes, or of both.
///
/// Places are looked at in batches: a branch for each of them would cost more than what it decides.
fn sample<const LONG: bool, const SHORT: bool>(
    long: &Sampled<8>,
    short: &Sampled<4>,
    folded: &[u8],
    texts: &[Box<[u8]>],
    found: &mut impl FnMut(TextId),
) {
    let mut start = 0;
    while let Some(batch) = folded[start..].first_chunk::<{ (BATCH + 1) * STRIDE }>() {
        let mut passed = 0;
        for place in 0..BATCH {
            let value = value_at(batch, place);
            if LONG {
                passed |= long.passes(value) << place;
            }
            if SHORT {
                passed |= short.passes(value & u64::from(u32::MAX)) << (BATCH + place);
            }
        }
        while passed != 0 {
            let number = passed.trailing_zeros() as usize;
            passed &= passed - 1;
            let (place, is_long) = (number % BATCH, number < BATCH);
            let (value, at) = (value_at(batch, place), start + place * STRIDE);
            if is_long {
                long.verify(value, at, folded, texts, found);
            } else {
                short.verify(value & u64::from(u32::MAX), at, folded, texts, found);
            }
        }
        start += BATCH * STRIDE;
    }
    for at in (start..folded.len()).step_by(STRIDE) {
        let window = |length: usize| folded.get(at..at + length).map(window_value);
        if LONG && let Some(value) = window(8).filter(|&value| long.passes(value) == 1) {
            long.verify(value, at, folded, texts, found);
        }
        if SHORT && let Some(value) = window(4).filter(|&value| short.passes(value) == 1) {
            short.verify(value, at, folded, texts, found);
        }
    }
}

/// The eight bytes at one of the places of a batch.
fn value_at(batch: &[u8; (BATCH + 1) * STRIDE], place: usize) -> u64 {
    batch[place * STRIDE..].first_chunk().map_or(0, |window| u64::from_le_bytes(*window))
}

fn window_value(window: &[u8]) -> u64 {
    window.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// The word and the bit of a window in a bitmap of so many words, a power of two.
fn place_of(value: u64, words: usize) -> (usize, u32) {
    let hash = hash(value) >> 32;
    ((hash >> 6) as usize & words.wrapping_sub(1), (hash % 64) as u32)
}

/// The bucket of a window.
fn bucket_of(value: u64, shift: u32) -> usize {
    usize::try_from(hash(value) >> shift).unwrap_or_default()
}

/// Fibonacci hashing: the upper half depends on all bytes of the window. Shifts by a constant cost less than others.
fn hash(value: u64) -> u64 {
    (value ^ value >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// An automaton over the texts that nothing else takes.
#[derive(Debug)]
struct Automaton {
    automaton: AhoCorasick,
    ids: Vec<TextId>,
}

impl Automaton {
    fn new(texts: &[Box<[u8]>], ids: Vec<TextId>) -> Option<Self> {
        let needles = ids.iter().map(|&id| &texts[id as usize]);
        let builder =
            AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::DFA)).build(needles);
        let automaton = builder.ok().filter(|_| !ids.is_empty())?;
        Some(Self { automaton, ids })
    }

    fn scan(&self, folded: &[u8], found: &mut impl FnMut(TextId)) {
        for hit in self.automaton.find_overlapping_iter(folded) {
            found(self.ids[hit.pattern().as_usize()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fastrand::Rng;

    use super::TextSet;

    /// Packed, sampled and automaton: each text that stands in the message is found, and no other.
    #[test]
    fn a_scan_finds_what_stands_there() {
        for seed in 0..300 {
            let mut rng = Rng::with_seed(seed);
            // Few letters, so that texts overlap, share windows and hold each other.
            let text = |rng: &mut Rng, longest: usize| -> Vec<u8> {
                (0..rng.usize(1..=longest)).map(|_| b"abcd "[rng.usize(..5)]).collect()
            };
            let count = [1, 8, 47, 48, 49, 400][rng.usize(..6)];
            let longest = [3, 8, 12, 40][rng.usize(..4)];
            let texts: BTreeSet<Vec<u8>> = (0..count).map(|_| text(&mut rng, longest)).collect();
            let texts: Vec<Box<[u8]>> = texts.into_iter().map(Vec::into_boxed_slice).collect();
            let set = TextSet::new(texts.clone());
            for _ in 0..20 {
                let mut message = text(&mut rng, 120);
                message.extend_from_slice(&texts[rng.usize(..texts.len())]);
                message.extend_from_slice(&text(&mut rng, 9));
                let mut found = BTreeSet::new();
                set.scan(&message, |id| {
                    found.insert(id as usize);
                });
                let stands = |id: &usize| message.windows(texts[*id].len()).any(|window| *window == *texts[*id]);
                assert_eq!(found, (0..texts.len()).filter(stands).collect(), "seed {seed}");
            }
        }
    }
}
