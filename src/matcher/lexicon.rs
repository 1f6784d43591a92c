//! What the rules know about texts and types before any rule is tried: facts in texts, and base types.

use std::collections::HashMap;
use std::ops::Range;

use crate::model::{Pattern, TypeName, limits};

use super::gate::Gate;

/// Patterns that read facts from texts, and the base types of exception types.
#[derive(Debug, Default)]
pub struct Lexicon {
    /// Patterns for codes of the remote side, of which every match is a code, for the HTTP status, of which the first
    /// that finds a status decides, and for error numbers, of which every match is a number. Behind one gate: a text is
    /// looked through once for all of them.
    pub(super) gate: Gate,
    /// Where the patterns for codes, for statuses and for numbers stand among those of the gate.
    pub(super) kinds: [Range<usize>; 3],
    /// Full type name → direct base types.
    parents: HashMap<String, Vec<TypeName<'static>>>,
    /// Short type name → full type name, for types that a text gives without their namespace.
    full_names: HashMap<String, String>,
}

impl Lexicon {
    /// A lexicon with patterns for facts and no base types yet.
    #[must_use]
    pub fn new(provider_code: Vec<Pattern>, http_status: Vec<Pattern>, error_number: Vec<Pattern>) -> Self {
        let mut patterns = Vec::new();
        let kinds = [provider_code, http_status, error_number].map(|kind| {
            let start = patterns.len();
            patterns.extend(kind);
            start..patterns.len()
        });
        Self { gate: Gate::new(patterns), kinds, ..Self::default() }
    }

    /// Adds the base types of a type. The first full name with a given short name is the one that short names mean.
    pub fn add_parents(&mut self, name: &TypeName<'_>, parents: impl IntoIterator<Item = TypeName<'static>>) {
        self.full_names.entry(name.short().to_owned()).or_insert_with(|| name.full().to_owned());
        self.parents.entry(name.full().to_owned()).or_default().extend(parents);
    }

    /// The base types of a type and their base types, nearest first, each once.
    #[must_use]
    pub fn ancestors(&self, name: &TypeName<'_>) -> Vec<TypeName<'static>> {
        let mut found: Vec<TypeName<'static>> = Vec::new();
        let mut next = 0;
        let mut current = Some(self.direct_parents(name));
        while let Some(parents) = current {
            for parent in parents {
                if found.len() < limits::ANCESTORS && parent.full() != name.full() && !found.contains(parent) {
                    found.push(parent.clone());
                }
            }
            current = found.get(next).map(|ancestor| self.direct_parents(ancestor));
            next += 1;
        }
        found
    }

    fn direct_parents(&self, name: &TypeName<'_>) -> &[TypeName<'static>] {
        let full = if name.is_short() {
            self.full_names.get(name.full()).map_or(name.full(), String::as_str)
        } else {
            name.full()
        };
        self.parents.get(full).map_or(&[], Vec::as_slice)
    }
}
