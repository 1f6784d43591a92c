//! Patterns that are texts in a row, matched and read without the regular expression engine.
//!
//! Most patterns of rules are a text, a text with word boundaries, two texts with anything between them on the line, a
//! text with a few classes behind it, or a choice of those. Whether such a pattern matches, a search for the texts tells
//! in less time, and without an automaton that has to be built first. A pattern that is anything else has no sequence.

use std::ops::Range;

use memchr::{memchr, memmem};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::any_case::{AnyCase, has_folded_letters};
use super::required::byte_bits;

/// Choices that are multiplied out at most: each is a search of its own.
const CHOICES: usize = 4;
/// Bits of information below which a text is no good to search for.
const TEXT_BITS: f32 = 15.0;

/// A pattern as a choice of texts in a row: it matches exactly where the regular expression does.
#[derive(Debug)]
pub(crate) struct Sequences {
    choices: Box<[Sequence]>,
    /// Whether U+212A or U+017F in a text may stand for a letter, which the search does not know.
    is_folding: bool,
    /// The folded text that occurs exactly where the pattern matches.
    folded: Option<Box<[u8]>>,
}

/// Texts in a row, with anything on the same line between them.
#[derive(Debug)]
struct Sequence {
    first: Text,
    others: Box<[Text]>,
    /// What stands directly behind the last text.
    tail: Box<[Step]>,
}

/// A text with what stands on its sides.
#[derive(Debug)]
struct Text {
    finder: Finder,
    before: Option<Edge>,
    after: Option<Edge>,
}

#[derive(Debug)]
enum Finder {
    Exact(Box<memmem::Finder<'static>>),
    AnyCase(AnyCase),
}

/// A place between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Word,
    LineStart,
    LineEnd,
}

/// What follows on a text directly.
#[derive(Debug)]
enum Step {
    Text(Box<[u8]>),
    /// In lower case; it stands there in whatever case.
    AnyCase(Box<[u8]>),
    Class(Repeated),
    Edge(Edge),
}

/// Bytes of a class, as many as there are.
#[derive(Debug, Clone)]
struct Repeated {
    bytes: Box<[bool; 256]>,
    /// Whether U+212A or U+017F belongs to it, which are none of the bytes.
    is_folding: bool,
    min: usize,
    max: usize,
}

/// One part of a pattern that is multiplied out.
#[derive(Debug, Clone)]
enum Token {
    Byte(u8),
    /// An ASCII letter in either case, and what Unicode takes for it: a letter in lower case.
    AnyCase(u8),
    Class(Repeated),
    Edge(Edge),
    /// Anything on the same line.
    Gap,
    /// An end of the group named `value`.
    Value,
}

/// A pattern as a choice of texts with classes behind them, of which is known where a match ends and where its value is.
#[derive(Debug)]
pub(crate) struct Extractor {
    choices: Box<[Extract]>,
    is_folding: bool,
}

#[derive(Debug)]
struct Extract {
    text: Text,
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

/// A match, and the value in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extracted {
    pub(crate) found: Range<usize>,
    pub(crate) value: Range<usize>,
}

impl Sequences {
    /// The sequences of a pattern; `None` when it is anything else.
    pub(crate) fn of(hir: &Hir) -> Option<Self> {
        let mut choices = expand_all(core(hir))?;
        for tokens in &mut choices {
            tokens.retain(|token| !matches!(token, Token::Value));
            // Of a class at the very end the least is enough.
            if let Some(Token::Class(class)) = tokens.last_mut() {
                class.max = class.min;
            }
        }
        let is_folding = choices.iter().flatten().any(Token::is_folding);
        let folded = if let [tokens] = &*choices { folded(tokens) } else { None };
        let choices = choices.iter().map(|tokens| Sequence::new(tokens)).collect::<Option<_>>()?;
        Some(Self { choices, is_folding, folded })
    }

