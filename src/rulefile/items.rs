//! Where each item of each condition stands: the entries keep the place of a condition as a whole.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::keys;
use super::table::{Value, in_key_order, in_order};

/// The places of one rule's items, in the order of its entry.
#[derive(Debug, Default)]
pub struct ItemPlaces {
    /// For each condition of `when`, for each of its parts, each item. A condition that is no cause selector is one part.
    pub when: Vec<Vec<Vec<Range<usize>>>>,
    /// The same for `unless`.
    pub unless: Vec<Vec<Vec<Range<usize>>>>,
    /// Each capture.
    pub captures: Vec<Range<usize>>,
}

/// The places of the items of all rules of a file that reads without an error, in their order.
#[must_use]
pub fn item_places(text: &str) -> Vec<ItemPlaces> {
    let (table, _) = DeTable::parse_recoverable(text);
    let rules = table.get_ref().get("rules").and_then(|rules| rules.get_ref().as_array());
    rules.into_iter().flatten().map(|rule| rule.get_ref().as_table().map(of_rule).unwrap_or_default()).collect()
}

fn of_rule(rule: &DeTable<'_>) -> ItemPlaces {
    let side = |key| rule.get(key).and_then(|side| side.get_ref().as_table()).map(conditions).unwrap_or_default();
    let captures = rule.get("capture").and_then(|captures| captures.get_ref().as_table());
    let captures = captures.into_iter().flat_map(in_order).map(|(_, value)| value.span()).collect();
    ItemPlaces { when: side("when"), unless: side("unless"), captures }
}

fn conditions(side: &DeTable<'_>) -> Vec<Vec<Vec<Range<usize>>>> {
    let mut found = Vec::new();
    for (key, value) in in_key_order(in_order(side), keys::CONDITIONS) {
        match (key.get_ref().as_ref(), value.get_ref().as_table()) {
            ("attributes", Some(names)) => found.extend(in_order(names).iter().map(|(_, value)| vec![items(value)])),
            ("outermost" | "innermost" | "same_cause", Some(parts)) => {
                let parts = in_key_order(in_order(parts), keys::CAUSE_CONDITIONS);
                found.push(parts.iter().map(|(_, value)| items(value)).collect());
            }
            _ => found.push(vec![items(value)]),
        }
    }
    found
}

/// One item, a list, or `{ all = […] }`.
fn items(value: &Value<'_>) -> Vec<Range<usize>> {
    let list = match value.get_ref() {
        DeValue::Table(map) => map.get("all").unwrap_or(value),
        _ => value,
    };
    match list.get_ref() {
        DeValue::Array(items) => items.iter().map(toml::Spanned::span).collect(),
        _ => vec![list.span()],
    }
}
