//! The files of a set and the manifest's order.

use crate::diagnostic::{Diagnostic, Source, SourceId, Sources, Span, Spanned, did_you_mean, lints, nearest};
use crate::model::limits;
use crate::rulefile::{Book, LEDGER, MANIFEST};

use super::repeated;

/// The manifest's part of a minimal set, for those who start one.
const MINIMAL: &str = "Create it with `format = 1`, `order = [\"my-rules.toml\"]`, `fallback = \"DSUNK001\"`, `statuses = [\"Failed\"]` and `[families.DSUNK]`.";

pub(super) fn manifest_missing(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    // A directory that cannot be read lacks nothing that anybody knows of: its finding is that it cannot be read.
    let is_unread = !sources.findings().is_empty() && sources.iter().all(|(_, source)| source.name == ".");
    if book.manifest.is_none() && sources.find(MANIFEST).is_none() && !is_unread {
        let source = sources.iter().next().map_or(SourceId(0), |(id, _)| id);
        let message = format!("the rules directory has no `{MANIFEST}`");
        findings.push(Diagnostic::new(lints::MANIFEST_MISSING, Span::start_of(source), message).help(MINIMAL));
    }
}

pub(super) fn file_not_listed(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(manifest) = book.sound_manifest() else { return };
    for file in book.files.iter().filter(|_| !manifest.order.is_empty()) {
        let name = format!("{}.toml", file.stem);
        // A file that is listed under a misspelt name is reported there.
        let is_meant = |listed: &Spanned<String>| {
            sources.find(&listed.value).is_none() && meant(&listed.value, &[&name]).is_some()
        };
        if manifest.order.iter().all(|listed| listed.value != name && !is_meant(listed)) {
            let message = format!("`{name}` is not in the manifest's `order`, so none of its rules is ever tried");
            let finding = Diagnostic::new(lints::FILE_NOT_LISTED, Span::start_of(file.source), message);
            findings.push(finding.help(format!("Add `\"{name}\"` to `order` in `{MANIFEST}`, or delete the file.")));
        }
    }
}

pub(super) fn empty_file(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(manifest) = &book.manifest else { return };
    for file in book.files.iter().filter(|file| file.codes.is_empty() && file.rules.is_empty()) {
        let name = format!("{}.toml", file.stem);
        // One that nobody lists is reported as such.
        if manifest.order.iter().all(|listed| listed.value != name) {
            continue;
        }
        let text = &sources.get(file.source).text;
        // What is wrong with a file that holds something is said where it stands.
        if !book.has_gaps && !text.contains("[codes") && !text.contains("[[rules") {
            let message = format!("`{name}` has no codes and no rules");
            let finding = Diagnostic::new(lints::EMPTY_FILE, Span::start_of(file.source), message);
            findings.push(finding.help("Describe a code or a rule in it, or delete the file and its name in `order`."));
        }
    }
}

pub(super) fn file_missing(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(manifest) = &book.manifest else { return };
    for listed in &manifest.order {
        let is_rule_file = |source: &Source| source.name != MANIFEST && source.name != LEDGER;
        if !sources.iter().any(|(_, source)| source.name == listed.value && is_rule_file(source)) {
            let names: Vec<_> = sources
                .iter()
                .map(|(_, source)| source)
                .filter(|source| is_rule_file(source))
                .map(|source| source.name.as_str())
                .collect();
            let message = format!("`order` names `{}`, which is no rule file of this set", listed.value);
            let finding = Diagnostic::new(lints::FILE_MISSING, listed.span.clone(), message);
            findings.push(match meant(&listed.value, &names) {
                Some(name) => {
                    finding.help(format!("Did you mean `{name}`?")).replace(listed.span.clone(), format!("\"{name}\""))
                }
                None => finding.help(did_you_mean(&listed.value, names)),
            });
        }
    }
    for (again, first) in repeated(&manifest.order) {
        let message = format!("`{}` is listed twice", again.value);
        findings.push(
            Diagnostic::new(lints::DUPLICATE_NAME, again.span.clone(), message)
                .also(first.span.clone(), "first here")
                .help("Delete one of the two."),
        );
    }
}

/// The file that a wrong name in `order` stands for.
fn meant<'n>(listed: &str, names: &[&'n str]) -> Option<&'n str> {
    let bare = listed.rsplit('/').next().unwrap_or(listed);
    let is_same = |name: &&&str| **name == bare || name.strip_suffix(".toml") == Some(bare);
    names.iter().find(is_same).copied().or_else(|| nearest(listed, names.iter().copied()))
}

pub(super) fn too_many_entries(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let of_rules = book.rules().map(|(_, rule)| rule.examples.len() + rule.counterexamples.len()).sum::<usize>();
    let examples = of_rules + book.codes().map(|(_, code)| code.examples.len()).sum::<usize>();
    let counts = [
        (book.rules().count(), limits::RULES, "rules", "Put several alternatives into one rule with a list."),
        (examples, limits::EXAMPLES, "examples and counterexamples", "Keep those that tell a rule from its neighbors."),
    ];
    for (count, limit, what, help) in counts.into_iter().filter(|(count, limit, ..)| count > limit) {
        let message = format!("the set has {count} {what}, more than {limit}");
        findings.push(Diagnostic::new(lints::LIMIT_EXCEEDED, book.manifest_span(), message).help(help));
    }
}
