//! What a rule set costs beside look-ups: patterns that are tried on messages.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Sources, Span, lints};
use crate::matcher::Tried;
use crate::rulefile::Book;

use super::RuleSet;

/// Patterns of one rule that are shown; the last one says how many follow.
const SHOWN: usize = 5;

/// A note for each pattern that nothing leads to but trying it.
pub(super) fn tried_patterns(set: &RuleSet, book: &Book, sources: &Sources) -> Vec<Diagnostic> {
    // Rules are numbered in the order of the book.
    let entries: Vec<_> = book.ordered_files().flat_map(|file| &file.rules).collect();
    let tried: Vec<Tried<'_>> = set.matcher.tried_patterns().collect();
    let mut findings = Vec::new();
    for of_rule in tried.chunk_by(|a, b| a.rule == b.rule) {
        for (number, tried) in (1..=SHOWN).zip(of_rule) {
            let Some(condition) = entries.get(tried.rule).and_then(|entry| entry.when.get(tried.place)) else {
                continue;
            };
            let more = if number == SHOWN { of_rule.len() - SHOWN } else { 0 };
            findings.push(note(*tried, &condition.span, more, sources));
        }
    }
    findings
}

fn note(tried: Tried<'_>, condition: &Span, more: usize, sources: &Sources) -> Diagnostic {
    let mut message = if tried.is_pattern {
        format!("pattern `{}` requires no text that could be looked for", tried.text)
    } else {
        format!("literal `{}` says too little to be looked for", tried.text)
    };
    if more > 0 {
        message = format!("{message}, like {more} more of this rule");
    }
    let label = match tried.run_bytes {
        Some(bytes) => format!("tried only on messages with a matching run of {bytes} bytes"),
        None => "runs on every message that no earlier rule decides".to_owned(),
    };
    let range = item(&sources.get(condition.source).text, &condition.range, tried.text);
    let span = Span { source: condition.source, range: range.unwrap_or_else(|| condition.range.clone()) };
    Diagnostic::new(lints::PATTERN_WITHOUT_TEXT, span, message)
        .label(label)
        .help("Say a word that must stand there, or add a type, code or status to the rule.")
}

/// Where a condition holds an item in quotes as it was read; none when it was written with escapes.
fn item(text: &str, condition: &Range<usize>, item: &str) -> Option<Range<usize>> {
    let written = text.get(condition.clone())?;
    ['\'', '"'].iter().find_map(|quote| {
        let quoted = format!("{quote}{item}{quote}");
        let start = condition.start + written.find(&quoted)?;
        Some(start..start + quoted.len())
    })
}
