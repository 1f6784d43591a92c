//! Which of many runs of byte classes occur in a folded message.
//!
//! A few runs are looked for one by one with vector code; many in one pass over tables that say for each byte which runs it
//! fits. Both find the same. The message must have a line end at its start and at its end, which word boundaries stand
//! beside, and must be folded without replacing characters by letters of words.

use crate::model::{Bytes, Run};

/// Up to this many runs are looked for one by one.
const ONE_BY_ONE: u32 = 4;
/// Classes of a run that the tables are for.
const TABLED: usize = 3;

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
    /// For each run, where its tabled classes begin in it.
    tabled_at: Vec<usize>,
    /// For each byte at one of the tabled places, the runs that it fits.
    tables: Box<[[u64; 256]; TABLED]>,
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
        if wanted.count_ones() > ONE_BY_ONE {
            return group.scan(wanted, folded, places);
        }
        let mut found = 0;
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
        let mut tabled_at = Vec::with_capacity(runs.len());
        for (number, run) in runs.iter().enumerate() {
            let classes = run.classes();
            let bits =
                |at: usize| classes[at..classes.len().min(at + TABLED)].iter().map(|class| class.bits()).sum::<f32>();
            let last = classes.len().saturating_sub(TABLED);
            let start = (0..=last).max_by(|&a, &b| bits(a).total_cmp(&bits(b))).unwrap_or_default();
            for (place, table) in tables.iter_mut().enumerate() {
                for (byte, fits) in (0..=u8::MAX).zip(table.iter_mut()) {
                    let holds = classes.get(start + place).is_none_or(|class| class.holds(byte));
                    *fits |= u64::from(holds) << number;
                }
            }
            tabled_at.push(start);
        }
        Self { runs, tabled_at, tables }
    }

    fn scan(&self, mut wanted: u64, folded: &[u8], places: &mut Places) -> u64 {
        let [first, second, third] = &*self.tables;
        let mut found = 0;
        for (at, window) in folded.windows(TABLED).enumerate() {
            let fits = first[usize::from(window[0])] & second[usize::from(window[1])] & third[usize::from(window[2])];
            if fits & wanted == 0 {
                continue;
            }
            for number in each_bit(fits & wanted) {
                if let Some(place) = self.stands(number, at, folded) {
                    places[number] = place;
                    found |= 1 << number;
                    wanted &= !(1 << number);
                }
            }
            if wanted == 0 {
                return found;
            }
        }
        // A run of two classes may stand at the very end.
        let rest = folded.len().saturating_sub(TABLED - 1);
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
        let start = at.checked_sub(self.tabled_at[number])?;
        let text = folded.get(start..start + classes.len())?;
        classes.iter().zip(text).all(|(class, &byte)| class.holds(byte)).then_some(start)
    }
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
