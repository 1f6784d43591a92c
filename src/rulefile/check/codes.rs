//! Codes: who owns them, whether their words are known, whether they can be issued.

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Sources, did_you_mean, lints, only_near};
use crate::model::Code;
use crate::rulefile::Book;

use super::repeated;

pub(super) fn unknown_family(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(manifest) = book.sound_manifest() else { return };
    let families: HashSet<&str> = manifest.families.iter().map(|family| family.name.value.as_str()).collect();
    for (_, entry) in book.codes().filter(|_| !families.is_empty()) {
        let Some(code) = Code::parse(&entry.code.value) else { continue };
        if !families.contains(code.family()) {
            let near = crate::diagnostic::nearest(
                code.family(),
                manifest.families.iter().map(|family| family.name.value.as_str()),
            );
            let help = match near {
                Some(near) => format!(
                    "Did you mean the family `{near}`? Else add `[families.{}]` to the manifest.",
                    code.family()
                ),
                None => format!("Add `[families.{}]` with a `title` to the manifest.", code.family()),
            };
            let message = format!("`{code}` belongs to no family of the manifest");
            findings.push(Diagnostic::new(lints::UNKNOWN_FAMILY, entry.code.span.clone(), message).help(help));
        }
    }
}

pub(super) fn unknown_status(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(manifest) = book.sound_manifest() else { return };
    let known: Vec<&str> = manifest.statuses.iter().map(|status| status.value.as_str()).collect();
    let set: HashSet<&str> = known.iter().copied().collect();
    for status in book.codes().filter_map(|(_, entry)| entry.status.as_ref()) {
        // Without any, the manifest is what is wrong.
        if !known.is_empty() && !set.contains(status.value.as_str()) {
            let message = format!("unknown status `{}`", status.value);
            let mut finding = Diagnostic::new(lints::UNKNOWN_STATUS, status.span.clone(), message)
                .help(did_you_mean(&status.value, known.iter().copied()));
            if let Some(near) = only_near(&status.value, known.iter().copied()) {
                finding = finding.replace(status.span.clone(), format!("\"{near}\""));
            }
            findings.push(finding);
        }
    }
}

pub(super) fn duplicate_names(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let codes = repeated(book.codes().map(|(_, entry)| &entry.code)).into_iter().map(|pair| (pair, "code"));
    let statuses = book.manifest.iter().flat_map(|manifest| repeated(&manifest.statuses)).map(|pair| (pair, "status"));
    let connectors = book.files.iter().flat_map(|file| repeated(&file.connectors)).map(|pair| (pair, "connector"));
    for ((again, first), what) in codes.chain(statuses).chain(connectors) {
        let message = format!("{what} `{}` is given twice", again.value);
        let finding =
            Diagnostic::new(lints::DUPLICATE_NAME, again.span.clone(), message).also(first.span.clone(), "first here");
        findings.push(finding.help("Delete one of the two, or give the newcomer a name of its own."));
    }
}

pub(super) fn unknown_fallback(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(fallback) = book.manifest.as_ref().and_then(|manifest| manifest.fallback.as_ref()) else { return };
    match book.code(&fallback.value) {
        None if !book.unread.may_describe(&fallback.value) => {
            let codes: Vec<_> = book.codes().map(|(_, entry)| entry.code.value.as_str()).collect();
            let message = format!("the fallback `{}` is described in no rule file", fallback.value);
            let help = match crate::diagnostic::nearest(&fallback.value, codes) {
                Some(near) => format!("Did you mean `{near}`? Else describe it: `[codes.{}]`.", fallback.value),
                None => format!("Describe it: `[codes.{}]`.", fallback.value),
            };
            findings.push(Diagnostic::new(lints::UNKNOWN_CODE, fallback.span.clone(), message).help(help));
        }
        Some(entry) => {
            if let Some(retired) = &entry.retired {
                let message = format!("the fallback `{}` is retired", fallback.value);
                let finding = Diagnostic::new(lints::RULE_GIVES_RETIRED_CODE, fallback.span.clone(), message);
                findings.push(finding.also(retired.span.clone(), "retired here").help("Name another fallback."));
            }
        }
        None => {}
    }
}

pub(super) fn code_without_rule(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    // Without a fallback nobody can tell which code needs no rule.
    let fallback =
        book.manifest.as_ref().and_then(|manifest| manifest.fallback.as_ref()).map(|code| code.value.as_str());
    let Some(fallback) = fallback.filter(|code| book.code(code).is_some()) else { return };
    let given: HashSet<&str> = book.rules().map(|(_, rule)| rule.code.value.as_str()).collect();
    let described: HashSet<&str> = book.codes().map(|(_, entry)| entry.code.value.as_str()).collect();
    // A rule whose code is misspelt, or that cannot be read, may be the one that is missing.
    if !book.broken.is_empty() || given.iter().any(|code| !described.contains(code)) {
        return;
    }
    for (_, entry) in book.codes() {
        let code = entry.code.value.as_str();
        let is_given = given.contains(code) || fallback == code || book.unread.may_give(code);
        if entry.retired.is_none() && !is_given {
            let finding =
                Diagnostic::new(lints::CODE_WITHOUT_RULE, entry.code.span.clone(), format!("no rule gives `{code}`"));
            findings.push(
                finding.help(format!("Add a `[[rules]]` entry with `code = \"{code}\"`, or say why it is `retired`.")),
            );
        }
    }
}
