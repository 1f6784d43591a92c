//! The digest of a set: what decides, in a canonical form, without comments, layout and examples.

use serde::Serialize;

use crate::diagnostic::Spanned;
use crate::model::{Action, Code, Pattern, RetryClass, Rule, TypeName};
use crate::rulefile::{ManifestEntry, sha256};

use super::RuleSet;

/// Raised whenever the engine decides differently on the same rules.
const ENGINE: u32 = 1;

/// What decides. Its fields are written in this order, whatever the JSON library does to maps.
#[derive(Serialize)]
struct Canonical<'s> {
    engine: u32,
    /// Sorted: the order of codes decides nothing.
    codes: Vec<Facets<'s>>,
    fallback: &'s Code,
    rules: &'s [Rule],
    /// In the order of the manifest: of two types with one short name the first is meant.
    ancestors: Vec<(&'s str, Vec<&'s str>)>,
    facts: [Vec<&'s str>; 3],
    redact: Vec<(&'s str, &'s str)>,
}

/// Code, title, status, retry class, action and message template.
type Facets<'s> = (&'s Code, &'s str, &'s str, RetryClass, Action, Option<&'s str>);

pub(super) fn digest(set: &RuleSet, manifest: &ManifestEntry) -> String {
    let mut codes: Vec<_> = set
        .codes
        .iter()
        .map(|entry| (&entry.code, &*entry.title, &*entry.status, entry.retry, entry.action, entry.message.as_deref()))
        .collect();
    codes.sort_by_key(|(code, ..)| *code);
    let ancestors = manifest.ancestors.iter();
    let canonical = Canonical {
        engine: ENGINE,
        codes,
        fallback: &set.fallback().code,
        rules: set.rules(),
        ancestors: ancestors
            .map(|(name, bases)| (name.value.full(), bases.iter().map(TypeName::full).collect()))
            .collect(),
        facts: [patterns(&manifest.provider_code), patterns(&manifest.http_status), patterns(&manifest.error_number)],
        redact: manifest.redact.iter().map(|named| (&*named.name.value, named.pattern.as_str())).collect(),
    };
    // Texts and numbers only: writing them to memory cannot fail.
    format!("sha256:{}", sha256(&serde_json::to_vec(&canonical).unwrap_or_default()))
}

fn patterns(list: &[Spanned<Pattern>]) -> Vec<&str> {
    list.iter().map(|pattern| pattern.value.as_str()).collect()
}