    /// Whether the pattern matches somewhere; `None` when only the regular expression can tell.
    pub(crate) fn is_match(&self, text: &str) -> Option<bool> {
        if self.choices.iter().any(|sequence| sequence.is_match(text.as_bytes())) {
            return Some(true);
        }
        (!self.is_folding || !has_folded_letters(text)).then_some(false)
    }

    /// The text that occurs in the folded form of a text exactly when the pattern matches there.
    pub(crate) fn folded(&self) -> Option<&[u8]> {
        self.folded.as_deref()
    }
}

impl Extractor {
    /// The extractor of a pattern; `None` when it is more than a text with classes behind it.
    pub(crate) fn of(hir: &Hir) -> Option<Self> {
        if !is_greedy(hir) {
            return None;
        }
        let choices = expand(hir)?;
        let is_folding = choices.iter().flatten().any(Token::is_folding);
        Some(Self { choices: choices.iter().map(|tokens| Extract::new(tokens)).collect::<Option<_>>()?, is_folding })
    }

    /// Whether it can tell for a text; else only the regular expression can.
    pub(crate) fn knows(&self, text: &str) -> bool {
        !self.is_folding || !has_folded_letters(text)
    }

    /// The first match at or behind a place in a text that it [knows](Self::knows).
    pub(crate) fn find(&self, text: &str, at: usize) -> Option<Extracted> {
        let mut first: Option<Extracted> = None;
        for choice in &self.choices {
            let found = choice.find(text.as_bytes(), at);
            // Of several that start at the same place the one that the pattern names first counts.
            if found.as_ref().is_some_and(|new| first.as_ref().is_none_or(|old| new.found.start < old.found.start)) {
                first = found;
            }
        }
        first
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

impl Token {
    /// Whether a character beyond ASCII may stand for it that a search for bytes does not know.
    fn is_folding(&self) -> bool {
        match self {
            Self::AnyCase(letter) => matches!(letter, b'k' | b's'),
            Self::Class(class) => class.is_folding,
            _ => false,
        }
    }
}

/// The parts of a pattern without those at its ends that may match nothing: where it matches with them, it matches
/// without.
fn core(hir: &Hir) -> &[Hir] {
    let parts = match hir.kind() {
        HirKind::Capture(capture) => return core(&capture.sub),
        HirKind::Concat(parts) => parts.as_slice(),
        _ => return std::slice::from_ref(hir),
    };
    let is_needed = |part: &Hir| !matches!(part.kind(), HirKind::Repetition(repetition) if repetition.min == 0);
    let start = parts.iter().position(is_needed).unwrap_or_default();
    let end = parts.iter().rposition(is_needed).map_or(parts.len(), |last| last + 1);
    &parts[start..end]
}

/// The choices of parts side by side.
fn expand_all(parts: &[Hir]) -> Option<Vec<Vec<Token>>> {
    let mut choices = vec![Vec::new()];
    for part in parts {
        let next = expand(part)?;
        if let [only] = &*next {
            for choice in &mut choices {
                choice.extend_from_slice(only);
            }
        } else {
            let both = |start: &Vec<Token>| next.iter().map(|end| [start.as_slice(), end].concat()).collect::<Vec<_>>();
            choices = choices.iter().flat_map(both).collect();
        }
        if choices.len() > CHOICES {
            return None;
        }
    }
    Some(choices)
}

fn expand(hir: &Hir) -> Option<Vec<Vec<Token>>> {
    let one = |token| Some(vec![vec![token]]);
    match hir.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => {
            let is_on_line = !literal.0.contains(&b'\n');
            is_on_line.then(|| vec![literal.0.iter().map(|&byte| Token::Byte(byte)).collect()])
        }
        HirKind::Class(class) => match letter(class) {
            Some(letter) => one(Token::AnyCase(letter)),
            None => one(Token::Class(Repeated::new(class, 1, 1)?)),
        },
        HirKind::Look(Look::WordAscii) => one(Token::Edge(Edge::Word)),
        HirKind::Look(Look::StartLF) => one(Token::Edge(Edge::LineStart)),
        HirKind::Look(Look::EndLF) => one(Token::Edge(Edge::LineEnd)),
        HirKind::Look(_) => None,
        HirKind::Capture(capture) => {
            let mut choices = expand(&capture.sub)?;
            if capture.name.as_deref() == Some("value") {
                for choice in &mut choices {
                    choice.insert(0, Token::Value);
                    choice.push(Token::Value);
                }
            }
            Some(choices)
        }
        HirKind::Concat(parts) => expand_all(parts),
        HirKind::Alternation(branches) => {
            let mut choices = Vec::new();
            for branch in branches {
                choices.append(&mut expand(branch)?);
            }
            (choices.len() <= CHOICES).then_some(choices)
        }
        HirKind::Repetition(repetition) => match repetition.sub.kind() {
            HirKind::Class(class) => {
                let max = repetition.max.map_or(Some(usize::MAX), |max| usize::try_from(max).ok())?;
                let class = Repeated::new(class, usize::try_from(repetition.min).ok()?, max)?;
                let is_gap = (class.min, class.max) == (0, usize::MAX) && class.is_anything_on_a_line();
                one(if is_gap { Token::Gap } else { Token::Class(class) })
            }
            _ if (repetition.min, repetition.max) == (0, Some(1)) => {
                let mut choices = expand(&repetition.sub)?;
                choices.push(Vec::new());
                Some(choices)
            }
            _ => None,
        },
    }
}

/// The letter, in lower case, of a class that is one letter in every case that Unicode knows.
fn letter(class: &Class) -> Option<u8> {
    let Class::Unicode(class) = class else { return None };
    let members: Vec<char> = class
        .iter()
        .take(4)
        .map(|range| (range.start() == range.end()).then_some(range.start()))
        .collect::<Option<_>>()?;
    let letter = members.get(1).filter(|letter| letter.is_ascii_lowercase())?;
    let is_letter = match (letter, members.as_slice()) {
        ('k', [upper, _, other]) => *upper == 'K' && *other == '\u{212A}',
        ('s', [upper, _, other]) => *upper == 'S' && *other == '\u{17F}',
        ('k' | 's', _) => false,
        (_, [upper, _]) => *upper == letter.to_ascii_uppercase(),
        _ => false,
    };
    u8::try_from(*letter).ok().filter(|_| is_letter)
}

/// The folded text of a pattern that is nothing but a text in which case does not matter.
fn folded(tokens: &[Token]) -> Option<Box<[u8]>> {
    let folded = tokens.iter().map(|token| match token {
        Token::AnyCase(letter) => Some(*letter),
        Token::Byte(byte) if byte.is_ascii() && !byte.is_ascii_alphabetic() => Some(*byte),
        _ => None,
    });
    folded.collect()
}

impl Sequence {
    fn new(tokens: &[Token]) -> Option<Self> {
        let parts: Vec<&[Token]> = tokens.split(|token| matches!(token, Token::Gap)).collect();
        let (last, before) = parts.split_last()?;
        let mut texts = Vec::new();
        for part in before {
            let (text, tail) = Text::new(part)?;
            // Where a class ends is not certain before the next text is found.
            if !tail.is_empty() {
                return None;
            }
            texts.push(text);
        }
        let (text, tail) = Text::new(last)?;
        if !is_certain(&tail) || !text.is_linear(&tail) {
            return None;
        }
        texts.push(text);
        let first = texts.remove(0);
        Some(Self { first, others: texts.into(), tail: tail.into() })
    }

