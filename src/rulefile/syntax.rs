//! What the TOML parser says about a text, in words that help, and what of the text can be believed.
//!
//! The parser goes on behind an error, but with a guess. So an entry with an error in it is taken out and the rest is
//! parsed again: one slip hides nothing behind it, and nobody is sent astray by what follows from it.

use std::ops::Range;

use toml::de::{DeTable, Error};

use crate::diagnostic::{Diagnostic, SourceId, Span, floor_char_boundary, lints};

/// Entries of one file with errors that are shown; somebody who has more of them has another problem.
const ROUNDS: usize = 20;

/// Errors that are looked at; a text with more of them is not worth another round.
const ERRORS: usize = 10_000;

/// A text with errors, taken apart.
pub(super) struct Slips {
    pub(super) findings: Vec<Diagnostic>,
    /// Entries with errors in them.
    pub(super) broken: Vec<Span>,
    /// The text with blanks in place of these entries.
    pub(super) rest: String,
}

/// Takes out what has errors, entry by entry.
pub(super) fn slips(source: SourceId, text: &str, mut errors: Vec<Error>) -> Slips {
    let lines = Lines::new(text);
    let entries = lines.entries();
    let mut slips = Slips { findings: Vec::new(), broken: Vec::new(), rest: text.to_owned() };
    for conflict in conflicts(&lines).into_iter().take(ROUNDS) {
        slips.findings.push(finding(
            source,
            conflict.start..lines.end_of(conflict.start),
            "the file has an unresolved merge conflict",
            CONFLICT,
        ));
        let first = entries.partition_point(|entry| entry.end <= conflict.start);
        let last = entries.partition_point(|entry| entry.start < conflict.end);
        let (start, end) = (
            entries.get(first).map_or(0, |entry| entry.start),
            entries[..last].last().map_or(text.len(), |entry| entry.end),
        );
        slips.take_out(source, start..end);
    }
    if !slips.findings.is_empty() {
        errors = DeTable::parse_recoverable(&slips.rest).1;
    }
    let is_json = text.trim_start().starts_with('{');
    let mut looked_at = 0;
    for round in 0.. {
        looked_at += errors.len();
        if round == ROUNDS || looked_at > ERRORS && round > 0 {
            // What is left over would be guesses.
            let first = errors.iter().filter_map(|error| Some(error.span()?.start)).min();
            if let Some(first) = first {
                slips.take_out(source, first..text.len());
            }
            break;
        }
        let mut places: Vec<(Range<usize>, String)> = errors.iter().map(|error| lines.place(error)).collect();
        places.sort_by_key(|(range, _)| range.start);
        let Some((first, _)) = places.first() else { break };
        let entry = entries
            .partition_point(|entry| entry.start <= first.start)
            .checked_sub(1)
            .map_or(0..text.len(), |index| entries[index].clone());
        let mut last_line = None;
        for (range, message) in places.iter().take_while(|(range, _)| range.start < entry.end.max(first.start + 1)) {
            let line = lines.at(range.start);
            // A second complaint about a line, or the same one about the next line, follows from the first one.
            let repeats = !message.starts_with(UNQUOTED)
                && slips.findings.last().is_some_and(|finding| finding.message == *message);
            if last_line.replace(line).is_none_or(|last| line != last && !(repeats && line <= last + 2)) {
                slips.findings.push(finding(
                    source,
                    range.clone(),
                    message,
                    help(text, range.start, lines.text(line), message),
                ));
            }
            if *message == UNCLOSED_LIST || is_json {
                break;
            }
        }
        slips.take_out(source, entry);
        if is_json {
            slips.take_out(source, 0..text.len());
            break;
        }
        errors = DeTable::parse_recoverable(&slips.rest).1;
    }
    slips
}

impl Slips {
    fn take_out(&mut self, source: SourceId, range: Range<usize>) {
        let (start, end) = (floor_char_boundary(&self.rest, range.start), floor_char_boundary(&self.rest, range.end));
        let blanks: String = self.rest[start..end].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
        self.rest.replace_range(start..end, &blanks);
        self.broken.push(Span { source, range });
    }
}

const CONFLICT: &str = "Keep one side and delete the lines with `<<<<<<<`, `=======` and `>>>>>>>`.";
const UNQUOTED: &str = "string values must be quoted";
const UNCLOSED_TEXT: &str = "the text is never closed with";
const UNCLOSED_LIST: &str = "the list is never closed";

fn finding(source: SourceId, range: Range<usize>, message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(lints::TOML_SYNTAX, Span { source, range }, message).help(help)
}

