//! Which of many runs of byte classes occur in a folded message.
//!
//! Nearly every run holds a byte that is rare in messages: a digit, a sign. One pass of vector code finds those bytes, and
//! tables say for each of them and its neighbors which runs they fit. Runs without such a byte are looked for one by one
//! while they are few, else by the same tables at every byte. All ways find the same. The message must have a line end
//! at its start and at its end, which word boundaries stand beside, and must be folded without replacing characters by
//! letters of words.

use std::ops::ControlFlow;

use crate::model::{Bytes, Run, chance};

use super::vector::{Fitting, SETS, SIDE_BY_SIDE, has_avx2};

/// Up to this many runs are looked for one by one.
const ONE_BY_ONE: u32 = 4;
/// Bits of information of a class whose bytes are rare.
const RARE_BITS: f32 = 3.5;
/// Ranges of bytes that the vector code looks for.
const RANGES: usize = 4;
/// Bytes that the vector code looks at together.
const BLOCK: usize = 32;

/// The bits of a set, by number.
pub(crate) fn each_bit(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let number = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (number < u64::BITS).then_some(number as usize)
    })
}

/// Runs in groups of 64.
#[derive(Debug, Default)]
pub(crate) struct RunSet {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    runs: Vec<Run>,
    /// For each run, the place of the class in the middle of its tabled ones.
    middle: Vec<usize>,
    /// For each byte at one of the tabled places, the runs that it fits.
    tables: Box<[[u64; 256]; SIDE_BY_SIDE]>,
    /// The runs of which the class in the middle is rare, and those bytes in a few ranges: lowest byte and span.
    rare: u64,
    ranges: Vec<(u8, u8)>,
    /// The tabled classes of those runs in a few sets, and the runs of each set.
    fitting: Fitting,
    sets: [u64; SETS],
}

impl RunSet {
    pub(crate) fn new(runs: Vec<Run>) -> Self {
        let mut groups = Vec::new();
        let mut runs = runs.into_iter().peekable();
        while runs.peek().is_some() {
            groups.push(Group::new(runs.by_ref().take(64).collect()));
        }
        Self { groups }
    }

    /// Numbers of groups; the runs are numbered on through all of them.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Calls `settles` with the wanted runs of a group and the places where they occur, of each run from left to right,
    /// until it says that no more of the run is wanted.
    pub(crate) fn each(&self, group: usize, wanted: u64, folded: &[u8], mut settles: impl FnMut(usize, usize) -> bool) {
        let Some(group) = self.groups.get(group) else { return };
        group.scan_rare(wanted & group.rare, folded, &mut settles);
        let wanted = wanted & !group.rare;
        if wanted.count_ones() > ONE_BY_ONE {
            group.scan(wanted, folded, &mut settles);
            return;
        }
        for number in each_bit(wanted) {
            let Some(run) = group.runs.get(number) else { continue };
            let mut from = 0;
            while let Some(place) = run.find(folded, from).filter(|&place| !settles(number, place)) {
                from = place + 1;
            }
        }
    }

    /// The place in a run of the first byte that belongs to a match.
    pub(crate) fn inside(&self, group: usize, run: usize) -> usize {
        self.groups.get(group).and_then(|group| group.runs.get(run)).map_or(0, Run::inside)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.groups.len() * size_of::<[[u64; 256]; SIDE_BY_SIDE]>()
    }
}

impl Group {
    fn new(runs: Vec<Run>) -> Self {
        let mut tables = Box::new([[0; 256]; SIDE_BY_SIDE]);
        let mut middle = Vec::with_capacity(runs.len());
        let mut rare = 0;
        let mut is_rare_byte = [false; 256];
        for (number, run) in runs.iter().enumerate() {
            let classes = run.classes();
            let bits = |middle: usize| -> f32 {
                classes[middle.saturating_sub(1)..classes.len().min(middle + 2)].iter().map(|class| class.bits()).sum()
            };
            let best = |is_wanted: &dyn Fn(usize) -> bool| {
                let places = (0..classes.len()).filter(|&place| is_wanted(place));
                places.max_by(|&a, &b| bits(a).total_cmp(&bits(b)))
            };
            let at = match best(&|place| is_rare(classes[place])) {
                Some(at) => {
                    rare |= 1 << number;
                    (0..=u8::MAX)
                        .zip(&mut is_rare_byte)
                        .for_each(|(byte, is_rare)| *is_rare |= classes[at].holds(byte));
                    at
                }
                None => best(&|place| place > 0 && place + 1 < classes.len()).unwrap_or(1),
            };
            for (place, table) in tables.iter_mut().enumerate() {
                let class = (at + place).checked_sub(1).and_then(|place| classes.get(place));
                for (byte, fits) in (0..=u8::MAX).zip(table.iter_mut()) {
                    *fits |= u64::from(class.is_none_or(|class| class.holds(byte))) << number;
                }
            }
            middle.push(at);
        }
        // Each run goes to the set that lets through the least more with it.
        let (mut fitting, mut sets) = (Fitting::default(), [0; SETS]);
        for number in each_bit(rare) {
            let with = |set: usize| {
                let mut with = fitting.clone();
                for (place, table) in tables.iter().enumerate() {
                    with.add(set, place, |byte| table[usize::from(byte)] >> number & 1 == 1);
                }
                let more = share(&with, set) - share(&fitting, set);
                (set, with, more)
            };
            let best = (0..SETS).map(with).min_by(|(.., one), (.., other)| one.total_cmp(other));
            if let Some((set, with, _)) = best {
                sets[set] |= 1 << number;
                fitting = with;
            }
        }
        Self { runs, middle, tables, rare, ranges: ranges(&is_rare_byte), fitting, sets }
    }

