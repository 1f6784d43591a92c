//! Patterns that are texts in a row, matched and read without the regular expression engine.
//!
//! Most patterns of rules are a text, a text with word boundaries, two texts with anything between them on the line, a
//! text with a few classes behind it, or a choice of those. Whether such a pattern matches, a search for the texts tells
//! in less time, and without an automaton that has to be built first. A pattern that is anything else has no sequence.

mod extract;
mod text;
mod token;

use memchr::memchr;
use regex_syntax::hir::{Hir, HirKind};

use super::any_case::has_folded_letters;

use text::{Step, Text};
use token::{Token, expand_all};

pub(crate) use extract::{Cursor, Extractor};

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
        let (text, tail) = Text::with_tail(last)?;
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

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::super::Pattern;
    use super::{Cursor, Sequences};

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
        "timeout of.*task is locked",
        r"\btask is locked.*(?i:token kept)\b",
        "timeout of.*timeout of",
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
        let (mut arounds, mut matches_around, mut left_to_the_whole) = (0, 0, 0);
        for seed in 0..100_000 {
            let mut rng = Rng::with_seed(seed);
            let source: String = (0..rng.usize(1..6)).map(|_| PARTS[rng.usize(..PARTS.len())]).collect();
            let Ok(pattern) = Pattern::parse(&source) else { continue };
            let (sequence, extractor, around) = pattern.in_its_place();
            if sequence.is_none() && extractor.is_none() && around.is_none() {
                continue;
            }
            let regex = pattern.regex().unwrap();
            sequences += usize::from(sequence.is_some());
            extractors += usize::from(extractor.is_some());
            arounds += usize::from(around.is_some());
            for _ in 0..12 {
                let pieces = if rng.u8(..32) == 0 { rng.usize(..400) } else { rng.usize(..9) };
                // Now and then the same few again and again.
                let some: [&str; 3] = std::array::from_fn(|_| TEXTS[rng.usize(..TEXTS.len())]);
                let pool = if rng.bool() { TEXTS } else { &some };
                let text: String = (0..pieces).map(|_| pool[rng.usize(..pool.len())]).collect();
                let expected = regex.is_match(&text);
                asked += 1;
                matches += usize::from(expected);
                assert_eq!(pattern.is_match(&text), expected, "seed {seed}: {source} on {text:?}");
                if let Some(answer) = around.map(|around| around.is_match(&text, |part| regex.is_match(part))) {
                    assert!(
                        answer.is_none_or(|answer| answer == expected),
                        "seed {seed}: {source} on {text:?}, around"
                    );
                    matches_around += usize::from(answer == Some(true));
                    left_to_the_whole += usize::from(answer.is_none());
                }
                if let Some(answer) = sequence.and_then(|sequence| sequence.is_match(&text)) {
                    assert_eq!(answer, expected, "seed {seed}: {source} on {text:?}, without the expression");
                }
                if let Some(extractor) = extractor.filter(|extractor| extractor.knows(&text)) {
                    let expected = regex.captures_iter(&text).map(|found| {
                        let whole = found.get(0).unwrap();
                        values += usize::from(found.name("value").is_some());
                        (whole.range(), found.name("value").unwrap_or(whole).range())
                    });
                    let expected: Vec<_> = expected.collect();
                    let mut cursor = Cursor::default();
                    let all = std::iter::from_fn(|| extractor.next(&text, &mut cursor));
                    let all: Vec<_> = all.map(|answer| (answer.found, answer.value)).collect();
                    assert_eq!(all, expected, "seed {seed}: {source} on {text:?}, where it is");
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
        assert!(arounds > 3_000 && matches_around > 2_000, "{arounds} around a run, {matches_around} match");
        assert!(left_to_the_whole > 500, "{left_to_the_whole}");
        assert!(extractors > 3_000 && values > 500, "{extractors} extractors, {values} values");
    }
}
