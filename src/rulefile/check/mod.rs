//! Whether entries fit together: one function for each lint, over the whole book.

mod codes;
pub(super) mod dialect;
mod files;
mod ledger;
mod patterns;
mod reach;
mod rules;
mod templates;
pub(super) mod text;
mod words;

use crate::diagnostic::{Diagnostic, Severity, Sources, Spanned};

use super::Book;

/// Looks for one kind of finding, or for a few that belong together.
type Check = fn(&Book, &Sources, &mut Vec<Diagnostic>);

/// All findings that need more than one entry to see.
#[must_use]
pub fn check(book: &Book, sources: &Sources) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let of_entries: &[Check] = &[
        files::manifest_missing,
        files::file_not_listed,
        files::file_missing,
        files::empty_file,
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
        templates::foreign_placeholders,
        ledger::ledger_missing,
        ledger::code_vanished,
        ledger::code_changed_meaning,
        ledger::retired_code_reused,
        ledger::code_not_in_ledger,
        words::untidy_titles,
        words::placeholder_texts,
        words::codes_in_messages,
        words::superfluous_actions,
        words::insecure_links,
        words::provisional_codes,
        words::ancestor_cycles,
    ];
    let of_the_whole: &[Check] = &[
        patterns::superfluous_wildcards,
        patterns::catch_all_rules,
        reach::contradictions,
        reach::shadowed,
        reach::superfluous,
        words::unused_statuses,
        words::unused_families,
        words::unused_captures,
        templates::variables_never_set,
        words::duplicate_titles,
        words::similar_names,
        words::duplicate_examples,
    ];
    for check in of_entries {
        check(book, sources, &mut findings);
    }
    let has_unread_files = sources.findings().iter().any(|finding| finding.lint.severity == Severity::Error);
    for check in of_the_whole.iter().filter(|_| !book.has_gaps && !has_unread_files) {
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
