//! What a set must keep of the one that it takes the place of while connectors go on asking.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Sources, Span, lints};
use crate::matcher::Scratch;
use crate::model::CatalogEntry;
use crate::rulefile::{Book, CodeEntry, RuleFile};

use super::RuleSet;
use super::promise::{Move, moves};

/// Codes that are gone or mean something else, and rules that are gone without another one knowing their failures: what
/// a file that was cut off between two entries looks like.
pub(super) fn losses(before: &RuleSet, set: &RuleSet, book: &Book, sources: &Sources) -> Vec<Diagnostic> {
    let described: HashMap<&str, (&RuleFile, &CodeEntry)> =
        book.codes().map(|(file, entry)| (entry.code.value.as_str(), (file, entry))).collect();
    let mut findings = Vec::new();
    for issued in before.codes() {
        let code = issued.code.as_str();
        match (described.get(code), set.code(code)) {
            (Some((_, entry)), Some(_)) => changed_meaning(issued, entry, &mut findings),
            _ => findings.push(
                Diagnostic::new(
                    lints::CODE_VANISHED,
                    book.manifest_span(),
                    format!("`{code}` is in force and described in no rule file"),
                )
                .help(format!(
                    "Bring `[codes.{code}]` back; a code that is no longer issued keeps its entry with `retired = \"why\"`."
                )),
            ),
        }
    }
    // A lock says that nothing was cut off: who published the set took the rules out.
    if !sources.is_locked() {
        vanished_rules(before, set, book, sources, &mut findings);
    }
    findings
}

fn changed_meaning(issued: &CatalogEntry, entry: &CodeEntry, findings: &mut Vec<Diagnostic>) {
    let code = &issued.code;
    for step in moves(issued.into(), entry.into()) {
        let span = step.place(entry).clone();
        findings.push(match step {
            Move::Retired => continue,
            Move::Revived => {
                Diagnostic::new(lints::RETIRED_CODE_REUSED, span, format!("`{code}` is retired in the rules in force"))
                    .help("Keep `retired = \"why\"` on it and take the next free number for the new meaning.")
            }
            Move::Status(..) | Move::Retry(..) | Move::Action(..) => {
                let (facet, issued, now) = (step.facet(), step.from(), step.to());
                let message = format!("`{code}` is in force with {facet} `{issued}`, here it has `{now}`");
                Diagnostic::new(lints::CODE_CHANGED_MEANING, span, message)
                    .help(format!("Write `{facet} = \"{issued}\"`; for another meaning take a new code."))
            }
        });
    }
}

fn vanished_rules(before: &RuleSet, set: &RuleSet, book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let kept: HashSet<&str> = set.rules().iter().map(|rule| rule.id.as_str()).collect();
    let mut lost = HashSet::new();
    let (mut scratch, mut scratch_before) = (Scratch::default(), Scratch::default());
    for failure in before.codes().iter().flat_map(|entry| before.examples_of(&entry.code)) {
        let Some(rule) = before.diagnose(failure, &mut scratch_before).rule else { continue };
        // Of a code that is gone its rules are gone as well.
        let is_told = kept.contains(rule.id.as_str()) || set.code(rule.code.as_str()).is_none();
        if is_told || set.diagnose(failure, &mut scratch).rule.is_some() || !lost.insert(&rule.id) {
            continue;
        }
        let stem = rule.id.split('/').next().unwrap_or_default();
        let span = sources.find(&format!("{stem}.toml")).map_or_else(|| book.manifest_span(), Span::start_of);
        let message =
            format!("rule `{}` is in force and not in this set, and no other rule knows its example", rule.id);
        findings.push(Diagnostic::new(lints::RULE_VANISHED, span, message).help(
            "Bring the rule back if the file was cut off; if it is to go, publish the set with `faultbook publish`.",
        ));
    }
}
