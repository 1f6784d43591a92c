//! Where a match of a pattern is and where its value, without the regular expression engine.

use std::ops::Range;

use memchr::memchr;
use regex_syntax::hir::{Hir, HirKind};

use super::super::any_case::has_folded_letters;
use super::text::{Step, Text};
use super::token::{CHOICES, Token, expand};

/// A pattern as a choice of texts with classes behind them, or as two texts with anything between them on the line, of
/// which is known where a match ends and where its value is.
#[derive(Debug)]
pub(crate) struct Extractor {
    choices: Box<[Extract]>,
    is_folding: bool,
}

#[derive(Debug)]
struct Extract {
    text: Text,
    /// The text that a match ends with, where anything may stand in front of it: the last one on the line.
    last: Option<Text>,
    tail: Box<[Step]>,
    /// Where the value starts and ends; the whole match without a group.
    value: Option<[Mark; 2]>,
}

/// A place in a match.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// The part that it is in: 0 is the text, 1 the first step behind it.
    part: usize,
    /// Bytes from the start of the part.
    offset: usize,
}

/// Where reading one text match by match has come to.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    /// Behind the last match.
    pub(crate) at: usize,
    /// For each choice what is ahead: each part of the text is searched once for it, however many matches there are.
    ahead: [Ahead; CHOICES],
}

#[derive(Debug, Default)]
enum Ahead {
    #[default]
    Unknown,
    Match(Extracted),
    Nothing,
}

/// A match, and the value in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extracted {
    pub(crate) found: Range<usize>,
    pub(crate) value: Range<usize>,
}

impl Extractor {
    /// The extractor of a pattern; `None` when it is more than that.
    pub(crate) fn of(hir: &Hir) -> Option<Self> {
        if !is_greedy(hir) {
            return None;
        }
        let choices = expand(hir).filter(|choices| choices.len() <= CHOICES)?;
        let is_folding = choices.iter().flatten().any(Token::is_folding);
        let choices = match choices.as_slice() {
            // Of several choices the one that ends last would have to be told.
            [tokens] => Extract::between(tokens).or_else(|| Extract::new(tokens)).map(|only| Box::from([only]))?,
            _ => choices.iter().map(|tokens| Extract::new(tokens)).collect::<Option<_>>()?,
        };
        Some(Self { choices, is_folding })
    }

    /// Whether it can tell for a text; else only the regular expression can. Looks at the whole text.
    pub(crate) fn knows(&self, text: &str) -> bool {
        !self.is_folding || !has_folded_letters(text)
    }

    /// The first match in a text that it [knows](Self::knows).
    pub(crate) fn find(&self, text: &str) -> Option<Extracted> {
        self.next(text, &mut Cursor::default())
    }

    /// The next match in a text that it [knows](Self::knows).
    pub(crate) fn next(&self, text: &str, cursor: &mut Cursor) -> Option<Extracted> {
        let mut first: Option<&Extracted> = None;
        for (choice, ahead) in self.choices.iter().zip(&mut cursor.ahead) {
            let is_over = match ahead {
                Ahead::Unknown => true,
                Ahead::Match(found) => found.found.start < cursor.at,
                Ahead::Nothing => false,
            };
            if is_over {
                *ahead = choice.find(text.as_bytes(), cursor.at).map_or(Ahead::Nothing, Ahead::Match);
            }
            // Of several that start at the same place the one that the pattern names first counts.
            if let Ahead::Match(new) = ahead
                && first.is_none_or(|old| new.found.start < old.found.start)
            {
                first = Some(new);
            }
        }
        let first = first.cloned()?;
        cursor.at = first.found.end;
        Some(first)
    }
}

/// Whether everything that repeats takes as much as there is.
fn is_greedy(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => repetition.greedy && is_greedy(&repetition.sub),
        HirKind::Capture(capture) => is_greedy(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(is_greedy),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
    }
}

impl Extract {
    /// Two texts with anything between them.
    fn between(tokens: &[Token]) -> Option<Self> {
        let gap = tokens.iter().position(|token| matches!(token, Token::Gap))?;
        let (text, behind_text) = Text::new(&tokens[..gap])?;
        let (last, behind_last) = Text::new(&tokens[gap + 1..])?;
        let is_all = behind_text.is_empty() && behind_last.is_empty();
        is_all.then(|| Self { text, last: Some(last), tail: Box::default(), value: None })
    }

    fn new(tokens: &[Token]) -> Option<Self> {
        let is_value = |token: &&Token| matches!(token, Token::Value);
        let plain: Vec<Token> = tokens.iter().filter(|token| !is_value(token)).cloned().collect();
        let (text, tail) = Text::with_tail(&plain)?;
        // How many characters a class takes at most is not known from bytes.
        if let Some(Step::Class(class)) = tail.last()
            && class.bytes[0x80]
            && class.max < usize::MAX
        {
            return None;
        }
        let start = usize::from(text.before.is_some());
        let end = start + text.finder.length();
        let mark = |place: usize| {
            if place < end {
                return Mark { part: 0, offset: place.saturating_sub(start) };
            }
            let mut next = end + usize::from(text.after.is_some());
            for (part, step) in (1..).zip(&tail) {
                if place < next + step.tokens() {
                    return Mark { part, offset: place.saturating_sub(next) };
                }
                next += step.tokens();
            }
            Mark { part: tail.len() + 1, offset: 0 }
        };
        // The places of the ends among the other tokens.
        let places: Vec<usize> =
            tokens.iter().enumerate().filter(|(_, token)| is_value(token)).map(|(place, _)| place).collect();
        let value = match places.as_slice() {
            [] => None,
            [start, end] => Some([mark(*start), mark(*end - 1)]),
            _ => return None,
        };
        Some(Self { value, tail: tail.into(), text, last: None })
    }

    /// The first match at or behind a place.
    fn find(&self, hay: &[u8], mut at: usize) -> Option<Extracted> {
        while let Some((start, end)) = self.text.find(hay, at, hay.len()) {
            let Some(last) = &self.last else {
                if let Some(found) = self.read(hay, start, end) {
                    return Some(found);
                }
                at = start + 1;
                continue;
            };
            let line_end = memchr(b'\n', &hay[end..]).map_or(hay.len(), |length| end + length);
            if let Some((_, end)) = last.find_last(hay, end, line_end) {
                return Some(Extracted { found: start..end, value: start..end });
            }
            at = line_end;
        }
        None
    }

    /// The match whose text stands at a place.
    fn read(&self, hay: &[u8], start: usize, end: usize) -> Option<Extracted> {
        let [mut from, mut to] = [start, start];
        let mut begins = |part: usize, at: usize| {
            if let Some([first, last]) = &self.value {
                from = if first.part == part { at + first.offset } else { from };
                to = if last.part == part { at + last.offset } else { to };
            }
        };
        begins(0, start);
        let mut at = end;
        for (part, step) in (1..).zip(&self.tail) {
            begins(part, at);
            at = step.end(hay, at)?;
        }
        begins(self.tail.len() + 1, at);
        Some(Extracted { found: start..at, value: if self.value.is_some() { from..to } else { start..at } })
    }
}
