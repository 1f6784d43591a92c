//! Reports in the forms that people, editors and CI read. All of them say the same findings in the same order.

mod concise;
mod fingerprint;
mod full;
mod github;
mod gitlab;
mod json;
mod junit;
mod sarif;

pub use concise::concise;
pub use full::full;
pub use github::{github, github_summary};
pub use gitlab::gitlab;
pub use json::{Edit, Finding, Fix, Place, ReportDocument, document, json, json_lines};
pub use junit::junit;
pub use sarif::sarif;

use crate::diagnostic::{Position, Report, Severity, SourceId, Span};

/// The path of a file, or of the rules directory where it has none that a finding could be in.
fn path(report: &Report, source: SourceId) -> String {
    let path = report.sources().path(source);
    path.strip_suffix("/.").unwrap_or(&path).to_owned()
}

/// Where a place starts and ends, the end exclusive.
fn places(report: &Report, span: &Span) -> (Position, Position) {
    let sources = report.sources();
    (sources.position(span.source, span.range.start), sources.position(span.source, span.range.end))
}

/// Where a place starts, and the last line that anything of it stands on.
fn lines(report: &Report, span: &Span) -> (usize, usize) {
    let (start, end) = places(report, span);
    let ends_with_line = end.column == 1 && end.line > start.line;
    (start.line, end.line - usize::from(ends_with_line))
}

/// `3 errors, 1 warning`; nothing for what there is none of.
fn counts(report: &Report) -> String {
    let counts = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| (report.count(severity), severity.as_str()))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| plural(count, noun));
    let counts: Vec<_> = counts.collect();
    if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What is said where errors are left out of the findings.
fn hidden(report: &Report) -> Option<String> {
    let count = report.hidden_errors();
    let are = if count == 1 { "is" } else { "are" };
    (count > 0).then(|| {
        format!(
            "{} {are} left out of this report by `--only` or `--skip`; the set does not load",
            plural(count, "error")
        )
    })
}