    fn is_match(&self, hay: &[u8]) -> bool {
        let mut at = 0;
        while let Some((start, mut end)) = self.first.find(hay, at, hay.len()) {
            let Some((last, between)) = self.others.split_last() else {
                if self.ends(hay, end) {
                    return true;
                }
                at = start + 1;
                continue;
            };
            let line_end = memchr(b'\n', &hay[end..]).map_or(hay.len(), |length| end + length);
            // The first place of each text leaves the most room for the next ones.
            let found = between.iter().all(|text| match text.find(hay, end, line_end) {
                Some((_, after)) => {
                    end = after;
                    true
                }
                None => false,
            });
            while let Some((start, after)) = last.find(hay, end, line_end).filter(|_| found) {
                if self.ends(hay, after) {
                    return true;
                }
                end = start + 1;
            }
            at = line_end;
        }
        false
    }

    /// Whether the tail stands at a place.
    fn ends(&self, hay: &[u8], mut at: usize) -> bool {
        self.tail.iter().all(|step| {
            step.end(hay, at).is_some_and(|end| {
                at = end;
                true
            })
        })
    }
}

impl Step {
    /// Where it ends when it stands at a place.
    fn end(&self, hay: &[u8], at: usize) -> Option<usize> {
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
    fn tokens(&self) -> usize {
        match self {
            Self::Text(text) | Self::AnyCase(text) => text.len(),
            Self::Class(_) | Self::Edge(_) => 1,
        }
    }
}

impl Extract {
    fn new(tokens: &[Token]) -> Option<Self> {
        let is_value = |token: &&Token| matches!(token, Token::Value);
        let plain: Vec<Token> = tokens.iter().filter(|token| !is_value(token)).cloned().collect();
        let (text, tail) = Text::new(&plain)?;
        if !is_certain(&tail) || !text.is_linear(&tail) {
            return None;
        }
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
        Some(Self { value, tail: tail.into(), text })
    }

