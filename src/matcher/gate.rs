//! Patterns that read facts from messages, behind a gate: only those whose required texts and runs occur are tried.

use regex::CaptureLocations;

use crate::model::Pattern;

use super::facts::Folded;
use super::runs::RunSet;
use super::scan::TextSet;
use super::table::Numbering;

/// A list of patterns with what must occur for each of them to match.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    patterns: Vec<Pattern>,
    texts: std::sync::Arc<TextSet>,
    /// For each text, the patterns that it is required by.
    needed_by: Vec<Vec<usize>>,
    runs: std::sync::Arc<RunSet>,
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
        let texts = TextSet::new(texts.into_things()).into();
        Self { patterns, texts, needed_by, runs: RunSet::new(runs.into_things()).into(), run_of }
    }

    /// Looks which patterns can match in a text: those of which a text occurs, and of these those of which the run does.
    pub(super) fn look(&self, text: &str, folded: &mut Folded, passed: &mut Passed) {
        let Passed { open, wanted, places } = passed;
        places.resize_with(self.patterns.len(), || None);
        open.clear();
        open.extend(self.patterns.iter().map(|pattern| pattern.requirement().texts.is_empty()));
        self.texts
            .scan(folded.of(text), |text| self.needed_by[text as usize].iter().for_each(|&index| open[index] = true));
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

    /// The patterns that can match, each with room for its groups.
    pub(crate) fn open<'g>(
        &'g self,
        passed: &'g mut Passed,
    ) -> impl Iterator<Item = (&'g Pattern, &'g mut Option<CaptureLocations>)> {
        let all = self.patterns.iter().zip(&mut passed.places).zip(&passed.open);
        all.filter(|(_, is_open)| **is_open).map(|(pattern, _)| pattern)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}
