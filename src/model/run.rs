//! Bytes of given classes side by side that every match of a pattern holds, and the search for them.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::required::{byte_bits, fold, fold_into};

/// Classes of a run at most.
const RUN_BYTES: usize = 6;
/// Bits of information below which a run is no filter: it would let most messages through.
const RUN_BITS: f32 = 5.0;

/// Bits of information of a byte that is looked for alone.
const BYTE_BITS: f32 = 5.0;

/// Bytes of given classes side by side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Run {
    classes: Box<[Bytes]>,
    /// The places of the classes, those that fewest bytes are of first.
    rarest_first: Box<[usize]>,
    /// The rarest byte that stands alone in its class, with its place: the fastest of all searches looks for it.
    byte: Option<(usize, u8)>,
}

/// Roughly the share of the bytes of a message that are this one.
pub(crate) fn chance(byte: u8) -> f32 {
    static CHANCES: LazyLock<[f32; 256]> = LazyLock::new(|| {
        let mut chances = [0.0; 256];
        (0..=u8::MAX).zip(&mut chances).for_each(|(byte, chance)| *chance = (-byte_bits(byte)).exp2());
        chances
    });
    CHANCES[usize::from(byte)]
}

/// A class of bytes: two ranges, both ends included; equal ones for a single range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bytes {
    pub(crate) first: (u8, u8),
    pub(crate) second: (u8, u8),
    /// Whether the class is all other bytes.
    pub(crate) is_negated: bool,
}

impl Run {
    /// The most telling run of classes that stand side by side in the folded form of every match, with what stands
    /// beside a word.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        Self::best(Collector::new(hir, true).runs)
    }

    /// The same in the matches as they are, and whether U+212A or U+017F may stand for a byte of it.
    pub(super) fn as_written(hir: &Hir) -> Option<(Self, bool)> {
        let collector = Collector::new(hir, false);
        Some((Self::best(collector.runs)?, collector.is_folding))
    }

    fn best(runs: Vec<Vec<Bytes>>) -> Option<Self> {
        let weighed: Vec<Vec<(Bytes, f32)>> =
            runs.into_iter().map(|run| run.into_iter().map(|class| (class, class.bits())).collect()).collect();
        let windows =
            weighed.iter().flat_map(|run| (0..run.len()).map(move |at| &run[at..run.len().min(at + RUN_BYTES)]));
        let bits = |window: &[(Bytes, f32)]| window.iter().map(|(_, bits)| bits).sum::<f32>();
        let best = windows.max_by(|a, b| bits(a).total_cmp(&bits(b)).then(b.len().cmp(&a.len())))?;
        if best.len() < 2 || bits(best) < RUN_BITS {
            return None;
        }
        let mut rarest_first: Vec<usize> = (0..best.len()).collect();
        rarest_first.sort_by(|&a, &b| best[b].1.total_cmp(&best[a].1));
        let classes: Box<[Bytes]> = best.iter().map(|(class, _)| *class).collect();
        let alone = rarest_first.iter().find_map(|&at| Some((at, classes[at].alone()?)));
        let byte = alone.filter(|&(at, _)| best[at].1 >= BYTE_BITS);
        Some(Self { classes, rarest_first: rarest_first.into(), byte })
    }

    /// The classes, in their order.
    pub(crate) fn classes(&self) -> &[Bytes] {
        &self.classes
    }

    /// The place of the first class of which a byte belongs to the match: what stands beside a word may not.
    pub(crate) fn inside(&self) -> usize {
        usize::from(self.classes.first() == Some(&Bytes::NO_WORD))
    }

    /// Where it occurs first, at or behind a place.
    pub(crate) fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let last = text.len().checked_sub(self.classes.len())?;
        if let Some((offset, byte)) = self.byte {
            let mut ahead = from + offset..last + offset + 1;
            while let Some(found) = memchr::memchr(byte, text.get(ahead.clone())?) {
                let place = ahead.start + found - offset;
                if self.stands(&text[place..]) {
                    return Some(place);
                }
                ahead.start += found + 1;
            }
            return None;
        }
        let mut at = from;
        let in_blocks =
            self.find_in_blocks::<256>(text, last, &mut at).or_else(|| self.find_in_blocks::<32>(text, last, &mut at));
        in_blocks.or_else(|| match (last + 1).checked_sub(32).filter(|&start| start >= from && at <= last) {
            // What is left, with as much of what stands in front of it as a block takes.
            Some(mut start) => self.find_in_blocks::<32>(text, last, &mut start),
            None => (at..=last).find(|&at| self.stands(&text[at..])),
        })
    }

    /// Whether it stands at the start of a text that is not shorter.
    fn stands(&self, text: &[u8]) -> bool {
        self.classes.iter().zip(text).all(|(class, &byte)| class.holds(byte))
    }

    /// Tests so many places at once, as long as there are so many; the compiler makes vector code of it.
    fn find_in_blocks<const PLACES: usize>(&self, text: &[u8], last: usize, at: &mut usize) -> Option<usize> {
        while *at + PLACES <= last + 1 {
            let mut hits = [0xFF_u8; PLACES];
            let is_hit = self.rarest_first.iter().all(|&offset| {
                let text = text[*at + offset..].first_chunk::<PLACES>();
                text.is_some_and(|text| self.classes[offset].keep(text, &mut hits))
            });
            if is_hit {
                return hits.iter().position(|&hit| hit != 0).map(|place| *at + place);
            }
            *at += PLACES;
        }
        None
    }
}

