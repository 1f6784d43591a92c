//! A pattern multiplied out into choices of tokens side by side.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::text::Edge;

/// Choices that are multiplied out at most: each is a search of its own.
pub(super) const CHOICES: usize = 4;

/// One part of a pattern that is multiplied out.
#[derive(Debug, Clone)]
pub(super) enum Token {
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

impl Token {
    /// Whether a character beyond ASCII may stand for it that a search for bytes does not know.
    pub(super) fn is_folding(&self) -> bool {
        match self {
            Self::AnyCase(letter) => matches!(letter, b'k' | b's'),
            Self::Class(class) => class.is_folding,
            _ => false,
        }
    }
}

/// The choices of parts side by side.
pub(super) fn expand_all(parts: &[Hir]) -> Option<Vec<Vec<Token>>> {
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

pub(super) fn expand(hir: &Hir) -> Option<Vec<Vec<Token>>> {
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

/// Bytes of a class, as many as there are.
#[derive(Debug, Clone)]
pub(super) struct Repeated {
    pub(super) bytes: Box<[bool; 256]>,
    /// Whether U+212A or U+017F belongs to it, which are none of the bytes.
    pub(super) is_folding: bool,
    pub(super) min: usize,
    pub(super) max: usize,
}

impl Repeated {
    /// A class that holds no line end, and of the characters beyond ASCII all, none, or those that are some case of an
    /// ASCII letter.
    pub(super) fn new(class: &Class, min: usize, max: usize) -> Option<Self> {
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

    pub(super) fn is_anything_on_a_line(&self) -> bool {
        (0..=u8::MAX).all(|byte| self.bytes[usize::from(byte)] != (byte == b'\n'))
    }
}
