//! `full`: each finding with its source lines and carets, for people.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Report, Severity, SourceId, Span, floor_char_boundary};

use crate::render::escaped;

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

/// Bytes of a line that is shown; of a longer one only the place is named.
const LINE_BYTES: usize = 2_000;

fn one(report: &Report, finding: &Diagnostic, renderer: &Renderer) -> String {
    let level = match finding.lint.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = escaped(&finding.message);
    let mut group = level
        .primary_title(title.as_ref())
        .id(finding.lint.name)
        .elements(None::<Snippet<'_, annotate_snippets::Annotation<'_>>>);
    // Labels of one file share a snippet; the finding's own file comes first.
    let mut files: Vec<SourceId> = vec![finding.primary.span.source];
    files.extend(
        finding.secondary.iter().map(|label| label.span.source).filter(|source| *source != finding.primary.span.source),
    );
    files.dedup();
    for &source in &files {
        let text = &report.sources().get(source).text;
        let path = escaped(&report.sources().path(source)).into_owned();
        if text.is_empty() {
            group = group.element(annotate_snippets::Origin::path(path));
            continue;
        }
        let labels = std::iter::once((AnnotationKind::Primary, &finding.primary))
            .chain(finding.secondary.iter().map(|label| (AnnotationKind::Context, label)));
        let labels: Vec<_> = labels
            .filter(|(_, label)| label.span.source == source)
            .map(|(kind, label)| (kind, shown(text, &label.span), escaped(&label.text)))
            .collect();
        // Only the lines between the labels: a snippet of the whole text costs its length for each finding.
        let first = labels.iter().map(|(_, range, _)| range.start).min().unwrap_or_default();
        let last = labels.iter().map(|(_, range, _)| range.end).max().unwrap_or_default();
        let (line, std::ops::Range { start, end: first_end }) = report.sources().line(source, first);
        let (_, std::ops::Range { start: last_start, end }) = report.sources().line(source, last);
        if first_end - start > LINE_BYTES || end - last_start > LINE_BYTES {
            let column = text[start..first].chars().count() + 1;
            group = group.element(annotate_snippets::Origin::path(path).line(line + 1).char_column(column));
            continue;
        }
        let mut snippet = Snippet::source(&text[start..end]).line_start(line + 1).path(path);
        for (kind, range, label) in labels {
            snippet = snippet.annotation(kind.span(range.start - start..range.end - start).label(label.into_owned()));
        }
        group = group.element(snippet);
    }
    let mut groups: Vec<Group<'_>> = vec![group];
    let help = finding.help.as_deref().map(escaped);
    if let Some(help) = &help {
        groups.push(Group::with_title(Level::HELP.secondary_title(help.as_ref())));
    }
    renderer.render(&groups)
}

/// A place that spans many lines is shown by its first one.
fn shown(text: &str, span: &Span) -> std::ops::Range<usize> {
    let start = floor_char_boundary(text, span.range.start);
    let end = floor_char_boundary(text, span.range.end).max(start);
    let line_end = text[start..end].find('\n').map_or(end, |newline| start + newline);
    start..line_end.max(start)
}
