//! Which of many runs of byte classes occur in a folded message.
//!
//! Nearly every run holds a byte that is rare in messages: a digit, a sign. One pass of vector code finds those bytes, and
//! tables say for each of them and its neighbors which runs they fit. Runs without such a byte are looked for one by one
//! while they are few, else by the same tables at every byte. All ways find the same. The message must have a line end
//! at its start and at its end, which word boundaries stand beside, and must be folded without replacing characters by
//! letters of words.

use crate::model::{Bytes, Run};

/// Up to this many runs are looked for one by one.
const ONE_BY_ONE: u32 = 4;
/// Classes of a run that the tables are for: the one in the middle and its neighbors.
const TABLED: usize = 3;
/// Bits of information of a class whose bytes are rare.
const RARE_BITS: f32 = 3.5;
/// Ranges of bytes that the vector code looks for.
const RANGES: usize = 4;
/// Bytes that the vector code looks at together.
const BLOCK: usize = 32;

/// For each run of a group, a place in front of which it does not occur.
pub(crate) type Places = [usize; 64];

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
    tables: Box<[[u64; 256]; TABLED]>,
    /// The runs of which the class in the middle is rare, and those bytes in a few ranges: lowest byte and span.
    rare: u64,
    ranges: Vec<(u8, u8)>,
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

    /// Those of the wanted runs of a group that occur, each as a bit; none of them occurs in front of its place.
    pub(crate) fn occurring(&self, group: usize, wanted: u64, folded: &[u8], places: &mut Places) -> u64 {
        let Some(group) = self.groups.get(group) else { return 0 };
        let mut found = group.scan_rare(wanted & group.rare, folded, places);
        let wanted = wanted & !group.rare;
        if wanted.count_ones() > ONE_BY_ONE {
            return found | group.scan(wanted, folded, places);
        }
        for number in each_bit(wanted) {
            if let Some(place) = group.runs.get(number).and_then(|run| occurs(run, folded)) {
                places[number] = place;
                found |= 1 << number;
            }
        }
        found
    }

    pub(crate) fn bytes(&self) -> usize {
        self.groups.len() * size_of::<[[u64; 256]; TABLED]>()
    }
}

impl Group {
    fn new(runs: Vec<Run>) -> Self {
        let mut tables = Box::new([[0; 256]; TABLED]);
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
        Self { runs, middle, tables, rare, ranges: ranges(&is_rare_byte) }
    }

    /// Looks around the rare bytes.
    fn scan_rare(&self, wanted: u64, folded: &[u8], places: &mut Places) -> u64 {
        if wanted == 0 {
            return 0;
        }
        match *self.ranges {
            [a] => self.scan_ranges([a], wanted, folded, places),
            [a, b] => self.scan_ranges([a, b], wanted, folded, places),
            [a, b, c] => self.scan_ranges([a, b, c], wanted, folded, places),
            [a, b, c, d] => self.scan_ranges([a, b, c, d], wanted, folded, places),
            _ => 0,
        }
    }

    fn scan_ranges<const N: usize>(
        &self,
        ranges: [(u8, u8); N],
        mut wanted: u64,
        folded: &[u8],
        places: &mut Places,
    ) -> u64 {
        let mut found = 0;
        let (blocks, rest) = folded.as_chunks::<BLOCK>();
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
                    let at = index * BLOCK + word * 8 + hits.trailing_zeros() as usize / 8;
                    found |= self.look(at, &mut wanted, folded, places);
                    hits &= hits - 1;
                }
            }
            if wanted == 0 {
                return found;
            }
        }
        for at in folded.len() - rest.len()..folded.len() {
            found |= self.look(at, &mut wanted, folded, places);
        }
        found
    }

    /// The wanted runs whose middle stands at a place; they are wanted no more.
    fn look(&self, at: usize, wanted: &mut u64, folded: &[u8], places: &mut Places) -> u64 {
        let [first, second, third] = &*self.tables;
        // The line ends at the ends of a message belong to no run.
        let Some(&[before, middle, after]) = at.checked_sub(1).and_then(|start| folded.get(start..start + TABLED))
        else {
            return 0;
        };
        let fits = first[usize::from(before)] & second[usize::from(middle)] & third[usize::from(after)] & *wanted;
        let mut found = 0;
        for number in each_bit(fits) {
            if let Some(place) = self.stands(number, at, folded) {
                places[number] = place;
                found |= 1 << number;
            }
        }
        *wanted &= !found;
        found
    }

    /// Looks at every byte.
    fn scan(&self, mut wanted: u64, folded: &[u8], places: &mut Places) -> u64 {
        let mut found = 0;
        for at in 1..folded.len() {
            found |= self.look(at, &mut wanted, folded, places);
            if wanted == 0 {
                return found;
            }
        }
        // What a run ends with may be the line end at the very end.
        let rest = folded.len().saturating_sub(TABLED);
        for number in each_bit(wanted) {
            if let Some(place) = (rest..folded.len()).find_map(|at| self.stands(number, at, folded)) {
                places[number] = place;
                found |= 1 << number;
            }
        }
        found
    }

    /// Where a run stands of which the tabled classes were found.
    fn stands(&self, number: usize, at: usize, folded: &[u8]) -> Option<usize> {
        let classes = self.runs.get(number)?.classes();
        let start = at.checked_sub(*self.middle.get(number)?)?;
        let text = folded.get(start..start + classes.len())?;
        classes.iter().zip(text).all(|(class, &byte)| class.holds(byte)).then_some(start)
    }
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

