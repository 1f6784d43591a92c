//! The obvious loop: every rule in order, the first that applies wins. The reference for faster matchers.

use crate::model::Rule;

use super::{Candidate, Witness, witnesses};

/// The first rule that applies, by index, with what made its conditions hold.
#[must_use]
pub fn first<'c>(rules: &[Rule], candidate: &'c Candidate<'_>) -> Option<(usize, Vec<Witness<'c>>)> {
    rules.iter().enumerate().find_map(|(index, rule)| Some((index, witnesses(rule, candidate)?)))
}
