//! Patterns that are written in this room.
//!
//! Knows nothing of failures; it only says once why a literal pattern may be trusted, and what its classes mean.

use std::borrow::Cow;

use regex::{Captures, Match, Regex, Replacer};

use crate::model::{Hint, PerThread};

/// A pattern that is tried only on texts in which it can match: a line meets some sixty of them, and nearly none matches.
pub(super) struct Expression {
    regex: PerThread,
    hint: Hint,
}

impl Expression {
    /// The expression, where it can match.
    fn of(&self, text: &str) -> Option<&Regex> {
        self.hint.allows(text).then(|| self.regex.get())
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.of(text).is_some_and(|regex| regex.is_match(text))
    }

    pub(super) fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.of(text)?.find(text)
    }

    pub(super) fn find_at<'t>(&self, text: &'t str, at: usize) -> Option<Match<'t>> {
        self.of(text)?.find_at(text, at)
    }

    pub(super) fn find_iter<'r, 't>(&'r self, text: &'t str) -> impl Iterator<Item = Match<'t>> + use<'r, 't> {
        self.of(text).into_iter().flat_map(|regex| regex.find_iter(text))
    }

    pub(super) fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.of(text)?.captures(text)
    }

    pub(super) fn captures_at<'t>(&self, text: &'t str, at: usize) -> Option<Captures<'t>> {
        self.of(text)?.captures_at(text, at)
    }

    pub(super) fn captures_iter<'r, 't>(&'r self, text: &'t str) -> impl Iterator<Item = Captures<'t>> + use<'r, 't> {
        self.of(text).into_iter().flat_map(|regex| regex.captures_iter(text))
    }

    pub(super) fn replace_all<'t>(&self, text: &'t str, replacer: impl Replacer) -> Cow<'t, str> {
        self.of(text).map_or(Cow::Borrowed(text), |regex| regex.replace_all(text, replacer))
    }
}

/// Compiles a pattern that stands in the source.
///
/// `\w`, `\d`, `\s` and `\b` are those of ASCII: names of types and frames are written in it, and Unicode classes make the
/// automata ten times as large. Letters of other languages are asked for with `\p{L}`.
#[expect(clippy::expect_used, reason = "every caller passes a literal, and the tests read texts through all of them")]
pub(super) fn literal(pattern: &str) -> Expression {
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
    let regex = Regex::new(&ascii).expect("a literal pattern of the text adapter compiles");
    let hint = regex_syntax::parse(&ascii).map(|hir| Hint::of(&hir)).unwrap_or_default();
    Expression { regex: PerThread::new(regex), hint }
}

/// Declares a pattern that is compiled on first use.
macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: std::sync::LazyLock<$crate::input::text::pattern::Expression> =
            std::sync::LazyLock::new(|| $crate::input::text::pattern::literal($text));
    };
}

pub(super) use pattern;
