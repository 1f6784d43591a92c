//! Which of many texts occur in a folded message: one pass whose cost hardly grows with their number.
//!
//! A few texts are looked for by a packed searcher. Many are sampled: of every text the hashes of a few windows of seven
//! (or four) bytes are marked in a bitmap, one window for each residue of its place modulo four, so that looking at every
//! fourth place of the message meets one of them wherever the text stands. What the bitmap lets through is compared as a
//! whole. Both find the same.

use std::collections::HashMap;

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use foldhash::fast::FixedState;

use crate::model::byte_bits;

use super::runs::each_bit;
use super::vector::has_avx2;
use super::vector::windows::{self, BEHIND, LONG, Marks, SHORT, STRIDE, Wanted, spread, value_at};

/// Texts of a packed searcher at most: it slows down with each of them.
const PACKED: usize = 48;
/// From so many texts on sampling is faster, where it has vector code.
const SAMPLED: usize = 13;
/// Bits of the bitmap for each mark: most places of a message hit none of them.
const BITS_PER_MARK: usize = 32;
/// Bits of a bitmap that fits the fastest cache anyway.
const SMALL_BITMAP: usize = 1 << 18;
/// What the bytes behind a window tell, in bits: each mark has one bit of 32 for them.
const TOLD_BEHIND: f32 = 5.0;
/// What a scan costs in nanoseconds whatever the length of the message.
const SCAN: usize = 200;
/// Bytes that the packed searcher looks at first.
const HEAD: usize = 4;

/// A number of a text: its place in the list that the set was made of.
pub(crate) type TextId = u32;

/// A set of folded texts, each looked for in one pass.
#[derive(Debug, Default)]
pub(crate) struct TextSet {
    texts: Vec<Box<[u8]>>,
    packed: Option<Packed>,
    long: Option<Sampled<LONG>>,
    short: Option<Sampled<SHORT>>,
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
        if texts.len() <= PACKED && (texts.len() < SAMPLED || !has_avx2()) {
            set.packed = Packed::new(&texts, of_length(1, usize::MAX));
        }
        if set.packed.is_none() {
            let (longest, shortest) = (LONG + STRIDE - 1, SHORT + STRIDE - 1);
            set.long = Sampled::new(&texts, &of_length(longest, usize::MAX));
            set.short = Sampled::new(&texts, &of_length(shortest, longest));
            let rest = of_length(1, shortest);
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
        if self.long.is_some() || self.short.is_some() {
            sample(self.long.as_ref(), self.short.as_ref(), folded, &self.texts, &mut found);
        }
        if let Some(rest) = &self.rest {
            rest.scan(folded, &mut found);
        }
    }

    /// What a scan of so many bytes costs in nanoseconds, roughly: it is weighed against trying patterns one by one.
    pub(crate) fn cost(&self, bytes: usize) -> usize {
        let is_sampled = self.long.is_some() || self.short.is_some();
        let is_slow = self.rest.is_some() || is_sampled && !has_avx2();
        SCAN + if is_slow { bytes / 2 } else { bytes / 6 }
    }

    /// The texts, by their numbers.
    pub(crate) fn texts(&self) -> &[Box<[u8]>] {
        &self.texts
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
            let at = rarest(text, HEAD);
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

/// The place of the bytes side by side that messages hold most rarely.
pub(super) fn rarest(text: &[u8], length: usize) -> usize {
    let surprise = Surprise::new(text);
    let bits = |at: usize| surprise.of(at, length);
    let places = 0..=text.len().saturating_sub(length);
    places.max_by(|&a, &b| bits(a).total_cmp(&bits(b))).unwrap_or_default()
}

/// Texts of which windows of `N` bytes are looked for at every fourth place.
#[derive(Debug)]
struct Sampled<const N: usize> {
    marks: Marks,
    /// As many as a hash has values when it is shifted.
    buckets: Vec<Bucket>,
    bucket_shift: u32,
    /// The marked windows, by bucket.
    windows: Vec<Window>,
}

/// The marked windows of one hash.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// Where they end in the list of all.
    end: u32,
    /// A bit for what stands beside each of them in its text: most windows that messages hold as well stand beside
    /// something else there, and are not compared.
    beside: u32,
}

/// A marked window of a text, and the one at that end of it that is farther away: many texts share a window, few share
/// both.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Window {
    text: TextId,
    /// What tells the one at the end from others.
    end: u32,
    /// Where they stand in the text.
    at: u16,
    end_at: u16,
}

