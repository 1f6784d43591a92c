//! The obvious loop: every rule in order, the first that applies wins. The reference for the index.

use crate::model::Rule;

use super::Candidate;
use super::condition::applies;

/// The first rule that applies, by its place.
#[must_use]
pub fn first(rules: &[Rule], candidate: Candidate<'_>) -> Option<usize> {
    rules.iter().position(|rule| applies(rule, candidate))
}
