//! What keeps a finding the same finding when lines move: its lint, file, entry and message, without line numbers.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Report};
use crate::rulefile::{self, Outline};

use super::path;

/// The fingerprints of the findings, in their order. No two of a report are the same.
pub(super) fn fingerprints(report: &Report) -> Vec<String> {
    let outline = Outline::read(report.sources());
    let mut seen: HashMap<String, usize> = HashMap::new();
    let fingerprint = |finding: &Diagnostic| {
        let entry = outline.at(&finding.primary.span).map_or("", |entry| &entry.name);
        let file = path(report, finding.primary.span.source);
        let told = format!("{}\0{file}\0{entry}\0{}", finding.lint.name, without_lines(&finding.message));
        let repeat = seen.entry(told.clone()).and_modify(|count| *count += 1).or_default();
        rulefile::sha256(format!("{told}\0{repeat}").as_bytes())
    };
    report.diagnostics().iter().map(fingerprint).collect()
}

/// A message without the numbers of lines: `byte 0xE9 on line 3` says the same on line 4.
fn without_lines(message: &str) -> String {
    let mut parts = message.split("line ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + "line " + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}