impl<const N: usize> Sampled<N> {
    fn new(texts: &[Box<[u8]>], ids: &[TextId]) -> Option<Self> {
        if ids.is_empty() {
            return None;
        }
        let window = |id: TextId, at: usize| value_at::<N>(&texts[id as usize], at).unwrap_or_default();
        let places_of = |id: TextId| 0..=texts[id as usize].len() - N;
        let mut popularity: HashMap<u64, u32, FixedState> = HashMap::default();
        for (id, at) in ids.iter().flat_map(|&id| places_of(id).map(move |at| (id, at))) {
            *popularity.entry(window(id, at)).or_default() += 1;
        }
        let mut windows: Vec<(u64, Window)> = Vec::with_capacity(ids.len() * STRIDE);
        for &id in ids {
            let surprise = Surprise::new(&texts[id as usize]);
            let last = texts[id as usize].len() - N;
            // A window that few texts share and that messages hold rarely, with something behind it.
            #[expect(clippy::cast_precision_loss, reason = "as many as there are texts")]
            let worth: Vec<f32> = places_of(id)
                .map(|at| {
                    let sharing = popularity.get(&window(id, at)).copied().unwrap_or_default();
                    let behind = if at + BEHIND <= last { TOLD_BEHIND } else { 0.0 };
                    surprise.of(at, N) + behind - 2.0 * (sharing as f32).log2()
                })
                .collect();
            for residue in 0..STRIDE {
                let places = places_of(id).skip(residue).step_by(STRIDE);
                if let Some(at) = places.max_by(|&a, &b| worth[a].total_cmp(&worth[b])) {
                    let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
                    let end_at = if at < last / 2 { last } else { 0 };
                    let end = print_of(window(id, end_at));
                    windows.push((window(id, at), Window { text: id, end, at: place(at), end_at: place(end_at) }));
                }
            }
        }
        let marks = Self::marks(&windows, texts);
        let count = windows.len().next_power_of_two().max(2);
        let bucket_shift = u64::BITS - count.trailing_zeros();
        windows.sort_unstable_by(|one, other| {
            let key = |value: u64| (bucket_of(value, bucket_shift), value);
            key(one.0).cmp(&key(other.0)).then_with(|| one.1.cmp(&other.1))
        });
        let mut buckets = vec![Bucket::default(); count];
        for (value, window) in &windows {
            let bucket = &mut buckets[bucket_of(*value, bucket_shift)];
            bucket.end += 1;
            bucket.beside |= beside::<N>(&texts[window.text as usize], window.at.into());
        }
        let mut end = 0;
        for bucket in &mut buckets {
            end += bucket.end;
            bucket.end = end;
        }
        let windows = windows.into_iter().map(|(_, window)| window).collect();
        Some(Self { marks, buckets, bucket_shift, windows })
    }

    /// The windows marked with what their texts have behind them: nothing is known behind the end of a text.
    fn marks(windows: &[(u64, Window)], texts: &[Box<[u8]>]) -> Marks {
        let behind = |window: &Window| {
            let behind = value_at::<BEHIND>(&texts[window.text as usize], usize::from(window.at) + N);
            behind.filter(|_| N == LONG).and_then(|behind| u32::try_from(behind).ok())
        };
        let mut wanted: Vec<_> = windows.iter().map(|(value, window)| (*value, behind(window))).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let bits = (wanted.len() * 2 * BITS_PER_MARK).min(SMALL_BITMAP).max(wanted.len() * BITS_PER_MARK);
        let mut marks = Marks::new(bits);
        for (value, behind) in wanted {
            marks.mark(value, behind);
        }
        marks
    }

    /// What the marks let through: what stands beside it, then the window at the end, then the whole text.
    fn verify(&self, at: usize, folded: &[u8], texts: &[Box<[u8]>], found: &mut impl FnMut(TextId)) {
        let value = |at: usize| value_at::<N>(folded, at);
        let Some(number) = value(at).map(|value| bucket_of(value, self.bucket_shift)) else { return };
        let bucket = self.buckets[number];
        // At an end of the message nothing is told.
        let right = value(at + N).map_or(u32::MAX, right_bit);
        let left = at.checked_sub(N).and_then(value).map_or(u32::MAX, left_bit);
        if bucket.beside & (right | left) == 0 {
            return;
        }
        let start = number.checked_sub(1).map_or(0, |before| self.buckets[before].end);
        for window in &self.windows[start as usize..bucket.end as usize] {
            let Some(start) = at.checked_sub(window.at.into()) else { continue };
            if value(start + usize::from(window.end_at)).map(print_of) == Some(window.end)
                && folded[start..].starts_with(&texts[window.text as usize])
            {
                found(window.text);
            }
        }
    }

    fn bytes(&self) -> usize {
        self.marks.bytes() + self.buckets.len() * size_of::<Bucket>() + self.windows.len() * size_of::<Window>()
    }
}

/// Looks at every fourth place of a message for windows of both sizes.
fn sample(
    long: Option<&Sampled<LONG>>,
    short: Option<&Sampled<SHORT>>,
    folded: &[u8],
    texts: &[Box<[u8]>],
    found: &mut impl FnMut(TextId),
) {
    let wanted = Wanted { long: long.map(|sampled| &sampled.marks), short: short.map(|sampled| &sampled.marks) };
    windows::each_hit(&wanted, folded, |hits| {
        let place = |number: usize| hits.start + number * STRIDE;
        if let Some(long) = long {
            each_bit(hits.long.into()).for_each(|number| long.verify(place(number), folded, texts, found));
        }
        if let Some(short) = short {
            each_bit(hits.short.into()).for_each(|number| short.verify(place(number), folded, texts, found));
        }
    });
}

/// The bucket of a window.
fn bucket_of(value: u64, shift: u32) -> usize {
    usize::try_from(spread(value) >> shift).unwrap_or_default()
}

/// The bit for what a text has beside a window; all bits when it has no room for as much on either side.
fn beside<const N: usize>(text: &[u8], at: usize) -> u32 {
    let value = |at: usize| value_at::<N>(text, at);
    let right = value(at + N).map(right_bit);
    right.or_else(|| at.checked_sub(N).and_then(value).map(left_bit)).unwrap_or(u32::MAX)
}

fn right_bit(value: u64) -> u32 {
    1 << (spread(value) >> 59)
}

fn left_bit(value: u64) -> u32 {
    1 << (spread(value) >> 54 & 31)
}

/// Bits that tell windows apart, nearly always.
fn print_of(value: u64) -> u32 {
    u32::try_from(spread(value) >> 32).unwrap_or_default()
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
            let count = [1, 8, 12, 13, 48, 49, 400][rng.usize(..7)];
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