    /// Looks around the rare bytes.
    fn scan_rare(&self, wanted: u64, folded: &[u8], settles: &mut impl FnMut(usize, usize) -> bool) {
        let mut look = Look { group: self, wanted, folded, settles };
        if wanted == 0 {
            return;
        }
        if has_avx2() {
            let sets = (0..).zip(self.sets).filter(|(_, runs)| runs & wanted != 0);
            let sets = sets.fold(0, |sets, (set, _)| sets | 1 << set);
            let _ = self.fitting.each(sets, folded, |before| look.at(before + 1));
            return;
        }
        let _ = match *self.ranges {
            [a] => look.at_ranges([a]),
            [a, b] => look.at_ranges([a, b]),
            [a, b, c] => look.at_ranges([a, b, c]),
            [a, b, c, d] => look.at_ranges([a, b, c, d]),
            _ => ControlFlow::Continue(()),
        };
    }

    /// Looks at every byte.
    fn scan(&self, wanted: u64, folded: &[u8], settles: &mut impl FnMut(usize, usize) -> bool) {
        let mut look = Look { group: self, wanted, folded, settles };
        if (1..folded.len()).try_for_each(|at| look.at(at)).is_break() {
            return;
        }
        // What a run ends with may be the line end at the very end, which has no neighbor.
        let last = folded.len().saturating_sub(1);
        for number in each_bit(look.wanted) {
            if let Some(place) = self.stands(number, last, folded) {
                (look.settles)(number, place);
            }
        }
    }

    /// Where a run stands of which the tabled classes were found.
    fn stands(&self, number: usize, at: usize, folded: &[u8]) -> Option<usize> {
        let classes = self.runs.get(number)?.classes();
        let start = at.checked_sub(*self.middle.get(number)?)?;
        let text = folded.get(start..start + classes.len())?;
        classes.iter().zip(text).all(|(class, &byte)| class.holds(byte)).then_some(start)
    }
}

/// Runs that are looked for in a message.
struct Look<'l, F> {
    group: &'l Group,
    wanted: u64,
    folded: &'l [u8],
    settles: &'l mut F,
}

impl<F: FnMut(usize, usize) -> bool> Look<'_, F> {
    /// The wanted runs whose middle stands at a place; it breaks when none is wanted any more.
    fn at(&mut self, at: usize) -> ControlFlow<()> {
        let [first, second, third] = &*self.group.tables;
        // The line ends at the ends of a message belong to no run.
        let Some(&[before, middle, after]) =
            at.checked_sub(1).and_then(|start| self.folded.get(start..start + SIDE_BY_SIDE))
        else {
            return ControlFlow::Continue(());
        };
        let fits = first[usize::from(before)] & second[usize::from(middle)] & third[usize::from(after)] & self.wanted;
        for number in each_bit(fits) {
            let place = self.group.stands(number, at, self.folded);
            if place.is_some_and(|place| (self.settles)(number, place)) {
                self.wanted &= !(1 << number);
            }
        }
        if self.wanted == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Looks where bytes are within some ranges, given by the lowest one and the span.
    fn at_ranges<const N: usize>(&mut self, ranges: [(u8, u8); N]) -> ControlFlow<()> {
        let (blocks, rest) = self.folded.as_chunks::<BLOCK>();
        for (index, block) in blocks.iter().enumerate() {
            // One where a byte is rare: the compiler makes vector code of it.
            let mut hits = [0_u8; BLOCK];
            let mut any = 0;
            for (hit, &byte) in hits.iter_mut().zip(block) {
                for (low, span) in ranges {
                    *hit |= u8::from(byte.wrapping_sub(low) <= span);
                }
                any |= *hit;
            }
            if any == 0 {
                continue;
            }
            for (word, hits) in hits.as_chunks::<8>().0.iter().enumerate() {
                let mut hits = u64::from_le_bytes(*hits);
                while hits != 0 {
                    self.at(index * BLOCK + word * 8 + hits.trailing_zeros() as usize / 8)?;
                    hits &= hits - 1;
                }
            }
        }
        (self.folded.len() - rest.len()..self.folded.len()).try_for_each(|at| self.at(at))
    }
}

