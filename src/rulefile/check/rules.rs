//! Rules: their names, their codes, their examples.

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Sources, Spanned, lints};
use crate::rulefile::Book;

use super::repeated;

pub(super) fn duplicate_ids(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for file in &book.files {
        for (again, first) in repeated(file.rules.iter().map(|rule| &rule.id)) {
            let message = format!("rule id `{}` is given twice in this file", again.value);
            let finding = Diagnostic::new(lints::DUPLICATE_NAME, again.span.clone(), message)
                .also(first.span.clone(), "first here");
            findings.push(finding.help("Rename one of them; decisions carry the id."));
        }
    }
}

pub(super) fn unknown_code(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let known: Vec<&str> = book.codes().map(|(_, entry)| entry.code.value.as_str()).collect();
    let set: HashSet<&str> = known.iter().copied().collect();
    let named = book.rules().flat_map(|(_, rule)| {
        std::iter::once(&rule.code).chain(rule.counterexamples.iter().map(|neighbor| &neighbor.code))
    });
    for code in named.filter(|code| !set.contains(code.value.as_str()) && !book.unread.may_describe(&code.value)) {
        let help = match crate::diagnostic::nearest(&code.value, known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Describe it first: `[codes.{}]`.", code.value),
        };
        findings.push(
            Diagnostic::new(lints::UNKNOWN_CODE, code.span.clone(), format!("unknown code `{}`", code.value))
                .help(help),
        );
    }
}

pub(super) fn gives_retired_code(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, rule) in book.rules() {
        let retired: Option<&Spanned<String>> = book.code(&rule.code.value).and_then(|entry| entry.retired.as_ref());
        if let Some(retired) = retired {
            let message = format!("rule `{}` gives the retired code `{}`", rule.id.value, rule.code.value);
            let finding = Diagnostic::new(lints::RULE_GIVES_RETIRED_CODE, rule.code.span.clone(), message);
            findings.push(
                finding.also(retired.span.clone(), "retired here").help("Delete the rule, or give another code."),
            );
        }
    }
}

pub(super) fn without_example(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, rule) in book.rules().filter(|(_, rule)| !rule.has_examples) {
        let finding = Diagnostic::new(
            lints::RULE_WITHOUT_EXAMPLE,
            rule.id.span.clone(),
            format!("rule `{}` has no example", rule.id.value),
        );
        findings.push(finding.help("Add `[[rules.examples]]` with a `failure` that this rule must win."));
    }
}
