//! From entries to a rule set. Called only for a book without errors; what an error would have left out gives no set.

use std::collections::HashMap;

use crate::matcher::{Lexicon, Matcher};
use crate::model::{CatalogEntry, Code, Failure, Rule, Template};
use crate::rulefile::{Book, CodeEntry, ExampleEntry, ManifestEntry, RuleEntry, RuleFile};

use super::redact::Redactor;
use super::{RuleSet, digest};

/// Compiles a book; `None` when a part of it is missing.
pub(super) fn compile(book: &Book) -> Option<RuleSet> {
    let manifest = book.manifest.as_ref()?;
    let codes: Vec<CatalogEntry> =
        book.ordered_files().flat_map(|file| &file.codes).map(catalog_entry).collect::<Option<_>>()?;
    let indices: HashMap<&str, usize> =
        codes.iter().enumerate().map(|(index, entry)| (entry.code.as_str(), index)).collect();
    let index_of = |code: &str| indices.get(code).copied();
    let fallback = index_of(&manifest.fallback.as_ref()?.value)?;
    let templates = codes.iter().map(|entry| entry.message.as_deref().map(Template::parse).transpose().ok());
    let templates: Vec<Option<Template>> = templates.collect::<Option<_>>()?;
    let mut rules = Vec::new();
    let mut code_of_rule = Vec::new();
    let mut examples: Vec<Vec<Failure<'static>>> = vec![Vec::new(); codes.len()];
    for file in book.ordered_files() {
        let scoped = |example: &ExampleEntry| in_scope(file, &example.failure.value);
        for entry in &file.rules {
            let code = index_of(&entry.code.value)?;
            examples[code].extend(entry.examples.iter().map(scoped));
            code_of_rule.push(code);
            rules.push(rule(file, entry)?);
        }
        for entry in &file.codes {
            examples[index_of(&entry.code.value)?].extend(entry.examples.iter().map(scoped));
        }
    }
    let families = manifest.families.iter().map(|family| {
        let title = family.title.as_ref().map(|title| title.value.clone()).unwrap_or_default();
        (family.name.value.clone(), title)
    });
    let redactor = Redactor::new(manifest.redact.iter().map(|named| (named.name.value.clone(), named.pattern.clone())));
    let mut set = RuleSet {
        templates,
        matcher: Matcher::new(rules, lexicon(manifest)),
        code_of_rule,
        fallback,
        redactor,
        families: families.collect(),
        examples,
        codes,
        digest: String::new(),
        places: Vec::new(),
    };
    set.digest = digest::digest(&set, manifest);
    Some(set)
}

fn catalog_entry(entry: &CodeEntry) -> Option<CatalogEntry> {
    let text = |field: &Option<crate::diagnostic::Spanned<String>>| field.as_ref().map(|text| text.value.clone());
    Some(CatalogEntry {
        code: Code::parse(&entry.code.value)?,
        title: text(&entry.title)?,
        status: text(&entry.status)?,
        retry: entry.retry.as_ref()?.value,
        action: entry.effective_action()?,
        provisional: entry.provisional,
        retired: text(&entry.retired),
        message: text(&entry.message),
        meaning: text(&entry.meaning)?,
        remedy: entry.remedy.iter().map(|step| step.value.clone()).collect(),
        links: entry.links.iter().map(|link| link.value.clone()).collect(),
        since: text(&entry.since),
    })
}

fn rule(file: &RuleFile, entry: &RuleEntry) -> Option<Rule> {
    Some(Rule {
        id: format!("{}/{}", file.stem, entry.id.value),
        code: Code::parse(&entry.code.value)?,
        connectors: file.connectors.iter().map(|connector| connector.value.clone()).collect(),
        when: entry.when.iter().map(|condition| condition.value.clone()).collect(),
        unless: entry.unless.iter().map(|condition| condition.value.clone()).collect(),
        captures: entry.captures.iter().map(|capture| capture.value.clone()).collect(),
    })
}

/// An example takes the connector of its file when it states none.
pub(super) fn in_scope(file: &RuleFile, failure: &Failure<'static>) -> Failure<'static> {
    let mut failure = failure.clone();
    if failure.connector.is_none() {
        failure.connector = file.connectors.first().map(|connector| connector.value.clone().into());
    }
    failure
}

pub(super) fn lexicon(manifest: &ManifestEntry) -> Lexicon {
    let patterns = |list: &[crate::diagnostic::Spanned<crate::model::Pattern>]| {
        list.iter().map(|pattern| pattern.value.clone()).collect()
    };
    let mut lexicon = Lexicon::new(
        patterns(&manifest.provider_code),
        patterns(&manifest.http_status),
        patterns(&manifest.error_number),
    );
    for (name, parents) in &manifest.ancestors {
        lexicon.add_parents(&name.value, parents.iter().cloned());
    }
    lexicon
}
