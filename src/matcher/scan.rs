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
const BITS_PER_WINDOW: usize = 16;
/// What a scan costs in nanoseconds whatever the length of the message.
const SCAN: usize = 100;
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
        if let Some(long) = &self.long {
            long.scan(folded, &self.texts, &mut found);
        }
        if let Some(short) = &self.short {
            short.scan(folded, &self.texts, &mut found);
        }
        if let Some(rest) = &self.rest {
            rest.scan(folded, &mut found);
        }
    }

    /// What a scan of so many bytes costs in nanoseconds, roughly: it is weighed against trying patterns one by one.
    pub(crate) fn cost(&self, bytes: usize) -> usize {
        let sampled = self.long.is_some() || self.short.is_some() || self.rest.is_some();
        SCAN + if sampled { bytes } else { bytes / 2 }
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
    let bits = |at: usize| text[at..text.len().min(at + HEAD)].iter().map(|&b| byte_bits(b)).sum::<f32>();
    let places = 0..=text.len().saturating_sub(HEAD);
    places.max_by(|&a, &b| bits(a).total_cmp(&bits(b))).unwrap_or_default()
}

/// Texts of which windows of `N` bytes are looked for at every fourth place.
#[derive(Debug)]
struct Sampled<const N: usize> {
    /// One bit for each value of a window's hash.
    bitmap: Vec<u64>,
    /// Bits that a hash is shifted by to be a place in the bitmap.
    shift: u32,
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
        let value = |text: &[u8], at: usize| window_value::<N>(&text[at..at + N]);
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
            for residue in 0..STRIDE {
                let places = (residue..=text.len() - N).step_by(STRIDE);
                let bits = |at: usize| text[at..at + N].iter().map(|&b| byte_bits(b)).sum::<f32>();
                // The window that the fewest texts share; of equals the one that messages hold most rarely.
                let best = places.min_by(|&a, &b| {
                    let count = |at: usize| popularity.get(&value(text, at)).copied();
                    count(a).cmp(&count(b)).then_with(|| bits(b).total_cmp(&bits(a)))
                });
                if let Some(at) = best {
                    marked.push((value(text, at), id, u32::try_from(at).unwrap_or(u32::MAX)));
                }
            }
        }
        marked.sort_unstable_by_key(|&(value, id, at)| (hash(value), id, at));
        let buckets = marked.len().next_power_of_two();
        let bucket_shift = u64::BITS - buckets.trailing_zeros().max(1);
        let bits = (marked.len() * BITS_PER_WINDOW).next_power_of_two().max(1 << 12);
        let shift = u64::BITS - bits.trailing_zeros();
        let mut bitmap = vec![0; bits / 64];
        let mut ends = vec![0; buckets.max(2)];
        for &(value, ..) in &marked {
            let place = hash(value) >> shift;
            bitmap[(place / 64) as usize] |= 1 << (place % 64);
            ends[bucket_of(value, bucket_shift)] += 1;
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        Some(Self { bitmap, shift, ends, bucket_shift, windows: marked })
    }

    fn scan(&self, folded: &[u8], texts: &[Box<[u8]>], found: &mut impl FnMut(TextId)) {
        let (chunks, _) = folded.as_chunks::<STRIDE>();
        let mut before = 0_u32;
        let chunks_of_window = N / STRIDE;
        for (index, &chunk) in chunks.iter().enumerate() {
            let now = u32::from_le_bytes(chunk);
            let value = if N == 8 { u64::from(before) | u64::from(now) << 32 } else { u64::from(now) };
            before = now;
            let place = hash(value) >> self.shift;
            if self.bitmap[(place / 64) as usize] & 1 << (place % 64) != 0 && index + 1 >= chunks_of_window {
                self.verify(value, (index + 1 - chunks_of_window) * STRIDE, folded, texts, found);
            }
        }
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

fn window_value<const N: usize>(window: &[u8]) -> u64 {
    window.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// The bucket of a window.
fn bucket_of(value: u64, shift: u32) -> usize {
    usize::try_from(hash(value) >> shift).unwrap_or_default()
}

/// Fibonacci hashing: the high bits depend on all bytes of the window.
fn hash(value: u64) -> u64 {
    (value ^ value >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15)
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
