//! A text with what stands on its sides and directly behind it.

use memchr::memmem;

use super::super::any_case::AnyCase;
use super::super::required::byte_bits;
use super::token::{Repeated, Token};

/// Bits of information below which a text is no good to search for.
const TEXT_BITS: f32 = 15.0;

/// A text with what stands on its sides.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) finder: Finder,
    pub(super) before: Option<Edge>,
    pub(super) after: Option<Edge>,
}

#[derive(Debug)]
pub(super) enum Finder {
    Exact(Box<memmem::Finder<'static>>),
    AnyCase(AnyCase),
}

/// A place between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Word,
    LineStart,
    LineEnd,
}

/// What follows on a text directly.
#[derive(Debug)]
pub(super) enum Step {
    Text(Box<[u8]>),
    /// In lower case; it stands there in whatever case.
    AnyCase(Box<[u8]>),
    Class(Repeated),
    Edge(Edge),
}

impl Step {
    /// Where it ends when it stands at a place.
    pub(super) fn end(&self, hay: &[u8], at: usize) -> Option<usize> {
        let rest = &hay[at..];
        match self {
            Self::Text(text) => rest.starts_with(text).then_some(at + text.len()),
            Self::AnyCase(text) => {
                rest.get(..text.len()).filter(|start| start.eq_ignore_ascii_case(text)).map(|_| at + text.len())
            }
            Self::Class(class) => {
                let most = rest.iter().take(class.max);
                let count = most.take_while(|&&byte| class.bytes[usize::from(byte)]).count();
                (count >= class.min).then_some(at + count)
            }
            Self::Edge(edge) => edge.stands(hay, at).then_some(at),
        }
    }

    /// The tokens that it was made of.
    pub(super) fn tokens(&self) -> usize {
        match self {
            Self::Text(text) | Self::AnyCase(text) => text.len(),
            Self::Class(_) | Self::Edge(_) => 1,
        }
    }
}

/// Whether each class of a tail ends in one place only, so that nothing has to be tried twice.
fn is_certain(tail: &[Step]) -> bool {
    tail.iter().enumerate().all(|(place, step)| {
        let Step::Class(class) = step else { return true };
        let next = tail.get(place + 1);
        let is_countable = match next {
            _ if !class.bytes[0x80] => true,
            None => class.min <= 1,
            Some(_) => class.min <= 1 && class.max == usize::MAX,
        };
        let is_word = || (0..=u8::MAX).all(|byte| !class.bytes[usize::from(byte)] || is_word(byte));
        let is_certain = match next {
            None | Some(Step::Edge(Edge::LineEnd)) => true,
            Some(_) if class.min == class.max => true,
            Some(Step::Text(text)) => text.first().is_some_and(|&byte| !class.bytes[usize::from(byte)]),
            Some(Step::AnyCase(text)) => text.first().is_some_and(|byte| {
                let is_in = |byte: u8| class.bytes[usize::from(byte)];
                !is_in(*byte) && !is_in(byte.to_ascii_uppercase())
            }),
            Some(Step::Class(next)) => {
                next.min > 0 && class.bytes.iter().zip(next.bytes.iter()).all(|(one, other)| !(*one && *other))
            }
            // With nothing of it a boundary may stand where there is none behind as much as it takes.
            Some(Step::Edge(Edge::Word)) => is_word() && class.min > 0,
            Some(Step::Edge(Edge::LineStart)) => false,
        };
        is_countable && is_certain
    })
}

impl Text {
    /// A text that is worth to be searched for, and what stands behind it.
    pub(super) fn new(tokens: &[Token]) -> Option<(Self, Vec<Step>)> {
        let (before, tokens) = match tokens {
            [Token::Edge(edge), tokens @ ..] => (Some(*edge), tokens),
            _ => (None, tokens),
        };
        let (text, is_any_case) = leading_text(tokens);
        let bits = |byte: u8| byte_bits(byte.to_ascii_lowercase());
        if text.iter().map(|&byte| bits(byte)).sum::<f32>() < TEXT_BITS {
            return None;
        }
        let mut tail = steps(&tokens[text.len()..])?;
        let after = match tail.first() {
            Some(Step::Edge(edge)) => Some(*edge),
            _ => None,
        };
        if after.is_some() {
            tail.remove(0);
        }
        let finder = if is_any_case {
            Finder::AnyCase(AnyCase::new(&text))
        } else {
            Finder::Exact(Box::new(memmem::Finder::new(&text).into_owned()))
        };
        Some((Self { finder, before, after }, tail))
    }

