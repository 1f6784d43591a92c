//! Reports: with the source line and carets for people, as one document for machines.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::diagnostic::{Diagnostic, Label, Position, Report, Severity, SourceId, Span};

/// All findings as one JSON document.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportDocument {
    /// Version of this document's shape: 1.
    pub version: u32,
    /// How many findings keep the set from loading.
    pub errors: usize,
    /// How many findings somebody should look at.
    pub warnings: usize,
    /// The findings, sorted by file and position.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
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
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
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

/// The report for people: each finding with its lines, carets and help.
#[must_use]
pub fn full(report: &Report, styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for finding in report.diagnostics() {
        out.push_str(&one(report, finding, &renderer));
        out.push_str("\n\n");
    }
    out
}

fn one(report: &Report, finding: &Diagnostic, renderer: &Renderer) -> String {
    let level = match finding.lint.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let path = report.sources().path(finding.primary.span.source);
    let mut group = level.primary_title(&finding.message).id(finding.lint.name).elements(None::<Snippet<'_, annotate_snippets::Annotation<'_>>>);
    // Labels of one file share a snippet; the finding's own file comes first.
    let mut files: Vec<SourceId> = vec![finding.primary.span.source];
    files.extend(finding.secondary.iter().map(|label| label.span.source).filter(|source| *source != finding.primary.span.source));
    files.dedup();
    let paths: Vec<String> = files.iter().map(|&source| report.sources().path(source)).collect();
    for (&source, path) in files.iter().zip(&paths) {
        let text = &report.sources().get(source).text;
        if text.is_empty() {
            group = group.element(annotate_snippets::Origin::path(path.as_str()));
            continue;
        }
        let mut snippet = Snippet::source(text.as_str()).path(path.as_str());
        let labels = std::iter::once((AnnotationKind::Primary, &finding.primary)).chain(finding.secondary.iter().map(|label| (AnnotationKind::Context, label)));
        for (kind, label) in labels.filter(|(_, label)| label.span.source == source) {
            snippet = snippet.annotation(kind.span(shown(text, &label.span)).label(label.text.as_str()));
        }
        group = group.element(snippet);
    }
    let _ = path;
    let mut groups: Vec<Group<'_>> = vec![group];
    if let Some(help) = &finding.help {
        groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
    }
    renderer.render(&groups)
}

/// A place that spans many lines is shown by its first one.
fn shown(text: &str, span: &Span) -> std::ops::Range<usize> {
    let start = span.range.start.min(text.len());
    let end = span.range.end.min(text.len()).max(start);
    let line_end = text[start..end].find('\n').map_or(end, |newline| start + newline);
    start..line_end.max(start)
}