/// Roughly the share of places of a folded message that fit a set.
fn share(fitting: &Fitting, set: usize) -> f32 {
    let place = |place: usize| -> f32 {
        let bytes = (0..=u8::MAX).filter(|byte| !byte.is_ascii_uppercase() && fitting.fits(set, place, *byte));
        bytes.map(chance).sum()
    };
    (0..SIDE_BY_SIDE).map(place).product()
}

/// Whether the bytes of a class are rare in messages: no line end and no letter among them.
fn is_rare(class: Bytes) -> bool {
    class.bits() >= RARE_BITS && !(0..=u8::MAX).any(|byte| class.holds(byte) && is_common(byte))
}

fn is_common(byte: u8) -> bool {
    byte == b'\n' || byte.is_ascii_lowercase()
}

/// As few ranges as the vector code wants that cover all bytes of a set.
fn ranges(set: &[bool; 256]) -> Vec<(u8, u8)> {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for (byte, _) in (0..=u8::MAX).zip(set).filter(|(_, is_in)| **is_in) {
        match ranges.last_mut() {
            Some((_, last)) if last.saturating_add(1) == byte => *last = byte,
            _ => ranges.push((byte, byte)),
        }
    }
    while ranges.len() > RANGES {
        let gaps = (1..ranges.len()).min_by_key(|&at| ranges[at].0 - ranges[at - 1].1);
        let Some(narrowest) = gaps else { break };
        ranges[narrowest - 1].1 = ranges[narrowest].1;
        ranges.remove(narrowest);
    }
    ranges.into_iter().map(|(first, last)| (first, last - first)).collect()
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::RunSet;
    use crate::model::{Pattern, Run};

    /// One by one, alone and in one pass: all find the same places.
    #[test]
    fn both_ways_find_the_same() -> Result<(), crate::model::PatternError> {
        let sources = [
            r"\b4[0-9]{2}\b",
            r"\b5[0-9]{2}\b",
            r"[0-9]{4}-[0-9]{2}",
            r"\bE[0-9]{4}\b",
            r"#[0-9]{5,9}\b",
            r"\[[0-9]{3}\]",
            r"[0-9]+/[0-9]+",
            r"\b[A-Z]{3}-[0-9]{4}\b",
            r"\b0x[0-9a-f]{8}\b",
            r"[0-9]%",
            // No byte of these is rare.
            r"\b[ae]{2}\b",
            r"\b[ef]{3}\b",
            r"\b[a-f]{4}\b",
            r"\b[ax]{2}\b",
            r"[fx]{2}",
            r"[ef][ax]\b",
        ];
        let patterns = sources.iter().map(|source| Pattern::parse(source)).collect::<Result<Vec<_>, _>>()?;
        let runs: Vec<Run> = patterns.iter().filter_map(|pattern| pattern.requirement().run.clone()).collect();
        assert_eq!(runs.len(), sources.len());
        let set = RunSet::new(runs.clone());
        let mut occurring = 0;
        for seed in 0..3_000 {
            let mut rng = Rng::with_seed(seed);
            let length = if seed % 3 == 0 { rng.usize(..700) } else { rng.usize(..40) };
            let inner: String =
                (0..length).map(|_| *rng.choice(b"0123456789aef-/#[]% x\n").unwrap_or(&b' ') as char).collect();
            let text = format!("\n{inner}\n");
            let all = (1 << sources.len()) - 1;
            let places = |wanted: u64, most: usize| {
                let mut places = vec![Vec::new(); sources.len()];
                set.each(0, wanted, text.as_bytes(), |number, place| {
                    places[number].push(place);
                    places[number].len() == most
                });
                places
            };
            let (together, first) = (places(all, usize::MAX), places(all, 1));
            for (number, source) in sources.iter().enumerate() {
                let by_hand: Vec<usize> = std::iter::successors(runs[number].find(text.as_bytes(), 0), |place| {
                    runs[number].find(text.as_bytes(), place + 1)
                })
                .collect();
                assert_eq!(together[number], by_hand, "seed {seed}: {source}");
                assert_eq!(places(1 << number, usize::MAX)[number], by_hand, "seed {seed}: {source} alone");
                assert_eq!(first[number], by_hand[..by_hand.len().min(1)], "seed {seed}: {source} once");
                occurring += by_hand.len();
            }
        }
        assert!(occurring > 3_000, "{occurring}");
        Ok(())
    }
}
