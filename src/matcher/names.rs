//! Exception types, each worked out once: its plain name, its base types, and the type patterns that fit it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::model::TypeName;

use super::Lexicon;
use super::table::{KeyId, TypeTable};

/// A number of a plain type name.
pub(crate) type NameId = u32;

/// Names that are remembered at most, and their bytes: connectors may send whatever they like as a type.
const NAMES: usize = 4_096;
const BYTES: usize = 1024 * 1024;

/// The type names that were seen so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// As sent → plain; none where nothing is left of the name.
    by_raw: HashMap<Box<str>, Option<NameId>, RandomState>,
    by_plain: HashMap<Box<str>, NameId, RandomState>,
    known: Vec<Name>,
    bytes: usize,
}

/// A type by its plain name.
#[derive(Debug)]
pub struct Name {
    full: Box<str>,
    slashed: Box<str>,
    keys: Box<[KeyId]>,
    /// Base types by the rules' own knowledge, worked out when they are first asked for.
    ancestors: Option<Box<[NameId]>>,
}

impl Name {
    /// The whole name, nested types joined by a dot.
    #[must_use]
    pub fn full(&self) -> &str {
        &self.full
    }

    /// The same with slashes between the segments, as globs want it.
    pub(crate) fn slashed(&self) -> &str {
        &self.slashed
    }

    /// The keys of the type patterns that fit the name.
    pub(crate) fn keys(&self) -> &[KeyId] {
        &self.keys
    }
}

impl Names {
    /// Forgets everything when too much has come together. Numbers from before mean nothing any more.
    pub(crate) fn make_room(&mut self) {
        if self.by_raw.len() > NAMES || self.known.len() > 2 * NAMES || self.bytes > BYTES {
            *self = Self::default();
        }
    }

    /// The name of a type as it was sent; `None` when nothing is left of it.
    pub(crate) fn of_raw(&mut self, raw: &str, types: &TypeTable) -> Option<NameId> {
        if let Some(&known) = self.by_raw.get(raw) {
            return known;
        }
        let id = TypeName::parse(raw).map(|name| self.of_plain(&name, types));
        self.bytes += raw.len();
        self.by_raw.insert(raw.into(), id);
        id
    }

    fn of_plain(&mut self, name: &TypeName<'_>, types: &TypeTable) -> NameId {
        if let Some(&id) = self.by_plain.get(name.full()) {
            return id;
        }
        let id = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let full: Box<str> = name.full().into();
        let slashed = full.replace('.', "/").into_boxed_str();
        let keys = types.keys(&full, &slashed);
        self.bytes += 3 * full.len() + size_of::<Name>();
        self.by_plain.insert(full.clone(), id);
        self.known.push(Name { full, slashed, keys, ancestors: None });
        id
    }

    /// Appends the base types that the rules know of a type.
    pub(crate) fn ancestors(&mut self, id: NameId, lexicon: &Lexicon, types: &TypeTable, lineage: &mut Vec<NameId>) {
        if self.get(id).ancestors.is_none() {
            let known = lexicon.ancestors(&TypeName::from_plain(&self.get(id).full));
            let ids = known.iter().map(|name| self.of_plain(name, types)).collect();
            self.known[id as usize].ancestors = Some(ids);
        }
        let name = self.get(id);
        lineage.extend_from_slice(name.ancestors.as_deref().unwrap_or_default());
    }

    pub(crate) fn get(&self, id: NameId) -> &Name {
        &self.known[id as usize]
    }
}
