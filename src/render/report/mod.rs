//! Reports in the forms that people, editors and CI read. All of them say the same findings in the same order.

#[cfg(feature = "cli")]
mod concise;
#[cfg(feature = "cli")]
mod fingerprint;
#[cfg(feature = "cli")]
mod full;
#[cfg(feature = "cli")]
mod github;
#[cfg(feature = "cli")]
mod gitlab;
mod json;
#[cfg(feature = "cli")]
mod junit;
#[cfg(feature = "cli")]
mod sarif;

#[cfg(feature = "cli")]
pub use concise::concise;
#[cfg(feature = "cli")]
pub use full::full;
#[cfg(feature = "cli")]
pub use github::{github, github_summary};
#[cfg(feature = "cli")]
pub use gitlab::gitlab;
pub use json::{Edit, Finding, Fix, Place, ReportDocument, document};
#[cfg(feature = "cli")]
pub use json::{json, json_lines};
#[cfg(feature = "cli")]
pub use junit::junit;
#[cfg(feature = "cli")]
pub use sarif::sarif;

use crate::diagnostic::{Position, Report, Span};
#[cfg(feature = "cli")]
use crate::diagnostic::{Severity, SourceId};

/// The path of a file, or of the rules directory where it has none that a finding could be in.
#[cfg(feature = "cli")]
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
#[cfg(feature = "cli")]
fn lines(report: &Report, span: &Span) -> (usize, usize) {
    let (start, end) = places(report, span);
    let ends_with_line = end.column == 1 && end.line > start.line;
    (start.line, end.line - usize::from(ends_with_line))
}

/// `3 errors, 1 warning`; nothing for what there is none of.
#[cfg(feature = "cli")]
fn counts(report: &Report) -> String {
    let counts = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| (report.count(severity), severity.as_str()))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| plural(count, noun));
    let counts: Vec<_> = counts.collect();
    if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") }
}

#[cfg(feature = "cli")]
fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What is said where errors are left out of the findings.
#[cfg(feature = "cli")]
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
