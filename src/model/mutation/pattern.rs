//! Patterns with one thing changed.

use std::ops::Range;

use regex_syntax::ast::{self, Ast};

use super::super::Pattern;
use super::MutationKind;
use super::sample::{Wish, parse, span, write};

/// A changed pattern.
pub(super) struct Variant {
    pub(super) kind: MutationKind,
    pub(super) pattern: Pattern,
    /// A text that one of the two patterns finds and the other one does not.
    pub(super) telling: Option<String>,
}

/// Letters of a word that is worth putting another one in its place.
const WORD: usize = 3;

/// The changed patterns, in a fixed order. What is no pattern any more is left out.
pub(super) fn variants(pattern: &Pattern) -> Vec<Variant> {
    let Some(ast) = parse(pattern) else { return Vec::new() };
    let mut parts = Parts::default();
    parts.walk(&ast);
    let mut variants = Vec::new();
    let source = pattern.as_str();
    let mut add = |kind, changed: &str, wishes: &[Wish]| {
        // Whoever looks for numbers is told by a lint that they are open; here that is the very change.
        let Ok(changed) = Pattern::parse(changed) else { return };
        let tells = |text: &String| pattern.find(text).is_some() != changed.find(text).is_some();
        let telling = wishes.iter().map(|wish| write(pattern, &ast, wish)).find(tells);
        variants.push(Variant { kind, pattern: changed, telling });
    };
    if !parts.boundaries.is_empty() {
        // A longer word at the end reads best.
        let glued = |at: &Range<usize>| Wish { glued: Some(at.clone()), ..Wish::default() };
        let wishes: Vec<Wish> = parts.boundaries.iter().rev().map(glued).collect();
        add(MutationKind::Unanchor, &cut(source, &parts.boundaries), &wishes);
    }
    let longest = parts.words.iter().enumerate().max_by_key(|(index, word)| (word.len(), usize::MAX - index));
    if let Some((_, word)) = longest.filter(|(_, word)| word.len() >= WORD) {
        let changed = format!("{}\\w+{}", &source[..word.start], &source[word.end..]);
        let wish = Wish { through: Some(word.clone()), instead: Some((word.clone(), "other")), ..Wish::default() };
        add(MutationKind::Generalize, &changed, &[wish]);
    }
    for (alternative, removed) in &parts.alternatives {
        let wish = Wish { through: Some(alternative.clone()), ..Wish::default() };
        add(MutationKind::DropAlternative, &cut(source, std::slice::from_ref(removed)), &[wish]);
    }
    variants
}

/// The source without some of its parts.
fn cut(source: &str, parts: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(source.len());
    let mut done = 0;
    for part in parts {
        out.push_str(&source[done..part.start]);
        done = part.end;
    }
    out.push_str(&source[done..]);
    out
}

/// What can be changed in a pattern, as bytes of its source.
#[derive(Default)]
struct Parts {
    boundaries: Vec<Range<usize>>,
    words: Vec<Range<usize>>,
    /// Alternatives, each with what goes when it goes.
    alternatives: Vec<(Range<usize>, Range<usize>)>,
}

impl Parts {
    fn walk(&mut self, ast: &Ast) {
        match ast {
            Ast::Assertion(assertion) if assertion.kind != ast::AssertionKind::NotWordBoundary => {
                self.boundaries.push(span(ast));
            }
            Ast::Repetition(repetition) => self.walk(&repetition.ast),
            Ast::Group(group) => self.walk(&group.ast),
            Ast::Alternation(alternation) => {
                self.alternatives_of(&alternation.asts);
                alternation.asts.iter().for_each(|ast| self.walk(ast));
            }
            Ast::Concat(concat) => {
                self.words_of(&concat.asts);
                concat.asts.iter().for_each(|ast| self.walk(ast));
            }
            _ => {}
        }
    }

    fn alternatives_of(&mut self, asts: &[Ast]) {
        for (index, ast) in asts.iter().enumerate() {
            // Flags at the start of an alternative are for those behind it as well.
            let is_flagged = matches!(ast, Ast::Flags(_))
                || matches!(ast, Ast::Concat(concat) if concat.asts.iter().any(|ast| matches!(ast, Ast::Flags(_))));
            if is_flagged || matches!(ast, Ast::Empty(_)) {
                continue;
            }
            let removed = match asts.get(index + 1) {
                Some(next) => span(ast).start..span(next).start,
                None => span(&asts[index - 1]).end..span(ast).end,
            };
            self.alternatives.push((span(ast), removed));
        }
    }

    /// Runs of letters that are written as they are.
    fn words_of(&mut self, asts: &[Ast]) {
        let mut word: Option<Range<usize>> = None;
        for ast in asts {
            let letter = matches!(ast, Ast::Literal(literal) if literal.c.is_ascii_alphabetic() && literal.kind == ast::LiteralKind::Verbatim);
            match (&mut word, letter) {
                (Some(word), true) => word.end = span(ast).end,
                (None, true) => word = Some(span(ast)),
                (Some(_), false) => self.words.extend(word.take()),
                (None, false) => {}
            }
        }
        self.words.extend(word);
    }
}

#[cfg(test)]
mod tests {
    use super::{MutationKind, variants};
    use crate::model::Pattern;

    #[test]
    fn variants_are_patterns_with_a_telling_text() {
        let cases = [
            (
                r"(?i)\bclient secret keys (?:for app \S+ )?are expired\b",
                vec![
                    (MutationKind::Unanchor, "(?i)client secret keys (?:for app \\S+ )?are expired", true),
                    (MutationKind::Generalize, r"(?i)\bclient secret keys (?:for app \S+ )?are \w+\b", true),
                ],
            ),
            (
                r"^code (?:40613|5[0-9])$",
                vec![
                    (MutationKind::Unanchor, "code (?:40613|5[0-9])", true),
                    (MutationKind::Generalize, r"^\w+ (?:40613|5[0-9])$", true),
                    (MutationKind::DropAlternative, "^code (?:5[0-9])$", true),
                    (MutationKind::DropAlternative, "^code (?:40613)$", true),
                ],
            ),
        ];
        for (source, expected) in cases {
            let pattern = Pattern::parse(source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
            let found = variants(&pattern);
            let found: Vec<_> = found
                .iter()
                .map(|variant| (variant.kind, variant.pattern.as_str(), variant.telling.is_some()))
                .collect();
            assert_eq!(found, expected, "{source}");
        }
    }
}
