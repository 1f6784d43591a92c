//! Patterns that are texts in a row, matched without the regular expression engine.
//!
//! Most patterns of rules are a text, a text with word boundaries, two texts with anything between them on the line, a
//! text with a few classes behind it, or a choice of those. Whether such a pattern matches, a search for the texts tells
//! in less time, and without an automaton that has to be built first. A pattern that is anything else has no sequence.

use memchr::{memchr, memchr2_iter, memmem};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

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
    /// In lower case, with the place of its rarest byte and both cases of that.
    AnyCase(Box<[u8]>, (usize, u8, u8)),
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
    Class(Repeated),
    Edge(Edge),
}

/// Bytes of a class, as many as there are.
#[derive(Debug, Clone)]
struct Repeated {
    bytes: Box<[bool; 256]>,
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
}

impl Sequences {
    /// The sequences of a pattern; `None` when it is anything else.
    pub(crate) fn of(hir: &Hir) -> Option<Self> {
        let mut choices = expand_all(core(hir))?;
        for tokens in &mut choices {
            // Of a class at the very end the least is enough.
            if let Some(Token::Class(class)) = tokens.last_mut() {
                class.max = class.min;
            }
        }
        let is_folding = choices.iter().flatten().any(|token| matches!(token, Token::AnyCase(b'k' | b's')));
        let folded = if let [tokens] = &*choices { folded(tokens) } else { None };
        let choices = choices.iter().map(|tokens| Sequence::new(tokens)).collect::<Option<_>>()?;
        Some(Self { choices, is_folding, folded })
    }

    /// Whether the pattern matches somewhere; `None` when only the regular expression can tell.
    pub(crate) fn is_match(&self, text: &str) -> Option<bool> {
        if self.choices.iter().any(|sequence| sequence.is_match(text.as_bytes())) {
            return Some(true);
        }
        let is_certain = !self.is_folding || text.is_ascii() || !text.contains(['\u{212A}', '\u{17F}']);
        is_certain.then_some(false)
    }

    /// The text that occurs in the folded form of a text exactly when the pattern matches there.
    pub(crate) fn folded(&self) -> Option<&[u8]> {
        self.folded.as_deref()
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
            None => one(Token::Class(Repeated { bytes: members(class)?, min: 1, max: 1 })),
        },
        HirKind::Look(Look::WordAscii) => one(Token::Edge(Edge::Word)),
        HirKind::Look(Look::StartLF) => one(Token::Edge(Edge::LineStart)),
        HirKind::Look(Look::EndLF) => one(Token::Edge(Edge::LineEnd)),
        HirKind::Look(_) => None,
        HirKind::Capture(capture) => expand(&capture.sub),
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
                let class = Repeated { bytes: members(class)?, min: usize::try_from(repetition.min).ok()?, max };
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

/// The bytes of a class that holds no line end, and of the characters beyond ASCII all or none.
fn members(class: &Class) -> Option<Box<[bool; 256]>> {
    let Class::Unicode(class) = class else { return None };
    let mut bytes = Box::new([false; 256]);
    for range in class.iter() {
        let (first, last) = (u32::from(range.start()), u32::from(range.end()));
        if last > 0x7F {
            if first > 0x80 || range.end() != char::MAX {
                return None;
            }
            bytes[0x80..].fill(true);
        }
        for code in first..=last.min(0x7F) {
            bytes[code as usize] = true;
        }
    }
    (!bytes[usize::from(b'\n')]).then_some(bytes)
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
        let classes = tail.iter().filter_map(|step| if let Step::Class(class) = step { Some(class) } else { None });
        let is_linear = |class: &Repeated| class.max < usize::MAX || !text.is_within(class);
        if !is_certain(&tail) || !classes.into_iter().all(is_linear) {
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
        self.tail.iter().all(|step| match step {
            Step::Text(text) => {
                let stands = hay[at..].starts_with(text);
                at += if stands { text.len() } else { 0 };
                stands
            }
            Step::Class(class) => {
                let most = hay[at..].iter().take(class.max);
                let count = most.take_while(|&&byte| class.bytes[usize::from(byte)]).count();
                at += count;
                count >= class.min
            }
            Step::Edge(edge) => edge.stands(hay, at),
        })
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
            Some(Step::Class(next)) => {
                next.min > 0 && class.bytes.iter().zip(next.bytes.iter()).all(|(one, other)| !(*one && *other))
            }
            Some(Step::Edge(Edge::Word)) => is_word(),
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
            let rarest = (0..text.len()).max_by(|&a, &b| bits(text[a]).total_cmp(&bits(text[b])))?;
            let byte = text[rarest];
            Finder::AnyCase(text.into(), (rarest, byte, byte.to_ascii_uppercase()))
        } else {
            Finder::Exact(Box::new(memmem::Finder::new(&text).into_owned()))
        };
        Some((Self { finder, before, after }, tail))
    }

