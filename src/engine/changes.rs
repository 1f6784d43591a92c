//! What a new set changes.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

use crate::model::{CatalogEntry, Rule};
use crate::ruleset::RuleSet;

/// What a set changes beside the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Changes {
    /// Codes; one that is gone cannot be, one that is no longer issued is retired.
    pub codes: Difference,
    /// Rules, by their ids.
    pub rules: Difference,
    /// Whether rules that both sets have are tried in another order.
    pub reordered: bool,
}

/// Names that were added, changed, or taken out of use, each list in the order of the sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Difference {
    /// In the new set alone.
    pub added: Vec<String>,
    /// In both, and not the same.
    pub changed: Vec<String>,
    /// Codes that were retired; rules that are gone.
    pub retired: Vec<String>,
}

impl Difference {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.retired.is_empty()
    }
}

impl Changes {
    pub(super) fn between(before: &RuleSet, after: &RuleSet) -> Self {
        let code = |entry: &CatalogEntry| (entry.code.to_string(), entry.clone());
        let codes = |set: &RuleSet| set.codes().iter().map(code).collect::<Vec<_>>();
        // Rules hold compiled patterns; what they say is what they are written as.
        let rule = |rule: &Rule| (rule.id.clone(), serde_json::to_string(rule).unwrap_or_default());
        let rules = |set: &RuleSet| set.rules().iter().map(rule).collect::<Vec<_>>();
        let mut of_codes = difference(&codes(before), &codes(after));
        let is_retired = |set: &RuleSet, code: &str| set.code(code).is_some_and(|entry| entry.retired.is_some());
        let (retired, changed) =
            of_codes.changed.into_iter().partition(|code| is_retired(after, code) && !is_retired(before, code));
        of_codes.changed = changed;
        of_codes.retired = retired;
        Self { codes: of_codes, rules: difference(&rules(before), &rules(after)), reordered: reordered(before, after) }
    }
}

fn difference<T: PartialEq>(before: &[(String, T)], after: &[(String, T)]) -> Difference {
    let (old, new) = (by_name(before), by_name(after));
    let names = |list: &[(String, T)], keep: &dyn Fn(&str, &T) -> bool| {
        list.iter().filter(|(name, value)| keep(name, value)).map(|(name, _)| name.clone()).collect()
    };
    Difference {
        added: names(after, &|name, _| !old.contains_key(name)),
        changed: names(after, &|name, value| old.get(name).is_some_and(|old| *old != value)),
        retired: names(before, &|name, _| !new.contains_key(name)),
    }
}

fn by_name<K: Eq + Hash + AsRef<str>, T>(list: &[(K, T)]) -> HashMap<&str, &T> {
    list.iter().map(|(name, value)| (name.as_ref(), value)).collect()
}

fn reordered(before: &RuleSet, after: &RuleSet) -> bool {
    let places: HashMap<&str, usize> =
        before.rules().iter().enumerate().map(|(place, rule)| (rule.id.as_str(), place)).collect();
    let places: Vec<usize> = after.rules().iter().filter_map(|rule| places.get(rule.id.as_str()).copied()).collect();
    !places.is_sorted()
}
