//! `gitlab`: a code quality report.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::render::escape;

use super::{fingerprint, lines, path};

/// One finding, as GitLab reads it.
#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// The findings as GitLab's code quality report. Paths have to be relative to the repository.
#[must_use]
pub fn gitlab(report: &Report) -> String {
    let fingerprints = fingerprint::fingerprints(report);
    let issues =
        report.diagnostics().iter().zip(fingerprints).map(|(finding, fingerprint)| issue(report, finding, fingerprint));
    escape::pretty_json(&issues.collect::<Vec<_>>())
}

fn issue(report: &Report, finding: &Diagnostic, fingerprint: String) -> Issue {
    let (begin, end) = lines(report, &finding.primary.span);
    let description = match &finding.help {
        Some(help) => format!("{}. {help}", finding.message),
        None => finding.message.clone(),
    };
    let severity = match finding.lint.severity {
        Severity::Error => "critical",
        Severity::Warning => "minor",
        Severity::Note => "info",
    };
    let location = Location { path: path(report, finding.primary.span.source), lines: Lines { begin, end } };
    Issue { description, check_name: finding.lint.name, fingerprint, severity, location }
}
