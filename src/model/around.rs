//! Patterns of which no text is known: what tells whether they match looks only around the bytes that every match holds.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::diagnostic::floor_char_boundary;

use super::any_case::has_folded_letters;
use super::required::stays_on_line;
use super::run::Run;

/// Where a pattern can match in a text at all.
#[derive(Debug)]
pub(crate) struct Around {
    run: Run,
    /// Whether U+212A or U+017F may stand for a byte of the run.
    is_folding: bool,
    bytes: ByteSet,
}

impl Around {
    /// `None` for a pattern without a run, or one that line ends have a part in.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        let (run, is_folding) = Run::as_written(hir).filter(|_| stays_on_line(hir))?;
        Some(Self { run, is_folding, bytes: ByteSet::of(hir) })
    }

    /// Whether the pattern matches in a text; `None` when this does not tell. `is_match` asks the pattern about a part.
    pub(super) fn is_match(&self, text: &str, is_match: impl Fn(&str) -> bool) -> Option<bool> {
        if self.is_folding && has_folded_letters(text) {
            return None;
        }
        let mut from = 0;
        while let Some(at) = self.run.find(text.as_bytes(), from) {
            let (part, end) = self.part(text, at);
            if is_match(part) {
                return Some(true);
            }
            from = usize::max(at + 1, end);
        }
        Some(false)
    }

    /// The bytes around a place that matches may hold, with the characters on both sides, which boundaries look at; and
    /// where those bytes end.
    pub(super) fn part<'t>(&self, text: &'t str, at: usize) -> (&'t str, usize) {
        let holds = |&byte: &u8| self.bytes.holds(byte);
        let (before, behind) = text.as_bytes().split_at(at);
        let start = before.iter().rposition(|byte| !holds(byte)).unwrap_or(0);
        let end = at + behind.iter().position(|byte| !holds(byte)).unwrap_or(behind.len());
        let after = (end..text.len()).skip(1).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
        (&text[floor_char_boundary(text, start)..after], end)
    }
}

/// Bytes that matches of a pattern hold, and maybe a few others.
#[derive(Debug, Clone, Copy, Default)]
struct ByteSet([u64; 4]);

impl ByteSet {
    fn of(hir: &Hir) -> Self {
        let mut set = Self::default();
        set.add(hir);
        set
    }

    fn add(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| self.add_range(byte, byte)),
            HirKind::Class(Class::Unicode(class)) => {
                for range in class.iter() {
                    match (u8::try_from(range.start()), range.end().is_ascii()) {
                        (Ok(start), true) => self.add_range(start, range.end() as u8),
                        (start, _) => {
                            let start = start.ok().filter(u8::is_ascii);
                            self.add_range(start.unwrap_or(0x80), u8::MAX);
                        }
                    }
                }
            }
            HirKind::Class(Class::Bytes(class)) => {
                class.iter().for_each(|range| self.add_range(range.start(), range.end()));
            }
            HirKind::Repetition(repetition) => self.add(&repetition.sub),
            HirKind::Capture(capture) => self.add(&capture.sub),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| self.add(part)),
        }
    }

    fn add_range(&mut self, first: u8, last: u8) {
        (first..=last).for_each(|byte| self.0[usize::from(byte / 64)] |= 1 << (byte % 64));
    }

    fn holds(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] >> (byte % 64) & 1 == 1
    }
}