impl Bytes {
    /// What stands beside a word: no letter and no digit. (That an underscore is part of a word costs a third range.)
    const NO_WORD: Self = Self { first: (b'0', b'9'), second: (b'a', b'z'), is_negated: true };

    fn range(low: u8, high: u8) -> Self {
        Self { first: (low, high), second: (low, high), is_negated: false }
    }

    pub(crate) fn holds(self, byte: u8) -> bool {
        let within = |(low, high): (u8, u8)| byte.wrapping_sub(low) <= high - low;
        (within(self.first) || within(self.second)) != self.is_negated
    }

    /// The byte of a class of one.
    fn alone(self) -> Option<u8> {
        let is_one = self.first == self.second && self.first.0 == self.first.1 && !self.is_negated;
        is_one.then_some(self.first.0)
    }

    /// Whether all bytes are letters, digits or underscores.
    fn is_word(self) -> bool {
        (0..=u8::MAX).filter(|&byte| self.holds(byte)).all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// How much is known when a byte is of the class.
    pub(crate) fn bits(self) -> f32 {
        let held = (0..=u8::MAX).filter(|&byte| self.holds(byte));
        let known = held.map(chance).sum::<f32>();
        (-known.min(1.0).log2()).max(0.0)
    }

    /// Takes back the hits where the byte is none of the class, and says whether any is left.
    fn keep<const PLACES: usize>(self, text: &[u8; PLACES], hits: &mut [u8; PLACES]) -> bool {
        let (low, span) = (self.first.0, self.first.1 - self.first.0);
        let mut any = 0;
        if self.first == self.second && !self.is_negated {
            for (hit, &byte) in hits.iter_mut().zip(text) {
                *hit &= if byte.wrapping_sub(low) <= span { 0xFF } else { 0 };
                any |= *hit;
            }
        } else {
            let (other, other_span) = (self.second.0, self.second.1 - self.second.0);
            let flip = if self.is_negated { 0xFF } else { 0 };
            for (hit, &byte) in hits.iter_mut().zip(text) {
                let is_first = if byte.wrapping_sub(low) <= span { 0xFF } else { 0 };
                let is_second = if byte.wrapping_sub(other) <= other_span { 0xFF } else { 0 };
                *hit &= (is_first | is_second) ^ flip;
                any |= *hit;
            }
        }
        any != 0
    }

    /// A class of characters in the form that texts have; `None` when it holds characters of several bytes.
    fn of(class: &Class, form: impl Fn(char) -> Option<u8>) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut add = |start: char, end: char| {
            let is_small = u32::from(end) - u32::from(start) <= 0x200;
            (is_small && (start..=end).all(|c| fold(c).is_ascii()))
                .then(|| bytes.extend((start..=end).filter_map(&form)))
        };
        match class {
            Class::Unicode(class) => class.iter().try_for_each(|range| add(range.start(), range.end()))?,
            Class::Bytes(class) => {
                class.iter().try_for_each(|range| add(char::from(range.start()), char::from(range.end())))?;
            }
        }
        bytes.sort_unstable();
        bytes.dedup();
        Self::covering(&bytes)
    }

