//! Patterns that read facts from messages, behind a gate: only those whose required texts and runs occur are tried.

use std::ops::Range;

use regex::CaptureLocations;

use crate::model::Pattern;

use super::facts::Folded;
use super::runs::{RunSet, each_bit};
use super::scan::TextSet;
use super::table::Numbering;

/// A list of patterns with what must occur for each of them to match.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    patterns: Vec<Pattern>,
    /// The patterns for which nothing is known that must occur.
    needs_no_text: Bits,
    texts: TextSet,
    /// For each text, the patterns that it is required by.
    needed_by: Vec<Vec<usize>>,
    runs: RunSet,
    /// For each pattern, its run.
    run_of: Vec<Option<usize>>,
}

/// Which patterns of a gate a message lets through, and room for their groups.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    open: Bits,
    /// The runs that are looked for, then those that occur.
    wanted: Bits,
    /// For each pattern, room for its groups.
    pub(super) places: Vec<Option<CaptureLocations>>,
}

/// A set of numbers, 64 in each word: nearly always only a few of them are in it.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn add(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn has(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    fn each(&self) -> impl Iterator<Item = usize> {
        (0..).step_by(64).zip(&self.0).flat_map(|(start, &word)| each_bit(word).map(move |bit| start + bit))
    }

    fn retain(&mut self, is_kept: impl Fn(usize) -> bool) {
        for (start, word) in (0..).step_by(64).zip(&mut self.0) {
            *word = each_bit(*word).filter(|bit| is_kept(start + bit)).fold(0, |kept, bit| kept | 1 << bit);
        }
    }
}

impl Gate {
    pub(crate) fn new(patterns: Vec<Pattern>) -> Self {
        let mut texts = Numbering::default();
        let mut runs = Numbering::default();
        let mut needed_by: Vec<Vec<usize>> = Vec::new();
        let mut run_of = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let requirement = pattern.requirement();
            for text in &requirement.texts {
                let (id, is_new) = texts.number(text.clone());
                if is_new {
                    needed_by.push(Vec::new());
                }
                needed_by[id as usize].push(index);
            }
            run_of.push(requirement.run.clone().map(|run| runs.number(run).0 as usize));
        }
        let (texts, runs) = (TextSet::new(texts.into_things()), RunSet::new(runs.into_things()));
        let mut needs_no_text = Bits(vec![0; patterns.len().div_ceil(64)]);
        for (index, _) in patterns.iter().enumerate().filter(|(_, pattern)| pattern.requirement().texts.is_empty()) {
            needs_no_text.add(index);
        }
        Self { patterns, needs_no_text, texts, needed_by, runs, run_of }
    }

    /// Looks which of the wanted patterns can match in a text: those of which a text occurs, and of these those of which
    /// the run does.
    pub(super) fn look(&self, text: &str, is_wanted: impl Fn(usize) -> bool, folded: &mut Folded, passed: &mut Passed) {
        let Passed { open, wanted, places } = passed;
        places.resize_with(self.patterns.len(), || None);
        open.0.clone_from(&self.needs_no_text.0);
        self.texts
            .scan(folded.of(text), |text| self.needed_by[text as usize].iter().for_each(|&index| open.add(index)));
        open.retain(is_wanted);
        wanted.0.clear();
        wanted.0.resize(self.runs.groups(), 0);
        open.each().filter_map(|index| self.run_of[index]).for_each(|run| wanted.add(run));
        // A replaced character is no part of a word, and what replaces it is: nothing is certain then.
        let is_plain = folded.is_plain();
        for (group, wanted) in wanted.0.iter_mut().enumerate().filter(|(_, wanted)| is_plain && **wanted != 0) {
            let mut occurring = 0;
            self.runs.each(group, *wanted, folded.of(text), |run, _| {
                occurring |= 1_u64 << run;
                true
            });
            *wanted = occurring;
        }
        open.retain(|index| self.run_of[index].is_none_or(|run| wanted.has(run)));
    }

    /// The first of some patterns that can match, with its place.
    pub(super) fn next_open(&self, mut patterns: Range<usize>, passed: &Passed) -> Option<(usize, &Pattern)> {
        let index = patterns.find(|&index| passed.open.has(index))?;
        Some((index, &self.patterns[index]))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::{Folded, Gate, Passed};
    use crate::model::Pattern;

    /// Parts of patterns with a text that each of them matches.
    const PARTS: &[(&str, &str)] = &[
        ("timeout", "timeout"),
        ("(?i)connection", "CONNECTION"),
        ("(?i:token|k\\u{e9}y)", "to\u{212A}en"),
        ("secret", "secret"),
        ("(?i)secrets", "\u{17F}ecret\u{17F}"),
        (r"\b4[0-9]{2}\b", "404"),
        (r"\bE[0-9]{4}\b", "E1042"),
        (r"(?:a|b|[c-z]x)+", "qx"),
        (" ?", ""),
        (".*", " and then "),
        (r"[^a-z]", "-"),
        ("(?:abc){2,3}", "abcabc"),
        (r"\bms\b", "ms"),
        (r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", "10.0.0.1"),
        ("(?i)é", "É"),
        ("日本", "日本"),
        (r"\B", ""),
        ("^", ""),
        ("(?u)\\w+", "Größe"),
    ];

    /// Whenever a pattern matches, the gate lets it through: with few patterns and with many, alone and among others.
    #[test]
    fn what_matches_passes() {
        let (mut passed, mut matches, mut open) = (Passed::default(), 0, 0);
        for seed in 0..120 {
            let mut rng = Rng::with_seed(seed);
            let count = if seed % 2 == 0 { 6 } else { 100 };
            let (mut patterns, mut samples) = (Vec::new(), Vec::new());
            while patterns.len() < count {
                let parts: Vec<_> = (0..rng.usize(1..5)).map(|_| PARTS[rng.usize(..PARTS.len())]).collect();
                if let Ok(pattern) = Pattern::parse(&parts.iter().map(|(pattern, _)| *pattern).collect::<String>()) {
                    patterns.push(pattern);
                    samples.push(parts.iter().map(|(_, text)| *text).collect::<String>());
                }
            }
            let gate = Gate::new(patterns.clone());
            for _ in 0..20 {
                let text: Vec<&str> = (0..rng.usize(1..6)).map(|_| &*samples[rng.usize(..samples.len())]).collect();
                // As facts keep their texts: with line ends around them.
                let text = format!("\n{}\n", text.join(["", " ", "filler words "][rng.usize(..3)]));
                let mut folded = Folded::default();
                gate.look(&text, |_| true, &mut folded, &mut passed);
                for (index, pattern) in patterns.iter().enumerate() {
                    let is_match = pattern.is_match(&text[1..text.len() - 1]);
                    let is_open = passed.open.has(index);
                    assert!(is_open || !is_match, "seed {seed}: {} matches {text:?}", pattern.as_str());
                    matches += usize::from(is_match);
                    open += usize::from(is_open);
                }
            }
        }
        assert!(matches > 3_000 && open < 90_000, "{matches} matches, {open} let through");
    }
}
