//! Fixes applied: new texts of sources.

use std::collections::BTreeMap;

use super::{Edit, Report, SourceId, Sources};

/// A source with its fixes applied.
#[derive(Debug)]
struct Fixed {
    /// The source.
    source: SourceId,
    /// Its new text.
    text: String,
    /// How many findings that settles.
    count: usize,
}

/// The same sources with other texts, and how many findings the fixes of the report settle; none when it has no fix.
#[must_use]
pub fn apply(report: &Report) -> Option<(Sources, usize)> {
    let fixed = fixed(report);
    let count = fixed.iter().map(|fixed| fixed.count).sum();
    let mut sources = report.sources().clone();
    for fixed in fixed {
        sources.set_text(fixed.source, fixed.text);
    }
    (count > 0).then_some((sources, count))
}

/// The sources that the fixes of a report change. A fix that overlaps with one before it waits for the next report.
fn fixed(report: &Report) -> Vec<Fixed> {
    let mut edits: BTreeMap<SourceId, Vec<&Edit>> = BTreeMap::new();
    let mut counts: BTreeMap<SourceId, usize> = BTreeMap::new();
    for fix in report.diagnostics().iter().filter_map(|finding| finding.fix.as_ref()) {
        let is_free = |edit: &Edit| {
            let taken = edits.get(&edit.span.source).map_or(&[][..], Vec::as_slice);
            taken.iter().all(|other| {
                other.span.range.end < edit.span.range.start || edit.span.range.end < other.span.range.start
            })
        };
        let Some(first) = fix.edits.first() else { continue };
        if fix.edits.iter().all(is_free) {
            *counts.entry(first.span.source).or_default() += 1;
            for edit in &fix.edits {
                edits.entry(edit.span.source).or_default().push(edit);
            }
        }
    }
    let mut fixed = Vec::new();
    for (source, mut edits) in edits {
        edits.sort_by_key(|edit| edit.span.range.start);
        let mut text = report.sources().get(source).text.clone();
        for edit in edits.iter().rev() {
            if text.get(edit.span.range.clone()).is_some() {
                text.replace_range(edit.span.range.clone(), &edit.text);
            }
        }
        fixed.push(Fixed { source, text, count: counts.get(&source).copied().unwrap_or_default() });
    }
    fixed
}
