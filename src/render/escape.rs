//! Text from outside, made safe for a terminal or a log: one line, no control sequences, no bidirectional tricks.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text on one line, with control characters, bidirectional controls and line separators escaped.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) && u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if is_unsafe(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn one_line_without_control_sequences() {
        assert_eq!(escaped("plain ü 漢"), "plain ü 漢");
        assert_eq!(escaped("a\r\nb\tc\u{1b}[2J\u{202e}\u{85}\u{2028}"), "a\\r\\nb\\tc\\x1b[2J\\u{202e}\\x85\\u{2028}");
    }
}