/// A merge conflict inside of a text of several lines, which is valid TOML.
pub(super) fn conflict_in_text(source: SourceId, text: &str) -> Option<Diagnostic> {
    if !text.contains("<<<<<<<") {
        return None;
    }
    let lines = Lines::new(text);
    let conflict = conflicts(&lines).into_iter().next()?;
    let range = conflict.start..lines.end_of(conflict.start);
    Some(finding(source, range, "a text has an unresolved merge conflict", CONFLICT))
}

/// From each `<<<<<<<` line to its `>>>>>>>` line.
fn conflicts(lines: &Lines<'_>) -> Vec<Range<usize>> {
    let mut conflicts: Vec<Range<usize>> = Vec::new();
    let mut open = None;
    for (line, &start) in lines.starts.iter().enumerate() {
        let content = lines.text(line);
        if content.starts_with("<<<<<<<") {
            open.get_or_insert(start);
        } else if content.starts_with(">>>>>>>") {
            conflicts.extend(open.take().map(|open| open..start + content.len()));
        }
    }
    conflicts
}

/// Slips that are told by the line alone, where the parser's words would send people astray.
fn habit(text: &str, line: &str) -> Option<&'static str> {
    let value = line.split_once('=').map(|(_, value)| value.trim()).unwrap_or_default();
    let word = value.split([' ', ',', '#', ']', '}']).next().unwrap_or_default();
    let has_control = line.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
    Some(if text.contains('\0') {
        "The file holds NUL bytes: it is no text, is UTF-16 or was cut by a crash. Save it again as UTF-8."
    } else if has_control {
        "Delete the control character; in a text in double quotes write it as an escape such as `\\u001B`."
    } else if text.contains('\r') && !text.contains('\n') {
        "The lines end in CR alone: save the file with LF."
    } else if ["//", "/*", ";", "--", "<!--"].iter().any(|sign| line.starts_with(sign)) && !line.starts_with("---") {
        "Comments begin with `#`."
    } else if line.starts_with('<') {
        "This looks like XML; rule files are TOML: `key = \"value\"` lines under `[table]` headers."
    } else if line.starts_with("---") || line.starts_with("- ") {
        "This looks like YAML; rule files are TOML: `key = \"value\"` lines, lists in brackets."
    } else if line.starts_with(['+', '-']) {
        "This looks like a pasted diff: delete the signs at the beginning of the lines, and the lines that are gone."
    } else if line.starts_with("[[[") || line.starts_with("[ [") {
        "Write the header in two brackets: `[[rules]]`."
    } else if line.starts_with('[') && line.contains([':', '/']) && !line.contains('"') {
        "Join the parts of a header with dots: `[codes.DSEX001]`."
    } else if ["null", "Null", "NULL", "None", "nil", "undefined"].contains(&word) {
        "TOML has no null: leave the key out."
    } else if ["True", "TRUE", "yes", "Yes", "on", "On"].contains(&word) {
        "Write `true`, or put the text in quotes."
    } else if ["False", "FALSE", "no", "No", "off", "Off"].contains(&word) {
        "Write `false`, or put the text in quotes."
    } else if ["=>", "==", "+=", ":="]
        .iter()
        .any(|sign| line.split(['"', '\'']).next().is_some_and(|key| key.contains(sign)))
    {
        "Between a key and its value stands one `=`."
    } else if line.ends_with(';') {
        "Delete the `;`: nothing stands behind a value but a comment."
    } else if line.ends_with("\",") || line.ends_with("',") {
        "Delete the comma: outside of lists and braces nothing stands behind a value."
    } else if value.starts_with(['@', 'r', 'f']) && value.get(1..2).is_some_and(|quote| quote == "\"" || quote == "'") {
        "Delete the letter in front of the quote; for a text without escapes use single quotes."
    } else if value.starts_with('(') {
        "Lists stand in brackets: `[\"…\", \"…\"]`."
    } else {
        return None;
    })
}

