//! Patterns of which no text is known: what tells whether they match looks only around the bytes that every match holds.

use regex_syntax::hir::{Hir, HirKind};

use crate::diagnostic::floor_char_boundary;

use super::any_case::has_folded_letters;
use super::byte_set::ByteSet;
use super::required::stays_on_line;
use super::run::Run;

/// Bytes on each side of a place up to which they are looked at alone.
const REACH: usize = 128;
/// Places that may be tried in any text, and the bytes in which there may be one more.
const FREE_TRIES: usize = 4;
const BYTES_OF_A_TRY: usize = 256;

/// Where a pattern can match in a text at all.
#[derive(Debug)]
pub(crate) struct Around {
    run: Run,
    /// Whether U+212A or U+017F may stand for a byte of the run.
    is_folding: bool,
    /// Bytes that matches hold.
    bytes: Box<ByteSet>,
}

/// How many places of a text were tried, and up to where: the text as a whole costs less than many of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tries {
    count: usize,
    end: usize,
}

impl Around {
    /// `None` for a pattern without a run, or one that line ends have a part in.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        let (run, is_folding) = Run::as_written(hir).filter(|_| stays_on_line(hir))?;
        let mut bytes = Box::default();
        add(hir, &mut bytes);
        Some(Self { run, is_folding, bytes })
    }

    /// Whether the pattern matches in a text; `None` when the text as a whole is to tell. `is_match` asks the pattern
    /// about a part.
    pub(super) fn is_match(&self, text: &str, is_match: impl Fn(&str) -> bool) -> Option<bool> {
        if self.is_folding && has_folded_letters(text) {
            return None;
        }
        let mut tries = Tries::default();
        while let Some(at) = self.run.find(text.as_bytes(), tries.end) {
            if !tries.is_worth(at) {
                return None;
            }
            let (part, end) = self.part(text, at)?;
            if is_match(part) {
                return Some(true);
            }
            tries.until(usize::max(at + 1, end));
        }
        Some(false)
    }

    /// The bytes around a place that matches may hold, with the characters on both sides, which boundaries look at; and
    /// where those bytes end. `None` when they reach far.
    pub(super) fn part<'t>(&self, text: &'t str, at: usize) -> Option<(&'t str, usize)> {
        let holds = |&byte: &u8| self.bytes.holds(byte);
        let (before, behind) = text.as_bytes().split_at(at);
        let lowest = at.saturating_sub(REACH);
        let start = match before[lowest..].iter().rposition(|byte| !holds(byte)) {
            Some(start) => lowest + start,
            None if lowest == 0 => 0,
            None => return None,
        };
        let end = match behind.iter().take(REACH).position(|byte| !holds(byte)) {
            Some(end) => at + end,
            None if behind.len() <= REACH => text.len(),
            None => return None,
        };
        let after = (end..text.len()).skip(1).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
        Some((&text[floor_char_boundary(text, start)..after], end))
    }
}

impl Tries {
    /// Whether a place is behind all that was tried.
    pub(crate) fn is_new(self, at: usize) -> bool {
        at >= self.end
    }

    /// Whether to try one more place; when not, there are so many of them that the whole text is to be tried.
    pub(crate) fn is_worth(&mut self, at: usize) -> bool {
        self.count += 1;
        self.count <= FREE_TRIES + at / BYTES_OF_A_TRY
    }

    /// All places in front of this one were tried.
    pub(crate) fn until(&mut self, end: usize) {
        self.end = end;
    }
}

/// Adds the bytes that matches of a pattern hold.
fn add(hir: &Hir, bytes: &mut ByteSet) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| bytes.add(byte)),
        HirKind::Class(class) => bytes.add_class(class),
        HirKind::Repetition(repetition) => add(&repetition.sub, bytes),
        HirKind::Capture(capture) => add(&capture.sub, bytes),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| add(part, bytes)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::Pattern;

    /// A text that is full of places where a match could be is left to the expression before it has cost much.
    #[test]
    fn few_places_are_tried() -> Result<(), super::super::PatternError> {
        for (pattern, piece) in [
            (r"\b[0-9]{3,6} ?ms\b", "1234, "),
            (r"\b[0-9]{3,6} ?ms\b", "a line without any, or nearly 123 "),
            (r"\b[0-9]+/[0-9]+/[0-9]+\b", "3/5 "),
            (r"\b4[0-9]{2}\b", "4040 and so on, "),
            // Nothing ends such a part.
            (r"x[0-9a-f]x", "xaxe"),
            ("[0-9]{3,9}", &"0".repeat(1_000)),
        ] {
            let text = piece.repeat(65_536 / piece.len());
            let parsed = Pattern::parse(pattern)?;
            let (.., around) = parsed.in_its_place();
            let tries = Cell::new(0);
            let answer = around.map(|around| {
                around.is_match(&text, |part| {
                    assert!(part.len() < 300, "{pattern}: {} bytes", part.len());
                    tries.set(tries.get() + 1);
                    false
                })
            });
            assert_eq!(answer, Some(None), "{pattern}");
            assert!(tries.get() < 20, "{pattern}: {} tries", tries.get());
        }
        Ok(())
    }
}
