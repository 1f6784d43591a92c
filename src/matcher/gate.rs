//! Patterns that read facts from messages, behind a gate: only those whose required texts and runs occur are tried.

use std::ops::Range;

use regex::CaptureLocations;

use crate::model::Pattern;

use super::facts::Folded;
use super::runs::RunSet;
use super::scan::TextSet;
use super::table::Numbering;

/// A list of patterns with what must occur for each of them to match.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    patterns: Vec<Pattern>,
    /// For each pattern, whether nothing is known that must occur for it; beside each other, since all are asked for.
    needs_no_text: Vec<bool>,
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
    open: Vec<bool>,
    /// The runs that are looked for, then those that occur; 64 in each.
    wanted: Vec<u64>,
    places: Vec<Option<CaptureLocations>>,
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
        let needs_no_text = patterns.iter().map(|pattern| pattern.requirement().texts.is_empty()).collect();
        Self { patterns, needs_no_text, texts, needed_by, runs, run_of }
    }

    /// Looks which of the wanted patterns can match in a text: those of which a text occurs, and of these those of which
    /// the run does.
    pub(super) fn look(&self, text: &str, is_wanted: impl Fn(usize) -> bool, folded: &mut Folded, passed: &mut Passed) {
        let Passed { open, wanted, places } = passed;
        places.resize_with(self.patterns.len(), || None);
        open.clear();
        open.extend(self.needs_no_text.iter().enumerate().map(|(index, &is_open)| is_open && is_wanted(index)));
        self.texts.scan(folded.of(text), |text| {
            self.needed_by[text as usize].iter().for_each(|&index| open[index] = is_wanted(index));
        });
        wanted.clear();
        wanted.resize(self.runs.groups(), 0);
        for (run, _) in self.run_of.iter().zip(&*open).filter(|(_, is_open)| **is_open) {
            if let Some(run) = run {
                wanted[run / 64] |= 1 << (run % 64);
            }
        }
        for (group, wanted) in wanted.iter_mut().enumerate().filter(|(_, wanted)| **wanted != 0) {
            *wanted = folded.runs(&self.runs, group, *wanted, text, &mut [0; 64]);
        }
        for (open, run) in open.iter_mut().zip(&self.run_of) {
            *open &= run.is_none_or(|run| wanted[run / 64] >> (run % 64) & 1 == 1);
        }
    }

    /// Those of some patterns that can match, each with room for its groups.
    pub(super) fn open<'g>(
        &'g self,
        patterns: Range<usize>,
        passed: &'g mut Passed,
    ) -> impl Iterator<Item = (&'g Pattern, &'g mut Option<CaptureLocations>)> {
        let all = self.patterns.iter().zip(&mut passed.places).zip(&passed.open);
        all.take(patterns.end).skip(patterns.start).filter(|(_, is_open)| **is_open).map(|(pattern, _)| pattern)
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
                for (pattern, is_open) in patterns.iter().zip(&passed.open) {
                    let is_match = pattern.is_match(&text[1..text.len() - 1]);
                    assert!(*is_open || !is_match, "seed {seed}: {} matches {text:?}", pattern.as_str());
                    matches += usize::from(is_match);
                    open += usize::from(*is_open);
                }
            }
        }
        assert!(matches > 3_000 && open < 90_000, "{matches} matches, {open} let through");
    }
}
