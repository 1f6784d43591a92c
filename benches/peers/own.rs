//! The engines of this crate.

#![allow(clippy::unnecessary_wraps, reason = "all engines are built in the same way; others may fail")]

use faultbook::matcher::{Lexicon, Matcher, Scratch, Work, plain};
use faultbook::{Failure, Rule};

use super::engine::{Built, Case, Engine};

/// A matcher, with facts that were read before the clock runs. What it works in is one for all failures, as a thread has
/// it and as the other engines have it.
struct Own {
    matcher: Matcher,
    by_index: bool,
    /// For each case its facts; the last one is for failures as they come.
    scratches: Vec<Scratch>,
    work: Work,
    unprepared: Scratch,
}

/// The ordered matcher.
pub fn index(rules: &[Rule]) -> Built {
    built(rules, true)
}

/// The reference: every rule in order.
pub fn plain(rules: &[Rule]) -> Built {
    built(rules, false)
}

fn built(rules: &[Rule], by_index: bool) -> Built {
    let matcher = Matcher::new(rules.to_vec(), Lexicon::default());
    Ok(Box::new(Own {
        matcher,
        by_index,
        scratches: Vec::new(),
        work: Work::default(),
        unprepared: Scratch::default(),
    }))
}

impl Engine for Own {
    fn prepare(&mut self, cases: &[Case<'_>]) {
        self.scratches.clear();
        for case in cases {
            let mut scratch = Scratch::default();
            self.matcher.facts(case.failure, None, &mut scratch);
            self.scratches.push(scratch);
        }
    }

    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        let (candidate, _) = self.scratches[case.number].facts_of(case.failure);
        if self.by_index {
            self.work.forget();
            self.matcher.first_of(candidate, &mut self.work)
        } else {
            plain::first(self.matcher.rules(), candidate)
        }
    }

    fn first_of(&mut self, failure: &Failure<'_>) -> Option<usize> {
        let (candidate, work) = self.matcher.facts(failure, None, &mut self.unprepared);
        if self.by_index {
            self.matcher.first_of(candidate, work)
        } else {
            plain::first(self.matcher.rules(), candidate)
        }
    }

    fn bytes(&self) -> Option<usize> {
        self.by_index.then(|| self.matcher.index_bytes())
    }
}