    /// Where it stands first behind a place and in front of another one.
    fn find(&self, hay: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
        match &self.finder {
            Finder::Exact(finder) => {
                let length = finder.needle().len();
                let mut from = from;
                loop {
                    let start = from + finder.find(hay.get(from..to)?)?;
                    if self.stands(hay, start, start + length) {
                        return Some((start, start + length));
                    }
                    from = start + 1;
                }
            }
            Finder::AnyCase(text, (rarest, lower, upper)) => {
                let last = to.checked_sub(text.len())?;
                let places = memchr2_iter(*lower, *upper, hay.get(from + rarest..=last + rarest)?);
                let mut places = places.map(|place| (from + place, from + place + text.len()));
                places.find(|&(start, end)| hay[start..end].eq_ignore_ascii_case(text) && self.stands(hay, start, end))
            }
        }
    }

    fn stands(&self, hay: &[u8], start: usize, end: usize) -> bool {
        self.before.is_none_or(|edge| edge.stands(hay, start)) && self.after.is_none_or(|edge| edge.stands(hay, end))
    }

    /// Whether the text could stand among bytes of a class: then looking behind each of its places would look at the
    /// same bytes again and again.
    fn is_within(&self, class: &Repeated) -> bool {
        match &self.finder {
            Finder::Exact(finder) => finder.needle().iter().all(|&byte| class.bytes[usize::from(byte)]),
            Finder::AnyCase(text, _) => text
                .iter()
                .all(|&byte| class.bytes[usize::from(byte)] || class.bytes[usize::from(byte.to_ascii_uppercase())]),
        }
    }
}

/// What stands behind a text; `None` when it is more than a search can follow.
fn steps(tokens: &[Token]) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut text = Vec::new();
    for token in tokens {
        if let Token::Byte(byte) = token {
            text.push(*byte);
            continue;
        }
        if !text.is_empty() {
            steps.push(Step::Text(std::mem::take(&mut text).into()));
        }
        steps.push(match token {
            Token::Class(class) => Step::Class(class.clone()),
            Token::Edge(edge) => Step::Edge(*edge),
            _ => return None,
        });
    }
    if !text.is_empty() {
        steps.push(Step::Text(text.into()));
    }
    Some(steps)
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

impl Repeated {
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

    /// Wherever there is a sequence, it answers as the regular expression does.
    #[test]
    fn sequences_match_where_the_expression_does() {
        let (mut sequences, mut matches, mut asked) = (0, 0, 0);
        for seed in 0..60_000 {
            let mut rng = Rng::with_seed(seed);
            let source: String = (0..rng.usize(1..6)).map(|_| PARTS[rng.usize(..PARTS.len())]).collect();
            let Ok(pattern) = Pattern::parse(&source) else { continue };
            let Some(found) = pattern.sequences() else { continue };
            sequences += 1;
            for _ in 0..12 {
                let text: String = (0..rng.usize(0..9)).map(|_| TEXTS[rng.usize(..TEXTS.len())]).collect();
                let expected = pattern.find(&text).is_some();
                asked += 1;
                matches += usize::from(expected);
                assert_eq!(pattern.is_match(&text), expected, "seed {seed}: {source} on {text:?}");
                if let Some(answer) = found.is_match(&text) {
                    assert_eq!(answer, expected, "seed {seed}: {source} on {text:?}, without the expression");
                }
                if let Some(folded) = found.folded() {
                    let mut folded_text = Vec::new();
                    super::super::fold_into(&text, &mut folded_text);
                    let occurs = memchr::memmem::find(&folded_text, folded).is_some();
                    assert_eq!(occurs, expected, "seed {seed}: {source} on {text:?}, folded");
                }
                if pattern.stays_on_line() {
                    let lines = format!("\n{text}\n");
                    assert_eq!(pattern.find(&lines).is_some(), expected, "seed {seed}: {source} on {text:?}, on lines");
                }
            }
        }
        assert!(sequences > 3_000 && matches > 2_000, "{sequences} sequences, {matches} of {asked} match");
    }
}