    /// The first match at or behind a place.
    fn find(&self, hay: &[u8], mut at: usize) -> Option<Extracted> {
        while let Some((start, end)) = self.text.find(hay, at, hay.len()) {
            if let Some(found) = self.read(hay, start, end) {
                return Some(found);
            }
            at = start + 1;
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
    fn new(tokens: &[Token]) -> Option<(Self, Vec<Step>)> {
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

    /// Where it stands first behind a place and in front of another one.
    fn find(&self, hay: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
        let (length, mut from) = (self.finder.length(), from);
        loop {
            let start = from + self.finder.find(hay.get(from..to)?)?;
            if self.stands(hay, start, start + length) {
                return Some((start, start + length));
            }
            from = start + 1;
        }
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
    fn length(&self) -> usize {
        match self {
            Self::Exact(finder) => finder.needle().len(),
            Self::AnyCase(finder) => finder.text().len(),
        }
    }

    /// The first place where the text occurs.
    fn find(&self, hay: &[u8]) -> Option<usize> {
        match self {
            Self::Exact(finder) => finder.find(hay),
            Self::AnyCase(finder) => finder.find(hay),
        }
    }
}

impl Repeated {
    /// A class that holds no line end, and of the characters beyond ASCII all, none, or those that are some case of an
    /// ASCII letter.
    fn new(class: &Class, min: usize, max: usize) -> Option<Self> {
        let Class::Unicode(class) = class else { return None };
        let mut bytes = Box::new([false; 256]);
        let mut is_folding = false;
        for range in class.iter() {
            let (first, last) = (range.start(), range.end());
            if first == last && matches!(first, '\u{212A}' | '\u{17F}') {
                is_folding = true;
                continue;
            }
            if !last.is_ascii() {
                if first > '\u{80}' || last != char::MAX {
                    return None;
                }
                bytes[0x80..].fill(true);
            }
            for code in u32::from(first)..=u32::from(last).min(0x7F) {
                bytes[code as usize] = true;
            }
        }
        (!bytes[usize::from(b'\n')]).then_some(Self { bytes, is_folding, min, max })
    }

    fn is_anything_on_a_line(&self) -> bool {
        (0..=u8::MAX).all(|byte| self.bytes[usize::from(byte)] != (byte == b'\n'))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::super::Pattern;
    use super::Sequences;

    /// Parts of patterns, and texts that some of them match.
    const PARTS: &[&str] = &[
        "timeout of",
        "task is locked",
        "(?i:token kept)",
        "(?i:Sink)",
        ".*",
        "(?s:.*)",
        r"\b",
        "(?m:^)",
        "(?m:$)",
        "^",
        "$",
        "[0-9]+",
        "[0-9]{1,3}",
        "[0-9]{2}",
        r"\S+",
        "[a-z]+",
        "[a-z]*",
        "[^x]+",
        " ",
        "s",
        "é",
        "(?:the |a )?",
        "(?:timeout|task) of",
        "(?P<value>timeout of)",
        "(?:timeout of|task is locked|[0-9]{3})",
        "(?:ab){2}",
        "x?",
        "[xy]?",
        "[a-z]{0,2}",
        "[0-9]+?",
        "[^x]{1,2}",
        "(?i:[a-z]+)",
        "(?i: token)",
        "(?P<value>[0-9]+)",
        "(?P<value>[^x]*)",
        "(?P<value>(?i:[a-z]+))",
        "(?:the (?P<value>[a-z]+))?",
    ];
    const TEXTS: &[&str] = &[
        "timeout of",
        "task is locked",
        "Token KEPT",
        "to\u{212A}en \u{212A}ept",
        "\u{17F}ink",
        "sink",
        "timeout",
        "task of",
        "1",
        "23",
        "456",
        " ",
        "\n",
        "the ",
        "s",
        "é",
        "abab",
        "x",
        "_",
        "and ",
    ];

    /// Wherever there is a sequence or an extractor, it answers as the regular expression does.
    #[test]
    fn sequences_match_where_the_expression_does() {
        let (mut sequences, mut extractors, mut matches, mut asked, mut values) = (0, 0, 0, 0, 0);
        for seed in 0..90_000 {
            let mut rng = Rng::with_seed(seed);
            let source: String = (0..rng.usize(1..6)).map(|_| PARTS[rng.usize(..PARTS.len())]).collect();
            let Ok(pattern) = Pattern::parse(&source) else { continue };
            let (sequence, extractor) = pattern.in_its_place();
            if sequence.is_none() && extractor.is_none() {
                continue;
            }
            let regex = pattern.regex().unwrap();
            sequences += usize::from(sequence.is_some());
            extractors += usize::from(extractor.is_some());
            for _ in 0..12 {
                let text: String = (0..rng.usize(0..9)).map(|_| TEXTS[rng.usize(..TEXTS.len())]).collect();
                let found = regex.captures(&text);
                let expected = found.is_some();
                asked += 1;
                matches += usize::from(expected);
                assert_eq!(pattern.is_match(&text), expected, "seed {seed}: {source} on {text:?}");
                if let Some(answer) = sequence.and_then(|sequence| sequence.is_match(&text)) {
                    assert_eq!(answer, expected, "seed {seed}: {source} on {text:?}, without the expression");
                }
                if let Some(extractor) = extractor.filter(|extractor| extractor.knows(&text)) {
                    let found = found.as_ref().map(|found| {
                        let whole = found.get(0).unwrap();
                        values += usize::from(found.name("value").is_some());
                        (whole.range(), found.name("value").unwrap_or(whole).range())
                    });
                    let answer = extractor.find(&text, 0).map(|answer| (answer.found, answer.value));
                    assert_eq!(answer, found, "seed {seed}: {source} on {text:?}, where it is");
                }
                if let Some(folded) = sequence.and_then(Sequences::folded) {
                    let mut folded_text = Vec::new();
                    super::super::fold_into(&text, &mut folded_text);
                    let occurs = memchr::memmem::find(&folded_text, folded).is_some();
                    assert_eq!(occurs, expected, "seed {seed}: {source} on {text:?}, folded");
                }
                if pattern.stays_on_line() {
                    let lines = format!("\n{text}\n");
                    assert_eq!(regex.is_match(&lines), expected, "seed {seed}: {source} on {text:?}, on lines");
                }
            }
        }
        assert!(sequences > 3_000 && matches > 2_000, "{sequences} sequences, {matches} of {asked} match");
        assert!(extractors > 3_000 && values > 500, "{extractors} extractors, {values} values");
    }
}
