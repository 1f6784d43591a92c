//! Many globs looked up at once: by the whole text, by how it begins or ends, and one by one only where neither is known.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

use crate::model::{Access, TypePattern};

/// A number of a distinct item of conditions: a type pattern, a provider code, a required text.
pub(crate) type KeyId = u32;

/// Globs with their keys.
#[derive(Debug)]
pub(crate) struct GlobTable<P> {
    exact: HashMap<Box<str>, KeyId, RandomState>,
    prefixes: Affixes<P>,
    suffixes: Affixes<P>,
    rest: Vec<(P, KeyId)>,
}

/// Globs by a text that everything they match begins or ends with.
#[derive(Debug)]
struct Affixes<P> {
    globs: HashMap<Box<str>, Vec<(P, KeyId)>, RandomState>,
    /// The lengths of the texts, each once.
    lengths: Vec<usize>,
}

impl<P> Default for GlobTable<P> {
    fn default() -> Self {
        let affixes = || Affixes { globs: HashMap::default(), lengths: Vec::new() };
        Self { exact: HashMap::default(), prefixes: affixes(), suffixes: affixes(), rest: Vec::new() }
    }
}

impl<P> GlobTable<P> {
    /// Adds a glob under what is known about the texts it matches.
    pub(crate) fn add(&mut self, access: Access<'_>, glob: P, key: KeyId) {
        match access {
            Access::Exact(text) => {
                self.exact.insert(text.into(), key);
            }
            Access::Prefix(text) => self.prefixes.add(text, glob, key),
            Access::Suffix(text) => self.suffixes.add(text, glob, key),
            Access::Any => self.rest.push((glob, key)),
        }
    }

    /// Calls `found` with the key of every glob that matches; without a text, those that could match anything.
    pub(crate) fn look_up(&self, text: Option<&str>, matches: impl Fn(&P) -> bool, mut found: impl FnMut(KeyId)) {
        if let Some(&key) = text.and_then(|text| self.exact.get(text)) {
            found(key);
        }
        let mut try_all = |globs: &[(P, KeyId)]| {
            globs.iter().filter(|(glob, _)| matches(glob)).for_each(|&(_, key)| found(key));
        };
        try_all(&self.rest);
        let Some(text) = text else { return };
        for &length in &self.prefixes.lengths {
            if let Some(globs) = text.get(..length).and_then(|prefix| self.prefixes.globs.get(prefix)) {
                try_all(globs);
            }
        }
        for &length in &self.suffixes.lengths {
            let suffix = text.len().checked_sub(length).and_then(|start| text.get(start..));
            if let Some(globs) = suffix.and_then(|suffix| self.suffixes.globs.get(suffix)) {
                try_all(globs);
            }
        }
    }

    /// Bytes of the table, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let affixes = |affixes: &Affixes<P>| affixes.globs.capacity() * (40 + size_of::<P>());
        self.exact.capacity() * 48
            + affixes(&self.prefixes)
            + affixes(&self.suffixes)
            + self.rest.len() * size_of::<P>()
    }
}

impl<P> Affixes<P> {
    fn add(&mut self, text: &str, glob: P, key: KeyId) {
        if let Err(place) = self.lengths.binary_search(&text.len()) {
            self.lengths.insert(place, text.len());
        }
        self.globs.entry(text.into()).or_default().push((glob, key));
    }
}

/// Type patterns with their keys: those on short names and those on full names.
#[derive(Debug, Default)]
pub(crate) struct TypeTable {
    short: GlobTable<TypePattern>,
    full: GlobTable<TypePattern>,
}

impl TypeTable {
    pub(crate) fn add(&mut self, pattern: &TypePattern, key: KeyId) {
        let table = if pattern.is_short() { &mut self.short } else { &mut self.full };
        table.add(pattern.access(), pattern.clone(), key);
    }

    /// The keys of the patterns that fit a plain name, given with dots and with slashes between its segments.
    pub(crate) fn keys(&self, full: &str, slashed: &str) -> Box<[KeyId]> {
        let mut keys = Vec::new();
        let matches = |pattern: &TypePattern| pattern.matches_plain(full, slashed);
        let short = full.rsplit('.').next().unwrap_or_default();
        self.short.look_up(Some(short), matches, |key| keys.push(key));
        self.full.look_up(Some(full), matches, |key| keys.push(key));
        keys.into_boxed_slice()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.short.bytes() + self.full.bytes()
    }
}

/// Numbers things in the order in which they come, each once.
#[derive(Debug)]
pub(crate) struct Numbering<T> {
    ids: HashMap<T, u32, RandomState>,
}

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Self { ids: HashMap::default() }
    }
}

impl<T: Eq + Hash> Numbering<T> {
    /// The number of a thing, and whether it is new.
    pub(crate) fn number(&mut self, thing: T) -> (u32, bool) {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        let id = *self.ids.entry(thing).or_insert(next);
        (id, id == next)
    }

    /// How many things have a number.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The numbers by thing.
    pub(crate) fn into_ids(self) -> HashMap<T, u32, RandomState> {
        self.ids
    }

    /// The things in the order of their numbers.
    pub(crate) fn into_things(self) -> Vec<T> {
        let mut things: Vec<(u32, T)> = self.ids.into_iter().map(|(thing, id)| (id, thing)).collect();
        things.sort_unstable_by_key(|(id, _)| *id);
        things.into_iter().map(|(_, thing)| thing).collect()
    }
}
