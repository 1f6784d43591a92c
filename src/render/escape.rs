//! Text from outside, made safe for a terminal or a log: one line, no control sequences, no bidirectional tricks.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text on one line, with control characters, bidirectional controls and line separators escaped.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    let mut written = 0;
    let mut out = String::new();
    while let Some((at, c)) = next_unsafe(text, written) {
        out.reserve(text.len() - written + 16);
        out.push_str(&text[written..at]);
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
        written = at + c.len_utf8();
    }
    if written == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[written..]);
    Cow::Owned(out)
}

/// A value as indented JSON, as safe as on one line.
#[cfg(feature = "cli")]
pub(super) fn pretty_json(value: &impl serde::Serialize) -> String {
    let plain = serde_json::to_string_pretty(value).unwrap_or_default();
    // What is left unescaped stands inside of texts, but for the line ends between values.
    plain.split('\n').fold(String::new(), |mut out, line| {
        let mut written = 0;
        while let Some((at, c)) = next_unsafe(line, written) {
            out.push_str(&line[written..at]);
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
            written = at + c.len_utf8();
        }
        out.push_str(&line[written..]);
        out.push('\n');
        out
    })
}

/// The next unsafe character from a place on.
pub(super) fn next_unsafe(text: &str, from: usize) -> Option<(usize, char)> {
    let bytes = text.as_bytes();
    let mut at = from;
    // Whole runs of plain ASCII are skipped: without an early end inside of a run they are looked at several at a time.
    while at < bytes.len() {
        let run = &bytes[at..bytes.len().min(at + RUN_BYTES)];
        if !run.iter().fold(true, |plain, b| plain & matches!(b, b' '..=b'~')) {
            let found = run.iter().enumerate().filter(|(_, b)| may_start_unsafe(**b));
            let mut found = found.filter_map(|(index, _)| Some((at + index, text[at + index..].chars().next()?)));
            if let Some(found) = found.find(|&(_, c)| is_unsafe(c)) {
                return Some(found);
            }
        }
        at += run.len();
    }
    None
}

/// Bytes of a run.
const RUN_BYTES: usize = 64;

/// Whether an unsafe character may start with a byte; no byte inside of a character does.
fn may_start_unsafe(byte: u8) -> bool {
    matches!(byte, ..b' ' | 0x7f | 0xc2 | 0xd8 | 0xe2 | 0xef | 0xf3)
}

/// Control characters, line separators, and what changes the direction of text or is not seen at all.
fn is_unsafe(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{escaped, is_unsafe, may_start_unsafe};

    #[test]
    fn every_unsafe_character_is_looked_at() {
        for c in ('\0'..=char::MAX).filter(|&c| is_unsafe(c)) {
            assert!(may_start_unsafe(c.encode_utf8(&mut [0; 4]).as_bytes()[0]), "{c:?}");
        }
        let long = "x".repeat(200);
        assert_eq!(escaped(&format!("{long}ü\u{202e}{long}\n")), format!("{long}ü\\u{{202e}}{long}\\n"));
    }

    #[test]
    fn one_line_without_control_sequences() {
        assert_eq!(escaped("plain ü 漢"), "plain ü 漢");
        assert_eq!(escaped("a\r\nb\tc\u{1b}[2J\u{202e}\u{85}\u{2028}"), "a\\r\\nb\\tc\\x1b[2J\\u{202e}\\x85\\u{2028}");
    }
}