    /// The same where what stands behind it can be followed from each of its places, in one way and in linear time.
    pub(super) fn with_tail(tokens: &[Token]) -> Option<(Self, Vec<Step>)> {
        Self::new(tokens).filter(|(text, tail)| is_certain(tail) && text.is_linear(tail))
    }

    /// Where it stands first behind a place and in front of another one.
    pub(super) fn find(&self, hay: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
        let (length, mut from) = (self.finder.length(), from);
        loop {
            let start = from + self.finder.find(hay.get(from..to)?)?;
            if self.stands(hay, start, start + length) {
                return Some((start, start + length));
            }
            from = start + 1;
        }
    }

    /// Where it stands last behind a place and in front of another one.
    pub(super) fn find_last(&self, hay: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
        let next = |from: usize| self.find(hay, from, to);
        std::iter::successors(next(from), |(start, _)| next(start + 1)).last()
    }

    fn stands(&self, hay: &[u8], start: usize, end: usize) -> bool {
        self.before.is_none_or(|edge| edge.stands(hay, start)) && self.after.is_none_or(|edge| edge.stands(hay, end))
    }

    /// Whether no class behind it goes on for ever over places where the text could stand again.
    fn is_linear(&self, tail: &[Step]) -> bool {
        tail.iter().all(|step| match step {
            Step::Class(class) => class.max < usize::MAX || !self.is_within(class),
            _ => true,
        })
    }

    /// Whether the text could stand among bytes of a class: then looking behind each of its places would look at the
    /// same bytes again and again.
    fn is_within(&self, class: &Repeated) -> bool {
        match &self.finder {
            Finder::Exact(finder) => finder.needle().iter().all(|&byte| class.bytes[usize::from(byte)]),
            Finder::AnyCase(finder) => finder
                .text()
                .iter()
                .all(|&byte| class.bytes[usize::from(byte)] || class.bytes[usize::from(byte.to_ascii_uppercase())]),
        }
    }
}

/// What stands behind a text; `None` when it is more than a search can follow.
fn steps(tokens: &[Token]) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut tokens = tokens;
    while let Some(token) = tokens.first() {
        let (text, is_any_case) = leading_text(tokens);
        tokens = &tokens[text.len().max(1)..];
        steps.push(match token {
            Token::Byte(_) | Token::AnyCase(_) if is_any_case => Step::AnyCase(text.into()),
            Token::Byte(_) | Token::AnyCase(_) => Step::Text(text.into()),
            Token::Class(class) => Step::Class(class.clone()),
            Token::Edge(edge) => Step::Edge(*edge),
            Token::Gap | Token::Value => return None,
        });
    }
    Some(steps)
}

/// The text at the start, as far as all of its letters are exact or all are in whatever case; and whether they are that.
fn leading_text(tokens: &[Token]) -> (Vec<u8>, bool) {
    let (mut text, mut is_exact, mut is_any_case) = (Vec::new(), false, false);
    for token in tokens {
        match *token {
            Token::Byte(byte) if !(is_any_case && byte.is_ascii_alphabetic()) => {
                is_exact |= byte.is_ascii_alphabetic();
                text.push(byte);
            }
            Token::AnyCase(letter) if !is_exact => {
                is_any_case = true;
                text.push(letter);
            }
            _ => break,
        }
    }
    (text, is_any_case)
}

impl Edge {
    fn stands(self, hay: &[u8], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| hay.get(before)).copied();
        let after = hay.get(at).copied();
        match self {
            Self::Word => before.is_some_and(is_word) != after.is_some_and(is_word),
            Self::LineStart => before.is_none_or(|byte| byte == b'\n'),
            Self::LineEnd => after.is_none_or(|byte| byte == b'\n'),
        }
    }
}

impl Finder {
    /// Bytes of the text.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Exact(finder) => finder.needle().len(),
            Self::AnyCase(finder) => finder.text().len(),
        }
    }

    /// The first place where the text occurs.
    pub(super) fn find(&self, hay: &[u8]) -> Option<usize> {
        match self {
            Self::Exact(finder) => finder.find(hay),
            Self::AnyCase(finder) => finder.find(hay),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
