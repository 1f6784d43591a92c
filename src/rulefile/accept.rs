//! `accept`: findings that somebody has looked at and lets stand, with a reason.

use std::ops::Range;

use crate::diagnostic::{
    Acceptance, Accepted, Diagnostic, LINT_NAMES, LINTS, Lint, Severity, Span, Spanned, did_you_mean, lints,
};

use super::table::{Context, Table};
use super::{Book, keys, syntax};

/// One item of `accept`.
#[derive(Debug)]
pub struct AcceptEntry {
    /// The kind of finding.
    pub lint: Spanned<&'static Lint>,
    /// Why it may stand.
    pub reason: String,
    /// The entry whose findings it is about.
    pub entry: Span,
}

/// Reads the `accept` of an entry: a table in braces, or everything from its header to the next one.
pub(super) fn read(ctx: &mut Context, table: &Table<'_>, range: &Range<usize>, text: &str) {
    let Some(first) = table.get("accept") else { return };
    let is_inline = text.get(range.clone()).is_some_and(|written| written.starts_with('{'));
    let entry = if is_inline { range.clone() } else { syntax::entry(text, first.span().start) };
    read_items(ctx, table, &entry, text);
}

/// Reads the `accept` of a whole file.
pub(super) fn read_of_file(ctx: &mut Context, table: &Table<'_>, text: &str) {
    read_items(ctx, table, &(0..text.len() + 1), text);
}

fn read_items(ctx: &mut Context, table: &Table<'_>, entry: &Range<usize>, text: &str) {
    for item in table.tables(ctx, "accept") {
        let Some(table) = Table::open(ctx, item, text, keys::ACCEPT, "an item of `accept`") else { continue };
        let (name, reason) = (table.text(ctx, "lint"), table.text(ctx, "reason"));
        let (Some(name), Some(reason)) = (name, reason) else { continue };
        let Some(lint) = LINTS.iter().find(|lint| lint.name == name.value) else {
            let help = did_you_mean(&name.value, LINT_NAMES.iter().copied());
            ctx.report(lints::UNKNOWN_WORD, name.span.range, format!("unknown finding `{}`", name.value), help);
            continue;
        };
        if lint.acceptance == Acceptance::Never {
            let help = format!("Correct what it is about; `faultbook explain {}` says why it matters.", lint.name);
            let message = format!("`{}` cannot be accepted", lint.name);
            ctx.report(lints::ACCEPTANCE_REFUSED, name.span.range, message, help);
            continue;
        }
        let (lint, entry) = (Spanned { value: *lint, span: name.span }, ctx.span(entry.clone()));
        ctx.accepted.push(AcceptEntry { lint, reason: reason.value, entry });
    }
}

/// Takes out what is accepted, and reports what accepts nothing, if all findings are there: those of a set with errors
/// are not, and nobody can tell from them whether an acceptance is needed.
pub fn settle(book: &Book, findings: &mut Vec<Diagnostic>, are_complete: bool) -> Vec<Accepted> {
    let mut needed = vec![false; book.accepted.len()];
    let mut accepted = Vec::new();
    findings.retain(|finding| {
        let place = &finding.primary.span;
        let accepts = |entry: &AcceptEntry| {
            entry.lint.value == finding.lint
                && entry.entry.source == place.source
                && entry.entry.range.contains(&place.range.start)
        };
        let Some(index) = book.accepted.iter().position(accepts) else { return true };
        needed[index] = true;
        accepted.push(Accepted { finding: finding.clone(), reason: book.accepted[index].reason.clone() });
        false
    });
    if !are_complete || findings.iter().any(|finding| finding.lint.severity == Severity::Error) {
        return accepted;
    }
    for (entry, _) in book.accepted.iter().zip(needed).filter(|(_, needed)| !needed) {
        if entry.lint.value.acceptance == Acceptance::Always {
            let message = format!("nothing here is found that `{}` could accept", entry.lint.value.name);
            let finding = Diagnostic::new(lints::ACCEPTANCE_UNNEEDED, entry.lint.span.clone(), message);
            findings.push(finding.help("Delete it from `accept`."));
        }
    }
    accepted
}
