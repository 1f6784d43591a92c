//! The ledger: a code, once issued, never vanishes and never changes its meaning.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Sources, lints};
use crate::model::Code;
use crate::rulefile::{Book, CodeEntry, LEDGER, LedgerEntry};

pub(super) fn ledger_missing(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    if book.ledger.is_none() && sources.find(LEDGER).is_none() && book.manifest.is_some() {
        let message = format!("the set has no `{LEDGER}`; nothing keeps its codes from changing their meaning");
        findings.push(Diagnostic::new(lints::LEDGER_MISSING, book.manifest_span(), message).help(run_ledger(sources)));
    }
}

pub(super) fn code_vanished(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let known: HashSet<&str> = book.codes().map(|(_, entry)| entry.code.value.as_str()).collect();
    let is_code = |line: &&LedgerEntry| Code::parse(&line.code.value).is_some();
    for line in lines(book)
        .filter(is_code)
        .filter(|line| !known.contains(line.code.value.as_str()) && !book.unread.may_describe(&line.code.value))
    {
        let code = &line.code.value;
        let finding = Diagnostic::new(
            lints::CODE_VANISHED,
            line.code.span.clone(),
            format!("issued code `{code}` is described in no rule file"),
        );
        findings.push(finding.help(format!(
            "Bring `[codes.{code}]` back; a code that is no longer issued keeps its entry with `retired = \"why\"`."
        )));
    }
}

pub(super) fn code_changed_meaning(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (line, entry) in known(book) {
        let code = &line.code.value;
        let statuses = book.manifest.as_ref().map_or(&[][..], |manifest| &manifest.statuses);
        // A status that nobody knows is reported as such.
        let status = entry.status.as_ref().filter(|status| statuses.iter().any(|known| known.value == status.value));
        // An action that follows from the retry class has changed with it.
        let follows =
            entry.action.is_none() && line.retry.as_ref().map(|r| r.value) != entry.retry.as_ref().map(|r| r.value);
        let action = entry.effective_action().filter(|_| !follows);
        let retry_place = entry.retry.as_ref().map(|retry| &retry.span);
        let facets = [
            (
                "status",
                line.status.as_ref().map(|s| (s.value.clone(), &s.span)),
                status.map(|s| (s.value.clone(), &s.span)),
            ),
            (
                "retry",
                line.retry.as_ref().map(|r| (r.value.as_str().to_owned(), &r.span)),
                entry.retry.as_ref().map(|r| (r.value.as_str().to_owned(), &r.span)),
            ),
            (
                "action",
                line.action.as_ref().map(|a| (a.value.as_str().to_owned(), &a.span)),
                action
                    .zip(entry.action.as_ref().map(|a| &a.span).or(retry_place))
                    .map(|(action, span)| (action.as_str().to_owned(), span)),
            ),
        ];
        for (facet, issued, now) in facets {
            let (Some((issued, issued_at)), Some((now, now_at))) = (issued, now) else { continue };
            if issued != now {
                let message = format!("`{code}` was issued with {facet} `{issued}`, now it has `{now}`");
                let finding = Diagnostic::new(lints::CODE_CHANGED_MEANING, now_at.clone(), message)
                    .also(issued_at.clone(), "issued like this");
                findings.push(
                    finding.help(format!("Write `{facet} = \"{issued}\"`; for another meaning take a new code.")),
                );
            }
        }
    }
}

pub(super) fn retired_code_reused(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (line, entry) in known(book).filter(|(line, entry)| line.retired && entry.retired.is_none()) {
        let message = format!("`{}` is retired and in use again", line.code.value);
        let finding = Diagnostic::new(lints::RETIRED_CODE_REUSED, entry.code.span.clone(), message)
            .also(line.code.span.clone(), "retired here");
        findings
            .push(finding.help("Keep `retired = \"why\"` on it and take the next free number for the new meaning."));
    }
}

pub(super) fn code_not_in_ledger(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    if book.ledger.is_none() {
        return;
    }
    let issued: HashMap<&str, &LedgerEntry> = lines(book).map(|line| (line.code.value.as_str(), line)).collect();
    for (_, entry) in book.codes().filter(|(_, entry)| Code::parse(&entry.code.value).is_some()) {
        let code = &entry.code.value;
        let finding = match (issued.get(code.as_str()), &entry.retired) {
            (None, _) if book.unread_ledger.may_describe(code) => continue,
            (None, _) => Diagnostic::new(
                lints::CODE_NOT_IN_LEDGER,
                entry.code.span.clone(),
                format!("`{code}` is not in the ledger yet"),
            ),
            (Some(line), Some(retired)) if !line.retired => {
                let message = format!("the ledger does not know yet that `{code}` is retired");
                Diagnostic::new(lints::CODE_NOT_IN_LEDGER, retired.span.clone(), message)
                    .also(line.code.span.clone(), "in use here")
            }
            _ => continue,
        };
        findings.push(finding.help(format!("{} Do so once its meaning is settled.", run_ledger(sources))));
    }
}

fn lines(book: &Book) -> impl Iterator<Item = &LedgerEntry> {
    book.ledger.iter().flat_map(|ledger| &ledger.codes)
}

fn known(book: &Book) -> impl Iterator<Item = (&LedgerEntry, &CodeEntry)> {
    let mut described: HashMap<&str, &CodeEntry> = HashMap::new();
    for (_, entry) in book.codes() {
        described.entry(entry.code.value.as_str()).or_insert(entry);
    }
    lines(book).filter_map(move |line| Some((line, *described.get(line.code.value.as_str())?)))
}

/// The command that enters what the ledger does not know yet.
fn run_ledger(sources: &Sources) -> String {
    let directory = if sources.root().is_empty() { "DIR" } else { sources.root() };
    format!("Run `faultbook ledger {directory} --write`.")
}