/// What to type instead, by what stands on the line.
fn help(text: &str, at: usize, line: &str, message: &str) -> &'static str {
    let line = line.trim_start();
    let is_in_list = message == UNCLOSED_LIST || message.contains("array") || message.contains("inline table");
    if !is_in_list
        && !message.starts_with(UNCLOSED_TEXT)
        && message != CONFLICT
        && !["<<<<<<<", "=======", ">>>>>>>"].iter().any(|marker| line.starts_with(marker))
        && let Some(help) = habit(text, line)
    {
        return help;
    }
    let is_first = text[..at].rsplit('\n').next().is_none_or(|before| before.trim().is_empty());
    if message.starts_with(UNCLOSED_TEXT) {
        "Close it with the three quotes that opened it."
    } else if message.starts_with("character U+") {
        "Delete the character."
    } else if message == UNCLOSED_LIST {
        "Put `]` behind its last item."
    } else if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|marker| line.starts_with(marker)) {
        CONFLICT
    } else if text.trim_start().starts_with('{') && at < 4 {
        "This looks like JSON; rule files are TOML: `key = \"value\"` lines under `[table]` headers."
    } else if message == "duplicate key" {
        "Delete one of the two, or give it another name."
    } else if line.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
        "Replace the typographic quotes by straight ones: \" or '."
    } else if message.starts_with("missing comma") && is_first && message.contains("array elements") {
        "Put a comma behind the item above, or close its list with `]`."
    } else if message.starts_with("missing comma") && is_first {
        "Close the table above with `}`, or put a comma behind its last value."
    } else if message.starts_with("missing comma") {
        "Put a comma between the two."
    } else if message.starts_with(UNQUOTED) {
        "Put the text in quotes: \"…\"."
    } else if message.starts_with("unclosed inline table") {
        "Close it with `}`."
    } else if message.starts_with("unclosed array,") {
        "Close it with `]`."
    } else if message.contains("recur") {
        "No entry of a rule file nests that deep."
    } else if message.contains("printable characters") {
        "Delete the control character; in a text in double quotes write it as `\\u0000`."
    } else if message.starts_with("unclosed table") || message.starts_with("unclosed array table") {
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

/// The entry that a place stands in: from its header to the next one.
pub(super) fn entry(text: &str, at: usize) -> Range<usize> {
    Lines::new(text).entries().into_iter().find(|entry| entry.contains(&at)).unwrap_or(0..text.len())
}

/// Lines and entries of a text.
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

    fn end_of(&self, start: usize) -> usize {
        start + self.text(self.at(start)).len()
    }

    /// From a header to the next one that is no part of the same entry: `[[rules.examples]]` is part of `[[rules]]`.
    fn entries(&self) -> Vec<Range<usize>> {
        let mut starts = vec![0];
        let mut entry = "";
        let mut is_in_text = false;
        for (line, &start) in self.starts.iter().enumerate() {
            let content = self.text(line);
            if let Some(header) = content.strip_prefix('[').filter(|_| !is_in_text) {
                let header = header.trim_start_matches('[').split(']').next().unwrap_or_default().trim();
                if entry.is_empty() || !header.strip_prefix(entry).is_some_and(|rest| rest.starts_with('.')) {
                    entry = header;
                    starts.push(start);
                }
            }
            is_in_text ^= (content.matches("\"\"\"").count() + content.matches("'''").count()) % 2 == 1;
        }
        starts.push(self.text.len() + 1);
        starts.windows(2).map(|pair| pair[0]..pair[1]).filter(|range| !range.is_empty()).collect()
    }

    /// Where an error stands, and what it says. A list that is not closed is where it begins, not where the parser
    /// stumbles over the next entry.
    fn place(&self, error: &Error) -> (Range<usize>, String) {
        let range = error.span().unwrap_or(0..0);
        let start = floor_char_boundary(self.text, range.start);
        let end = floor_char_boundary(self.text, range.end).max(start);
        let mut message = error.message().trim().replace('\n', ", ");
        if message.starts_with("invalid boolean") {
            message = format!("{UNQUOTED}, and truth values are `true` and `false`");
        }
        for (kind, quotes) in
            [("invalid multi-line basic string", "\"\"\""), ("invalid multi-line literal string", "'''")]
        {
            if message.starts_with(kind)
                && start >= self.text.trim_end().len()
                && let Some(opening) = self.text.rfind(quotes)
            {
                return (opening..opening + 3, format!("{UNCLOSED_TEXT} `{quotes}`"));
            }
        }
        let is_odd = |c: &char| !c.is_ascii_graphic() && !matches!(c, '\n' | '\r' | '\t' | ' ') && !c.is_alphanumeric();
        if let Some(odd) = self.text[start..].chars().next().filter(is_odd) {
            message = format!("character U+{:04X} cannot stand here", u32::from(odd));
        }
        let line = self.at(start);
        let is_next_entry =
            start == self.starts[line] && (self.text(line).starts_with('[') || self.text(line).contains(" = "));
        if message.starts_with("missing comma between array elements") && is_next_entry {
            let opening = (0..line).rev().find_map(|line| Some(self.starts[line] + self.text(line).find("= [")? + 2));
            if let Some(opening) = opening {
                return (opening..opening + 1, UNCLOSED_LIST.to_owned());
            }
        }
        (start..end, message)
    }
}
