//! The loop that one would write by hand, with care.

use faultbook::{Failure, Rule};
use regex::Regex;

use super::engine::{Built, Case, Engine, Facts};
use super::prepared::Prepared;

/// One `Regex::is_match` after the other, in rule order, and only where everything else holds.
struct Loop {
    prepared: Prepared,
    regexes: Vec<Regex>,
}

pub fn naive(rules: &[Rule]) -> Built {
    let prepared = Prepared::new(rules)?;
    let regexes = prepared.patterns.iter().map(|pattern| Regex::new(pattern)).collect::<Result<_, _>>()?;
    Ok(Box::new(Loop { prepared, regexes }))
}

impl Loop {
    fn run(&self, facts: &Facts<'_>) -> Option<usize> {
        self.prepared.first(facts, |pattern| {
            let regex = &self.regexes[pattern];
            facts.texts.iter().any(|text| regex.is_match(text))
        })
    }
}

impl Engine for Loop {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        self.run(&case.facts)
    }

    fn first_of(&mut self, failure: &Failure) -> Option<usize> {
        self.run(&Facts::new(failure))
    }
}
