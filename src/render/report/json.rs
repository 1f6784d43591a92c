//! `json` and `json-lines`: the findings as one document, or one on each line.

use serde::Serialize;

use crate::diagnostic::{self, Label, Position, Report, Severity, Span};
#[cfg(feature = "cli")]
use crate::render::{escape, line};

use super::places;

/// All findings as one JSON document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ReportDocument {
    /// Version of this document's shape: 1.
    pub version: u32,
    /// How many findings keep the set from loading.
    pub errors: usize,
    /// How many findings somebody should look at.
    pub warnings: usize,
    /// How many findings only say what something costs or means.
    pub notes: usize,
    /// How many errors are left out of the findings; the set does not load either.
    pub hidden_errors: usize,
    /// The findings, sorted by file and position.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Finding {
    /// The lint's kebab-case name.
    pub lint: String,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The smallest wrong thing.
    #[serde(flatten)]
    pub place: Place,
    /// Places that the first one disagrees with.
    pub related: Vec<Place>,
    /// What to type instead.
    pub help: Option<String>,
    /// Edits that settle the finding and change nothing else.
    pub fix: Option<Fix>,
}

/// Edits that settle a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Fix {
    /// The edits; they do not overlap.
    pub edits: Vec<Edit>,
}

/// A range of a file, and the text that takes its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Edit {
    /// The file, with the rules directory in front.
    pub file: String,
    /// Where the range starts.
    pub start: Position,
    /// Where the range ends, exclusive; the start, to insert something.
    pub end: Position,
    /// The new text; empty to delete.
    pub text: String,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Place {
    /// The file, with the rules directory in front.
    pub file: String,
    /// Where it starts.
    pub start: Position,
    /// Where it ends, exclusive.
    pub end: Position,
    /// A remark on the place.
    pub label: Option<String>,
}

/// The report as one document.
#[must_use]
pub fn document(report: &Report) -> ReportDocument {
    let place = |label: &Label| place(report, &label.span, &label.text);
    ReportDocument {
        version: 1,
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        notes: report.count(Severity::Note),
        hidden_errors: report.hidden_errors(),
        findings: report
            .diagnostics()
            .iter()
            .map(|finding| Finding {
                lint: finding.lint.name.to_owned(),
                severity: finding.lint.severity,
                message: finding.message.clone(),
                place: place(&finding.primary),
                related: finding.secondary.iter().map(place).collect(),
                help: finding.help.clone(),
                fix: finding
                    .fix
                    .as_ref()
                    .map(|fix| Fix { edits: fix.edits.iter().map(|change| edit(report, change)).collect() }),
            })
            .collect(),
    }
}

fn place(report: &Report, span: &Span, label: &str) -> Place {
    let sources = report.sources();
    Place {
        file: sources.path(span.source),
        start: sources.position(span.source, span.range.start),
        end: sources.position(span.source, span.range.end),
        label: (!label.is_empty()).then(|| label.to_owned()),
    }
}

fn edit(report: &Report, edit: &diagnostic::Edit) -> Edit {
    let (start, end) = places(report, &edit.span);
    Edit { file: report.sources().path(edit.span.source), start, end, text: edit.text.clone() }
}

/// The report as one indented document.
#[cfg(feature = "cli")]
#[must_use]
pub fn json(report: &Report) -> String {
    escape::pretty_json(&document(report))
}

/// A line for each finding, of the same shape as in [`json`].
#[cfg(feature = "cli")]
#[must_use]
pub fn json_lines(report: &Report) -> String {
    document(report).findings.iter().map(|finding| line::to_string(finding) + "\n").collect()
}
