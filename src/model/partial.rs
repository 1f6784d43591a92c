//! How far a pattern fits a text that it does not match: a message whose wording has changed fits up to the new word.

use std::ops::Range;

use regex::Regex;
use regex_syntax::ast::{Ast, parse::Parser};

use super::fold_into;

/// Bytes at the start of a pattern that a text must hold to be tried any further.
const START_BYTES: usize = 10;

/// The plain texts that the alternatives of a pattern begin with, folded, as far as they begin with one.
#[derive(Debug, Clone, Default)]
pub(super) struct Starts(Vec<Box<[u8]>>);

/// The longest beginning of a pattern that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partial {
    /// Where it matches.
    pub(crate) range: Range<usize>,
    /// How the pattern goes on.
    pub(crate) rest: String,
}

impl Starts {
    pub(super) fn of(ast: &Ast) -> Self {
        let starts = alternatives(ast).into_iter().filter_map(|alternative| {
            let mut start = String::new();
            for part in parts(alternative) {
                match part {
                    Ast::Literal(literal) if start.len() < START_BYTES => start.push(literal.c),
                    Ast::Flags(_) | Ast::Assertion(_) if start.is_empty() => {}
                    _ => break,
                }
            }
            let mut folded = Vec::new();
            fold_into(&start, &mut folded);
            (folded.len() >= START_BYTES).then(|| folded.into_boxed_slice())
        });
        Self(starts.collect())
    }

    /// How far a pattern fits a text; `None` when that is not even its first word.
    pub(super) fn partial(&self, effective: &str, text: &str, folded: &[u8]) -> Option<Partial> {
        if !self.0.iter().any(|start| memchr::memmem::find(folded, start).is_some()) {
            return None;
        }
        let ast = Parser::new().parse(effective).ok()?;
        let flags = leading_flags(&ast, effective);
        let fits = alternatives(&ast).into_iter().filter_map(|alternative| fit(alternative, flags, effective, text));
        fits.max_by_key(|partial| partial.range.len())
    }
}

/// The longest beginning of an alternative that matches, found by halving: what a beginning matches, a shorter one does.
fn fit(alternative: &Ast, flags: &str, source: &str, text: &str) -> Option<Partial> {
    let parts = parts(alternative);
    let start = parts.iter().find(|part| !matches!(part, Ast::Flags(_)))?.span().start.offset;
    let end = parts.last()?.span().end.offset;
    let beginning = |count: usize| {
        let to = parts[count - 1].span().end.offset;
        let regex = Regex::new(&format!("{flags}{}", source.get(start..to)?)).ok()?;
        regex.find(text).map(|found| (found.range(), to))
    };
    // Of most patterns not even half fits, which one expression tells.
    let is_half = |part: &&Ast| 2 * (part.span().end.offset - start) >= end - start;
    let half = parts.iter().position(is_half)? + 1;
    beginning(half)?;
    let (mut fits, mut most) = (half, parts.len());
    while fits + 1 < most {
        let middle = usize::midpoint(fits, most);
        if beginning(middle).is_some() { fits = middle } else { most = middle }
    }
    // What stands for anything fits anything, and half a word is none.
    let is_letter = |at: usize| matches!(parts.get(at), Some(Ast::Literal(literal)) if literal.c.is_alphanumeric());
    let is_open =
        |at: usize| matches!(parts.get(at), Some(Ast::Repetition(open)) if !matches!(*open.ast, Ast::Group(_)));
    while fits > 0 && (is_open(fits - 1) || (is_letter(fits - 1) && is_letter(fits))) {
        fits -= 1;
    }
    let (range, to) = if fits > 0 { beginning(fits)? } else { return None };
    // Less than half of a pattern is another sentence that begins alike.
    (2 * (to - start) >= end - start).then_some(())?;
    Some(Partial { range, rest: source.get(to..end)?.to_owned() })
}

fn alternatives(ast: &Ast) -> Vec<&Ast> {
    match ast {
        Ast::Alternation(alternation) => alternation.asts.iter().collect(),
        other => vec![other],
    }
}

fn parts(ast: &Ast) -> Vec<&Ast> {
    match ast {
        Ast::Concat(concat) => concat.asts.iter().collect(),
        other => vec![other],
    }
}

/// Flags at the very start hold for all alternatives.
fn leading_flags<'s>(ast: &Ast, source: &'s str) -> &'s str {
    let first = alternatives(ast).first().and_then(|first| parts(first).first().copied());
    match first {
        Some(Ast::Flags(flags)) => source.get(..flags.span.end.offset).unwrap_or_default(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Pattern, fold_into};

    #[test]
    fn a_pattern_fits_up_to_the_word_that_changed() {
        let cases = [
            (
                r"(?i)\bclient secret keys (?:for app \S+ )?are expired\b",
                "The Client Secret keys for app x have expired.",
                Some(("Client Secret keys for app x ", "are expired")),
            ),
            (r"no such mailbox|(?i)the mailbox (?:is|was) full", "THE MAILBOX was fuller", None),
            (
                r"(?i)no such mailbox|the mailbox (?:is|was) locked",
                "THE MAILBOX was full",
                Some(("THE MAILBOX was ", "locked")),
            ),
            (r"\d+ items", "12 item", None),
            ("mailbox locked", "nothing of it", None),
            ("an error occurred while (?:the mailbox was opened|the mailbox was closed)", "an error occurred", None),
            (
                "the content .+ is of no use",
                "the content of the book is useful",
                Some(("the content of the book is ", "of no use")),
            ),
            ("the content type .+ is bad", "the content type is good", Some(("the content type is ", "is bad"))),
        ];
        for (pattern, text, expected) in cases {
            let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{error:?}"));
            let mut folded = Vec::new();
            fold_into(text, &mut folded);
            let found = pattern.partial(text, &folded);
            let found = found
                .as_ref()
                .map(|partial| (&text[partial.range.clone()], partial.rest.trim_end_matches(r"(?-u:\b)")));
            assert_eq!(found, expected, "{}", pattern.as_str());
        }
    }
}
