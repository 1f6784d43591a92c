//! `concise`: a line for each finding, as compilers print them.

use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Report};
use crate::render::escaped;

use super::path;

/// One line for each finding: `path:line:column: error[lint] message`.
#[must_use]
pub fn concise(report: &Report) -> String {
    report.diagnostics().iter().fold(String::new(), |mut out, finding| {
        let _ = writeln!(out, "{}", line(report, finding));
        out
    })
}

/// A finding on one line.
pub(super) fn line(report: &Report, finding: &Diagnostic) -> String {
    let span = &finding.primary.span;
    let at = report.sources().position(span.source, span.range.start);
    format!(
        "{}:{}:{}: {}[{}] {}",
        escaped(&path(report, span.source)),
        at.line,
        at.column,
        finding.lint.severity.as_str(),
        finding.lint.name,
        escaped(&finding.message)
    )
}
