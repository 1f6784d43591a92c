//! Whether entries fit together: one function for each lint, over the whole book.

mod codes;
mod files;
mod ledger;
mod rules;
mod templates;
pub(super) mod text;

use crate::diagnostic::{Diagnostic, Sources, Spanned};

use super::Book;

/// All findings that need more than one entry to see.
#[must_use]
pub fn check(book: &Book, sources: &Sources) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let checks: &[fn(&Book, &Sources, &mut Vec<Diagnostic>)] = &[
        files::manifest_missing,
        files::file_not_listed,
        files::file_missing,
        files::too_many_entries,
        codes::unknown_family,
        codes::unknown_status,
        codes::duplicate_names,
        codes::unknown_fallback,
        codes::code_without_rule,
        rules::duplicate_ids,
        rules::unknown_code,
        rules::gives_retired_code,
        rules::without_example,
        templates::template_syntax,
        templates::template_variable,
        ledger::ledger_missing,
        ledger::code_vanished,
        ledger::code_changed_meaning,
        ledger::retired_code_reused,
        ledger::code_not_in_ledger,
    ];
    for check in checks {
        check(book, sources, &mut findings);
    }
    findings
}

/// Pairs of a name that is given again and the place where it was given first.
fn repeated<'n>(
    names: impl IntoIterator<Item = &'n Spanned<String>>,
) -> Vec<(&'n Spanned<String>, &'n Spanned<String>)> {
    let mut first = std::collections::HashMap::new();
    let mut again = Vec::new();
    for name in names {
        match first.entry(name.value.as_str()) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(name);
            }
            std::collections::hash_map::Entry::Occupied(entry) => again.push((name, *entry.get())),
        }
    }
    again
}
