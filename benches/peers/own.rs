//! The engines of this crate.

#![allow(clippy::unnecessary_wraps, reason = "all engines are built in the same way; others may fail")]

use faultbook::matcher::plain;
use faultbook::{Failure, Rule};

use super::engine::{Built, Case, Engine, candidate};

/// The reference: every rule in order, with evidence.
struct Plain(Vec<Rule>);

pub fn plain(rules: &[Rule]) -> Built {
    Ok(Box::new(Plain(rules.to_vec())))
}

impl Engine for Plain {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        plain::first(&self.0, &case.candidate).map(|(index, _)| index)
    }

    fn first_of(&mut self, failure: &Failure) -> Option<usize> {
        plain::first(&self.0, &candidate(failure)).map(|(index, _)| index)
    }
}

/// The ordered matcher. Until the index is here, this is the reference under its name.
pub fn index(rules: &[Rule]) -> Built {
    plain(rules)
}
