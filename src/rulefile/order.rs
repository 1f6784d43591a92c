//! The order of keys: that of the key tables.
//!
//! Names of the author's choice (codes, captures, attributes) keep the author's order. Keys that the rule language does
//! not know come last.

use std::collections::HashMap;
use std::ops::Range;

use super::document::{self, Document, Entry, Name, Section};
use super::keys::{self, Key, Kind};
use super::{LEDGER, MANIFEST};

/// What the rule language says about a place in a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// Keys of a known table.
    Keys(&'static [Key]),
    /// Names of the author's choice, each with a known table.
    Names(&'static [Key]),
    /// Patterns, perhaps by name or in lists.
    Patterns,
    /// Anything else that the rule language knows.
    Other,
    /// What stands under a key that it does not know.
    Unknown,
}

impl Shape {
    /// The shape of a file, by its name below the rules directory.
    pub(super) fn of_file(name: &str) -> Self {
        match name {
            MANIFEST => Self::Keys(keys::MANIFEST),
            LEDGER => Self::Keys(keys::LEDGER),
            _ => Self::Keys(keys::RULE_FILE),
        }
    }

    fn of(key: &Key) -> Self {
        match key.kind {
            Kind::Table(keys) | Kind::Tables(keys) => Self::Keys(keys),
            Kind::TablesByName(keys, _) => Self::Names(keys),
            Kind::Patterns | Kind::NamedPatterns(_) => Self::Patterns,
            Kind::Condition if key.name == "message" => Self::Patterns,
            _ => Self::Other,
        }
    }

    /// Where a key leads to.
    pub(super) fn under(self, path: &[Name<'_>]) -> Self {
        path.iter().fold(self, |shape, name| shape.step(&name.plain).1)
    }

    /// The place of a key among its neighbors, where the rule language has one for it, and where it leads to.
    fn step(self, name: &str) -> (Option<usize>, Self) {
        match self {
            Self::Keys(keys) => match keys.iter().position(|key| key.name == name) {
                Some(at) => (Some(at), Self::of(&keys[at])),
                None => (Some(usize::MAX), Self::Unknown),
            },
            Self::Names(keys) => (None, Self::Keys(keys)),
            Self::Patterns | Self::Other | Self::Unknown => (None, self),
        }
    }

    /// For each path its place among the others; equal places stay in the order of the file.
    fn places(self, paths: &[&[Name<'_>]]) -> Vec<Vec<usize>> {
        let mut seen: HashMap<Vec<&str>, usize> = HashMap::new();
        let mut places = Vec::with_capacity(paths.len());
        for (index, path) in paths.iter().enumerate() {
            let mut shape = self;
            let mut place = Vec::with_capacity(path.len());
            for (depth, name) in path.iter().enumerate() {
                let (known, next) = shape.step(&name.plain);
                // Names stand where the first entry of the name stands.
                place.push(known.unwrap_or_else(|| {
                    let prefix = path[..=depth].iter().map(|name| name.plain.as_ref()).collect();
                    *seen.entry(prefix).or_insert(index)
                }));
                shape = next;
            }
            places.push(place);
        }
        places
    }

    /// The entries of one table in the order of its keys, as indices.
    fn order(self, entries: &[Entry<'_>]) -> Vec<usize> {
        let paths: Vec<&[Name<'_>]> = entries.iter().map(|entry| &entry.path[..]).collect();
        let places = self.places(&paths);
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by(|&a, &b| places[a].cmp(&places[b]));
        order
    }

    /// Puts the entries of one table in the order of its keys.
    pub(super) fn sort(self, entries: &mut Vec<Entry<'_>>) {
        let order = self.order(entries);
        permute(entries, &order);
    }
}

fn permute<T>(items: &mut Vec<T>, order: &[usize]) {
    let mut taken: Vec<Option<T>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.iter().filter_map(|&index| taken[index].take()));
}

/// Puts the tables below each entry in the order of its keys: `[[rules.examples]]` in front of
/// `[[rules.counterexamples]]`. Entries themselves stay where the author has put them.
pub(super) fn arrange(document: &mut Document<'_>, file: Shape) {
    let sections = std::mem::take(&mut document.sections);
    document.sections = groups(sections).into_iter().flat_map(|group| arranged(group, file)).collect();
}

/// A table with those below it.
fn arranged(mut group: Vec<Section<'_>>, file: Shape) -> Vec<Section<'_>> {
    let below = group.split_off(1.min(group.len()));
    let path = group.first().and_then(|section| section.header.as_ref()).map(|header| header.path.clone());
    let (Some(path), false) = (path, below.is_empty()) else { return group };
    let mut groups = groups(below);
    let order = {
        let paths: Vec<&[Name<'_>]> = groups
            .iter()
            .map(|group| group.first().and_then(|section| section.header.as_ref()))
            .map(|header| header.map_or(&[][..], |header| &header.path[path.len().min(header.path.len())..]))
            .collect();
        let places = file.under(&path).places(&paths);
        let mut order: Vec<usize> = (0..paths.len()).collect();
        order.sort_by(|&a, &b| places[a].cmp(&places[b]));
        order
    };
    permute(&mut groups, &order);
    group.extend(groups.into_iter().flat_map(|group| arranged(group, file)));
    group
}

/// Tables together with the tables below them that follow.
fn groups(sections: Vec<Section<'_>>) -> Vec<Vec<Section<'_>>> {
    let mut groups: Vec<Vec<Section<'_>>> = Vec::new();
    for section in sections {
        let is_below = |first: &Section<'_>| match (&first.header, &section.header) {
            (Some(first), Some(header)) => {
                header.path.len() > first.path.len()
                    && first.path.iter().zip(&header.path).all(|(a, b)| a.plain == b.plain)
            }
            _ => false,
        };
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(is_below) => group.push(section),
            _ => groups.push(vec![section]),
        }
    }
    groups
}

/// A table whose keys stand in another order than in the rule language, and what puts that right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disorder {
    /// The first key that stands too far down.
    pub key: Range<usize>,
    /// The key in front of which it belongs.
    pub before: Range<usize>,
    /// The lines of the table's keys, with the comments above and beside them.
    pub lines: Range<usize>,
    /// The same lines in the order of the rule language.
    pub text: String,
}

/// Every table of a rule file whose keys are out of order, each with its lines in order: a fix that changes nothing but
/// the order of lines. The keys of inline tables are not looked at.
///
/// `name` is the file's name below the rules directory; the text must be valid TOML.
#[must_use]
pub fn disorders(name: &str, text: &str) -> Vec<Disorder> {
    let file = Shape::of_file(name);
    let document = document::read(text);
    document.sections.iter().filter_map(|section| disorder(section, file, text)).collect()
}

fn disorder(section: &Section<'_>, file: Shape, text: &str) -> Option<Disorder> {
    let shape = section.header.as_ref().map_or(file, |header| file.under(&header.path));
    let entries = &section.entries;
    let order = shape.order(entries);
    let (at, &first) = order.iter().enumerate().find(|(at, index)| at != *index)?;
    let sorted: Vec<&str> = order.iter().filter_map(|&index| text.get(entries[index].lines.clone())).collect();
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    Some(Disorder {
        key: entries[first].key.clone(),
        before: entries[at].key.clone(),
        lines: entries.first()?.lines.start..entries.last()?.lines.end,
        text: sorted.join(line_end),
    })
}
