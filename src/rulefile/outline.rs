//! Which entry stands where: the names and places of codes, rules and examples, without what they say.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{SourceId, Sources, Span};

/// The entries of a set, by file and place. Of a file that is not TOML as a whole it holds what can be read.
#[derive(Debug, Default)]
pub struct Outline {
    entries: Vec<OutlineEntry>,
}

/// An entry, or a part of one that stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineEntry {
    /// The file.
    pub source: SourceId,
    /// What it is.
    pub kind: EntryKind,
    /// The id of a rule or the code; of an example with a number behind it.
    pub name: String,
    /// Where it stands.
    range: Range<usize>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A code, in a rule file or in the ledger.
    Code,
    /// A rule.
    Rule,
    /// A failure that must get a code.
    Example,
}

impl Outline {
    /// Reads the names and places of all entries.
    #[must_use]
    pub fn read(sources: &Sources) -> Self {
        let mut entries = Vec::new();
        for (id, source) in sources.iter().filter(|(_, source)| !source.is_refused) {
            let (table, _) = DeTable::parse_recoverable(&source.text);
            let mut file = File { source: id, text: &source.text, entries: Vec::new() };
            file.read(table.get_ref());
            entries.extend(file.finish());
        }
        Self { entries }
    }

    /// The entries of a file, in its order.
    pub fn of(&self, source: SourceId) -> impl Iterator<Item = &OutlineEntry> {
        self.entries.iter().filter(move |entry| entry.source == source)
    }

    /// The innermost entry that a place is in.
    #[must_use]
    pub fn at(&self, place: &Span) -> Option<&OutlineEntry> {
        self.of(place.source).filter(|entry| entry.range.contains(&place.range.start)).last()
    }
}

struct File<'t> {
    source: SourceId,
    text: &'t str,
    entries: Vec<OutlineEntry>,
}

impl File<'_> {
    fn read(&mut self, root: &DeTable<'_>) {
        for (key, value) in root.get("codes").and_then(|value| value.get_ref().as_table()).into_iter().flatten() {
            let name = key.get_ref().to_string();
            self.add(EntryKind::Code, name.clone(), key.span().start.min(value.span().start)..value.span().end, value);
            self.examples(&name, value, "examples", "example");
        }
        for value in root.get("rules").and_then(|value| value.get_ref().as_array()).into_iter().flatten() {
            let id = value.get_ref().as_table().and_then(|rule| rule.get("id")).and_then(|id| id.get_ref().as_str());
            let Some(id) = id else { continue };
            self.add(EntryKind::Rule, id.to_owned(), value.span(), value);
            self.examples(id, value, "examples", "example");
            self.examples(id, value, "counterexamples", "counterexample");
        }
    }

    fn examples(&mut self, owner: &str, value: &Spanned<DeValue<'_>>, key: &str, noun: &str) {
        let examples = value.get_ref().as_table().and_then(|table| table.get(key));
        let examples = examples.and_then(|value| value.get_ref().as_array()).into_iter().flatten();
        for (index, example) in examples.enumerate() {
            let name = format!("{owner}: {noun} {}", index + 1);
            self.add(EntryKind::Example, name, example.span(), example);
        }
    }

    /// Adds an entry; one with a header goes on to the next header, whose place is known in the end.
    fn add(&mut self, kind: EntryKind, name: String, mut range: Range<usize>, value: &Spanned<DeValue<'_>>) {
        if self.text.get(value.span()).is_some_and(|written| written.starts_with('[')) {
            range.end = usize::MAX;
        }
        self.entries.push(OutlineEntry { source: self.source, kind, name, range });
    }

    fn finish(mut self) -> Vec<OutlineEntry> {
        self.entries.sort_by_key(|entry| entry.range.start);
        let mut next_entry = self.text.len() + 1;
        let mut next_header = next_entry;
        for entry in self.entries.iter_mut().rev() {
            let ends_with_header = entry.range.end == usize::MAX;
            if ends_with_header {
                entry.range.end = if entry.kind == EntryKind::Example { next_header } else { next_entry };
                next_header = entry.range.start;
            }
            if ends_with_header && entry.kind != EntryKind::Example {
                next_entry = entry.range.start;
            }
        }
        self.entries
    }
}