/// A place in front of which a run does not occur, when it occurs.
fn occurs(run: &Run, folded: &[u8]) -> Option<usize> {
    let classes = run.classes();
    let last = folded.len().checked_sub(classes.len())?;
    let mut at = 0;
    let in_blocks =
        occurs_in_blocks::<256>(run, folded, last, &mut at) || occurs_in_blocks::<32>(run, folded, last, &mut at);
    if in_blocks {
        return Some(at);
    }
    (at..=last).find(|&at| classes.iter().zip(&folded[at..]).all(|(class, &byte)| class.holds(byte)))
}

/// Tests so many places at once, as long as there are so many; the compiler makes vector code of it.
fn occurs_in_blocks<const PLACES: usize>(run: &Run, folded: &[u8], last: usize, at: &mut usize) -> bool {
    while *at + PLACES <= last + 1 {
        let mut hits = [0xFF_u8; PLACES];
        let is_hit = run.rarest_first().iter().all(|&offset| {
            let text = folded[*at + offset..].first_chunk::<PLACES>();
            text.is_some_and(|text| keep(run.classes()[offset], text, &mut hits))
        });
        if is_hit {
            return true;
        }
        *at += PLACES;
    }
    false
}

/// Takes back the hits where the byte is none of the class, and says whether any is left.
fn keep<const PLACES: usize>(class: Bytes, text: &[u8; PLACES], hits: &mut [u8; PLACES]) -> bool {
    let (low, span) = (class.first.0, class.first.1 - class.first.0);
    let mut any = 0;
    if class.first == class.second && !class.is_negated {
        for (hit, &byte) in hits.iter_mut().zip(text) {
            *hit &= if byte.wrapping_sub(low) <= span { 0xFF } else { 0 };
            any |= *hit;
        }
    } else {
        let (other, other_span) = (class.second.0, class.second.1 - class.second.0);
        let flip = if class.is_negated { 0xFF } else { 0 };
        for (hit, &byte) in hits.iter_mut().zip(text) {
            let is_first = if byte.wrapping_sub(low) <= span { 0xFF } else { 0 };
            let is_second = if byte.wrapping_sub(other) <= other_span { 0xFF } else { 0 };
            *hit &= (is_first | is_second) ^ flip;
            any |= *hit;
        }
    }
    any != 0
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::{RunSet, each_bit};
    use crate::model::{Pattern, Run};

    /// One by one and in one pass: both find the same, and never behind the first place.
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
        ];
        let patterns = sources.iter().map(|source| Pattern::parse(source)).collect::<Result<Vec<_>, _>>()?;
        let runs: Vec<Run> = patterns.iter().filter_map(|pattern| pattern.requirement().run.clone()).collect();
        assert_eq!(runs.len(), sources.len());
        let set = RunSet::new(runs);
        let mut occurring = 0;
        for seed in 0..3_000 {
            let mut rng = Rng::with_seed(seed);
            let length = if seed % 3 == 0 { rng.usize(..700) } else { rng.usize(..40) };
            let inner: String =
                (0..length).map(|_| *rng.choice(b"0123456789aef-/#[]% x\n").unwrap_or(&b' ') as char).collect();
            let text = format!("\n{inner}\n");
            let all = (1 << sources.len()) - 1;
            let (mut places, mut place) = ([0; 64], [0; 64]);
            let found = set.occurring(0, all, text.as_bytes(), &mut places);
            for (number, source) in sources.iter().enumerate() {
                let alone = set.occurring(0, 1 << number, text.as_bytes(), &mut place);
                assert_eq!(found & 1 << number, alone, "seed {seed}: {source}");
            }
            for number in each_bit(found) {
                assert!(place[number] <= places[number], "seed {seed}: {}", sources[number]);
                occurring += 1;
            }
        }
        assert!(occurring > 3_000, "{occurring}");
        Ok(())
    }
}