    /// The class that holds all of some folded bytes, and as few others as two ranges allow.
    fn covering(bytes: &[u8]) -> Option<Self> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for &byte in bytes {
            match ranges.last_mut() {
                Some((_, high)) if byte <= high.saturating_add(1) => *high = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        while ranges.len() > 2 {
            let narrowest = (1..ranges.len()).min_by_key(|&at| ranges[at].0 - ranges[at - 1].1)?;
            ranges[narrowest - 1].1 = ranges[narrowest].1;
            ranges.remove(narrowest);
        }
        Some(Self { first: *ranges.first()?, second: *ranges.last()?, is_negated: false })
    }
}

/// Puts the classes of a pattern into runs: a new one begins where anything may stand in between.
#[derive(Default)]
struct Collector {
    runs: Vec<Vec<Bytes>>,
    current: Vec<Bytes>,
    /// Whether a word boundary stands at the place that comes next.
    at_boundary: bool,
    /// Whether matches are folded, else they are as they are.
    is_folded: bool,
    /// Whether a character beyond ASCII was left out of a class because it is folded to a letter in it.
    is_folding: bool,
}

impl Collector {
    fn new(hir: &Hir, is_folded: bool) -> Self {
        let mut collector = Self { is_folded, ..Self::default() };
        collector.collect(hir);
        collector.end();
        collector
    }

    /// Appends what a pattern matches to the current run.
    fn collect(&mut self, hir: &Hir) {
        match hir.kind() {
            // Beside a match as it is may be the end of the text.
            HirKind::Look(Look::WordAscii | Look::WordUnicode) => self.at_boundary = self.is_folded,
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) if self.is_folded => {
                    let mut folded = Vec::new();
                    fold_into(text, &mut folded);
                    for byte in folded {
                        self.push(Bytes::range(byte, byte));
                    }
                }
                Ok(text) => text.bytes().for_each(|byte| self.push(Bytes::range(byte, byte))),
                Err(_) => self.end(),
            },
            HirKind::Class(class) => match self.class(class) {
                Some(class) => self.push(class),
                None => self.end(),
            },
            HirKind::Capture(capture) => self.collect(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.collect(part)),
            HirKind::Alternation(_) => self.end(),
            HirKind::Repetition(repetition) => {
                let times = usize::try_from(repetition.min).map_or(RUN_BYTES, |min| min.min(RUN_BYTES));
                let is_exact = repetition.max == Some(repetition.min) && repetition.min as usize == times;
                for _ in 0..times {
                    self.collect(&repetition.sub);
                }
                if !is_exact {
                    // Whether the boundary stands behind what is repeated further cannot be told.
                    self.at_boundary &= times > 0 && repetition.max == Some(repetition.min);
                    self.end();
                    // What repeats at least so often also stands in front of what follows.
                    for _ in 0..times {
                        self.collect(&repetition.sub);
                    }
                }
            }
        }
    }

    fn class(&mut self, class: &Class) -> Option<Bytes> {
        if self.is_folded {
            return Bytes::of(class, |c| u8::try_from(fold(c)).ok());
        }
        let Class::Unicode(characters) = class else { return None };
        self.is_folding |= characters.iter().any(|range| !range.end().is_ascii());
        Bytes::of(class, |c| u8::try_from(c).ok().filter(u8::is_ascii))
    }

    fn push(&mut self, class: Bytes) {
        let is_first = self.current.is_empty();
        if std::mem::take(&mut self.at_boundary) && is_first && class.is_word() {
            self.current.push(Bytes::NO_WORD);
        }
        self.current.push(class);
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.at_boundary) && self.current.last().is_some_and(|last| last.is_word()) {
            self.current.push(Bytes::NO_WORD);
        }
        self.runs.push(std::mem::take(&mut self.current));
    }
}
