//! What the TOML parser says about a text, in words that help, and what it must not be believed after an error.
//!
//! The parser recovers and goes on, so that one slip does not hide the next. What it makes of the entry with the slip
//! is a guess: findings about such an entry would only send people astray.

use std::ops::Range;

use toml::de::Error;

use crate::diagnostic::{Diagnostic, SourceId, Span, floor_char_boundary, lints};

/// One slip may make many syntax errors; more than this many of one file help nobody.
const SHOWN: usize = 20;

/// The findings for the errors of one file, and the entries that the errors stand in.
pub(super) fn findings(source: SourceId, text: &str, errors: &[Error]) -> (Vec<Diagnostic>, Vec<Span>) {
    let mut places: Vec<(usize, Range<usize>, String)> = errors.iter().map(|error| place(text, error)).collect();
    places.sort_by_key(|(_, range, _)| range.start);
    let lines = Lines::new(text);
    let mut findings: Vec<Diagnostic> = Vec::new();
    let mut previous: Option<(usize, &str)> = None;
    for (start, range, message) in &places {
        let line = lines.at(*start);
        // The same complaint line after line follows from the first one, and so does a second one on the same line.
        let follows = previous.is_some_and(|(last, said)| line == last || (said == message && line <= last + 2));
        previous = Some((line, message));
        if follows || findings.len() == SHOWN {
            continue;
        }
        let content = lines.text(line);
        findings.push(Diagnostic::new(lints::TOML_SYNTAX, Span { source, range: range.clone() }, message.clone()).help(help(text, *start, content, message)));
        if text.trim_start().starts_with('{') {
            break;
        }
    }
    let broken = broken(source, text, &lines, &places);
    (findings, broken)
}

fn place(text: &str, error: &Error) -> (usize, Range<usize>, String) {
    let range = error.span().unwrap_or(0..0);
    let start = floor_char_boundary(text, range.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    if is_merge_marker(&text[line_start..line_end]) {
        return (line_start, line_start..line_end, "the file has an unresolved merge conflict".to_owned());
    }
    let end = floor_char_boundary(text, range.end).max(start);
    (start, start..end, error.message().trim().replace('\n', ", "))
}

fn is_merge_marker(line: &str) -> bool {
    ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| line.starts_with(marker))
}

/// What to type instead, by what stands on the line.
fn help(text: &str, at: usize, line: &str, message: &str) -> &'static str {
    let line = line.trim_start();
    if is_merge_marker(line) {
        "Keep one side and delete the lines with `<<<<<<<`, `=======` and `>>>>>>>`."
    } else if text.trim_start().starts_with('{') && at < 4 {
        "This looks like JSON; rule files are TOML: `key = \"value\"` lines under `[table]` headers."
    } else if message == "duplicate key" {
        "Delete one of the two, or give it another name."
    } else if line.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
        "Replace the typographic quotes by straight ones: \" or '."
    } else if message.starts_with("missing comma between array elements") && (line.starts_with('[') || line.contains('=')) {
        "A list above is never closed: put its `]` in front of this line."
    } else if message.starts_with("unclosed table") {
        "Close the header with `]`, and one of two brackets with `]]`."
    } else if message.starts_with("invalid basic string") || message.starts_with("invalid literal string") {
        "Close the text with the quote that opened it; a text of several lines stands in `\"\"\"`."
    } else if line.contains('\\') && line.contains('"') {
        "In double quotes a backslash is an escape; put patterns in single quotes: '\\b…'."
    } else if line.matches('\'').count() % 2 == 1 {
        "An apostrophe ends a text in single quotes: write `\\x27` in a pattern, and other texts in double quotes."
    } else if line.contains(':') && !line.contains('=') {
        "In TOML a key is followed by `=`: `title = \"…\"`."
    } else {
        "Check quotes, brackets and commas; texts stand in quotes, lists in brackets."
    }
}

/// The entries with errors in them: from a header to the next one that is no part of it.
fn broken(source: SourceId, text: &str, lines: &Lines<'_>, places: &[(usize, Range<usize>, String)]) -> Vec<Span> {
    let mut starts = vec![0];
    let mut entry = "";
    for (line, start) in lines.starts.iter().enumerate() {
        let Some(header) = lines.text(line).strip_prefix('[') else { continue };
        let header = header.trim_start_matches('[').split([']', '\n']).next().unwrap_or_default().trim();
        if entry.is_empty() || !header.strip_prefix(entry).is_some_and(|rest| rest.starts_with('.')) {
            entry = header;
            starts.push(*start);
        }
    }
    starts.push(text.len() + 1);
    let has_error = |range: &Range<usize>| {
        let first = places.partition_point(|(start, ..)| *start < range.start);
        places.get(first).is_some_and(|(start, ..)| *start < range.end)
    };
    let entries = starts.windows(2).map(|pair| pair[0]..pair[1]).filter(|range| !range.is_empty());
    entries.filter(has_error).map(|range| Span { source, range }).collect()
}

/// Line starts of a text.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
    }

    fn text(&self, line: usize) -> &'t str {
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        self.text[self.starts[line]..end].trim_end()
    }
}
