//! Patterns that are written in this room.
//!
//! Knows nothing of failures; it only says once why a literal pattern may be trusted, and what its classes mean.

use regex::Regex;

/// Compiles a pattern that stands in the source.
///
/// `\w`, `\d`, `\s` and `\b` are those of ASCII: names of types and frames are written in it, and Unicode classes make the
/// automata ten times as large. Letters of other languages are asked for with `\p{L}`.
#[expect(clippy::expect_used, reason = "every caller passes a literal, and the tests read texts through all of them")]
pub(super) fn literal(pattern: &str) -> Regex {
    let mut ascii = String::with_capacity(pattern.len() * 2);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            ascii.push(c);
            continue;
        }
        match chars.next() {
            Some('w') => ascii.push_str("[0-9A-Za-z_]"),
            Some('W') => ascii.push_str("[^0-9A-Za-z_]"),
            Some('d') => ascii.push_str("[0-9]"),
            Some('s') => ascii.push_str(r"[\t\n\x0b\x0c\r\x20]"),
            Some('S') => ascii.push_str(r"[^\t\n\x0b\x0c\r\x20]"),
            Some('b') => ascii.push_str(r"(?-u:\b)"),
            Some(other) => ascii.extend(['\\', other]),
            None => ascii.push('\\'),
        }
    }
    Regex::new(&ascii).expect("a literal pattern of the text adapter compiles")
}

/// Declares a pattern that is compiled on first use.
macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: std::sync::LazyLock<regex::Regex> =
            std::sync::LazyLock::new(|| $crate::input::text::pattern::literal($text));
    };
}

pub(super) use pattern;
