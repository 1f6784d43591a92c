//! How a file is written: TOML 1.0, with LF.

use std::ops::Range;

use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Fix, SourceId, Span, lints};

/// Reports what only TOML 1.1 has, the first of each table or text.
pub(in crate::rulefile) fn newer_syntax(
    source: SourceId,
    text: &str,
    root: &DeTable<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    for (key, value) in root {
        escapes(source, text, key.span(), findings);
        values(source, text, value, findings);
    }
}

fn values(source: SourceId, text: &str, value: &TomlSpanned<DeValue<'_>>, findings: &mut Vec<Diagnostic>) {
    match value.get_ref() {
        DeValue::String(_) => escapes(source, text, value.span(), findings),
        DeValue::Array(items) => items.iter().for_each(|item| values(source, text, item, findings)),
        DeValue::Table(table) => {
            inline_table(source, text, value.span(), table, findings);
            for (key, value) in table {
                escapes(source, text, key.span(), findings);
                values(source, text, value, findings);
            }
        }
        _ => {}
    }
}

/// Escapes that TOML 1.0 does not know.
fn escapes(source: SourceId, text: &str, range: Range<usize>, findings: &mut Vec<Diagnostic>) {
    let written = text.get(range.clone()).unwrap_or_default();
    if !written.starts_with('"') {
        return;
    }
    let mut bytes = written.bytes().enumerate();
    while let Some((_, byte)) = bytes.next() {
        if byte != b'\\' {
            continue;
        }
        let Some((at, escape @ (b'e' | b'x'))) = bytes.next() else { continue };
        let span = Span { source, range: range.start + at - 1..range.start + at + 1 };
        let message = format!("`\\{}` is an escape of TOML 1.1", char::from(escape));
        findings.push(
            Diagnostic::new(lints::NEWER_TOML, span, message)
                .help("Write it with four digits, such as `\\u001B`; a pattern stands in single quotes."),
        );
        return;
    }
}

/// Line ends and a comma at the end, between the braces of a table but outside of its values.
fn inline_table(
    source: SourceId,
    text: &str,
    range: Range<usize>,
    table: &DeTable<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    if !text.get(range.clone()).is_some_and(|written| written.starts_with('{') && written.ends_with('}')) {
        return;
    }
    let mut inside = Vec::new();
    parts(table, text, &mut inside);
    inside.sort_by_key(|part| part.start);
    let mut at = range.start + 1;
    let mut gaps = Vec::new();
    for part in inside {
        if part.start > at {
            gaps.push(at..part.start);
        }
        at = at.max(part.end);
    }
    let last = at..range.end - 1;
    let line_end = gaps.iter().chain([&last]).find_map(|gap| Some(gap.start + text.get(gap.clone())?.find('\n')?));
    let comma = text.get(last.clone()).and_then(|gap| Some(last.start + gap.find(',')?));
    let is_line = line_end.is_some();
    let Some(place) = line_end.map(|at| if text[..at].ends_with('\r') { at - 1 } else { at }).or(comma) else { return };
    let (message, help) = if is_line {
        ("a table in braces that spans lines is TOML 1.1", "Write it on one line, or as a `[table]` of its own.")
    } else {
        ("a comma behind the last value of a table is TOML 1.1", "Delete the comma.")
    };
    let mut finding = Diagnostic::new(lints::NEWER_TOML, Span { source, range: place..place + 1 }, message).help(help);
    if !is_line {
        finding.fix = Some(Fix::replace(Span { source, range: place..place + 1 }, ""));
    }
    findings.push(finding);
}

/// Keys and values of a table; tables of dotted keys have no braces of their own.
fn parts(table: &DeTable<'_>, text: &str, found: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        found.push(key.span());
        let is_dotted = text.get(value.span()).is_none_or(|written| !written.starts_with('{'));
        match value.get_ref() {
            DeValue::Table(inner) if is_dotted => parts(inner, text, found),
            _ => found.push(value.span()),
        }
    }
}

/// Reports the first line that ends in CR LF.
pub(in crate::rulefile) fn carriage_returns(source: SourceId, text: &str, findings: &mut Vec<Diagnostic>) {
    if let Some(at) = text.find("\r\n") {
        let count = text.matches("\r\n").count();
        let span = Span { source, range: at..at + 1 };
        let lines = if count == 1 { "1 line ends".to_owned() } else { format!("{count} lines end") };
        findings.push(
            Diagnostic::new(lints::CARRIAGE_RETURN, span, format!("{lines} in CR LF"))
                .help("Save the file with LF, and let version control keep it: `*.toml text eol=lf`."),
        );
    }
}
