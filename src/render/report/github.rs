//! `github`: workflow commands that become annotations, behind the report for the log; and the summary of a job.

use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::render::escaped;
use crate::rulefile;

use super::{concise, counts, full, hidden, lines, path, places};

/// Findings in the summary of a job; GitHub takes 1 MiB.
const SUMMARY_FINDINGS: usize = 200;

/// The report for people, then an annotation for each finding: errors first, since GitHub shows ten of a kind for each
/// step. Paths have to be relative to the repository.
///
/// While the report for people is read, GitHub takes no commands: what stands in a rule file is never one.
#[must_use]
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    let for_people = full(report, false);
    if !for_people.is_empty() {
        // A text cannot hold its own digest, so that nothing in it ends the pause.
        let token = rulefile::sha256(for_people.as_bytes());
        let _ = write!(out, "::stop-commands::{token}\n{for_people}::{token}::\n");
    }
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for finding in report.diagnostics().iter().filter(|finding| finding.lint.severity == severity) {
            let _ = writeln!(out, "{}", command(report, finding));
        }
    }
    if let Some(hidden) = hidden(report) {
        let _ = writeln!(out, "::error title=faultbook::{}", data(&hidden));
    }
    out
}

fn command(report: &Report, finding: &Diagnostic) -> String {
    let kind = match finding.lint.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let span = &finding.primary.span;
    let (start, end) = places(report, span);
    let (line, end_line) = lines(report, span);
    let title = property(&format!("faultbook ({})", finding.lint.name));
    let file = property(&escaped(&path(report, span.source)));
    let mut command = format!("::{kind} title={title},file={file},line={line},endLine={end_line}");
    // GitHub drops an annotation that has columns on several lines.
    if line == end.line {
        let _ = write!(command, ",col={},endColumn={}", start.column, end.column);
    }
    let message = escaped(&finding.message);
    let help = finding.help.as_deref().map(|help| format!("\n{}", escaped(help))).unwrap_or_default();
    let _ = write!(command, "::{}", data(&format!("{message}{help}")));
    command
}

/// The message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary of a job, in Markdown.
#[must_use]
pub fn github_summary(report: &Report) -> String {
    let verdict = if report.has_errors() { "the set does not load" } else { "the set loads" };
    let mut out = format!("### faultbook: {}, {verdict}\n\n", counts(report));
    if let Some(hidden) = hidden(report) {
        let _ = writeln!(out, "{hidden}.\n");
    }
    let findings = report.diagnostics();
    if !findings.is_empty() {
        out.push_str("| Place | Finding | What to type instead |\n|---|---|---|\n");
    }
    for finding in findings.iter().take(SUMMARY_FINDINGS) {
        // The place, then the rest of the line.
        let told = concise::line(report, finding);
        let (place, _) = told.split_once(": ").unwrap_or_default();
        let (severity, lint) = (finding.lint.severity.as_str(), finding.lint.name);
        let help = finding.help.as_deref().unwrap_or_default();
        let _ =
            writeln!(out, "| {} | **{severity}** {lint}: {} | {} |", cell(place), cell(&finding.message), cell(help));
    }
    if findings.len() > SUMMARY_FINDINGS {
        let _ = writeln!(out, "\n{} more are in the log.", findings.len() - SUMMARY_FINDINGS);
    }
    out.push('\n');
    out
}

/// A text in a cell of a table: what it quotes in backticks stays code, everything else is plain.
fn cell(text: &str) -> String {
    let escaped = escaped(text);
    let parts: Vec<&str> = escaped.split('`').collect();
    let balanced = parts.len() % 2 == 1;
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        let is_code = balanced && index % 2 == 1;
        if index > 0 && !is_code && !balanced {
            out.push_str("&#96;");
        }
        out.push_str(if is_code { "<code>" } else { "" });
        for c in part.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '|' | '\\' | '*' | '_' | '[' | ']' | '~' | '@' | '#' | '!' | '$' | ':' => {
                    let _ = write!(out, "&#{};", u32::from(c));
                }
                c => out.push(c),
            }
        }
        out.push_str(if is_code { "</code>" } else { "" });
    }
    out
}
