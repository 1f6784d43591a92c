//! A text that a pattern finds, near to what somebody would write.

use std::ops::Range;

use regex_syntax::ast::{self, Ast};

use super::super::Pattern;

/// What a text is to show beside being found.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    /// The boundary or anchor at which something else runs into the text, as bytes of the pattern's source.
    pub glued: Option<Range<usize>>,
    /// The part of the pattern that has to be in use, as bytes of its source.
    pub through: Option<Range<usize>>,
    /// A part of the pattern for which another text stands.
    pub instead: Option<(Range<usize>, &'static str)>,
}

/// A short text that a pattern finds; none where the simplest guess is not found.
pub(crate) fn sample(pattern: &Pattern) -> Option<String> {
    let ast = parse(pattern)?;
    let text = write(pattern, &ast, &Wish::default());
    pattern.find(&text).is_some().then_some(text)
}

/// The syntax tree of a pattern.
pub(super) fn parse(pattern: &Pattern) -> Option<Ast> {
    ast::parse::Parser::new().parse(pattern.as_str()).ok()
}

/// A text by the syntax tree of a pattern, as near to the wish as it goes. Nobody has looked whether it is found.
pub(super) fn write(pattern: &Pattern, ast: &Ast, wish: &Wish) -> String {
    let mut text = String::new();
    Writer { source: pattern.as_str(), wish, out: &mut text }.write(ast);
    text
}

struct Writer<'w> {
    source: &'w str,
    wish: &'w Wish,
    out: &'w mut String,
}

impl Writer<'_> {
    fn write(&mut self, ast: &Ast) {
        if let Some((range, text)) = &self.wish.instead {
            let span = span(ast);
            if span.start == range.start && span.end <= range.end {
                self.out.push_str(text);
                return;
            }
            if range.contains(&span.start) && span.end <= range.end {
                return;
            }
        }
        match ast {
            Ast::Literal(literal) => self.out.push(literal.c),
            Ast::Dot(_) | Ast::ClassUnicode(_) => self.out.push('x'),
            Ast::Assertion(assertion) if self.wish.glued == Some(span(ast)) => self.glue(&assertion.kind),
            Ast::Empty(_) | Ast::Flags(_) | Ast::Assertion(_) => {}
            Ast::ClassPerl(_) | Ast::ClassBracketed(_) => self.class(ast, false),
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Group(group) => self.write(&group.ast),
            Ast::Alternation(alternation) => {
                let chosen = alternation.asts.iter().find(|ast| self.leads_through(ast));
                if let Some(chosen) = chosen.or(alternation.asts.first()) {
                    self.write(chosen);
                }
            }
            Ast::Concat(concat) => concat.asts.iter().for_each(|ast| self.write(ast)),
        }
    }

    fn leads_through(&self, ast: &Ast) -> bool {
        let span = span(ast);
        self.wish.through.as_ref().is_some_and(|wanted| span.start <= wanted.start && wanted.end <= span.end)
    }

    /// What makes a word or number longer, or stands in front of a text or behind it.
    fn glue(&mut self, kind: &ast::AssertionKind) {
        use ast::AssertionKind as Kind;
        let glue = match (kind, self.out.chars().next_back()) {
            (Kind::StartLine | Kind::StartText, _) => "sync: ",
            (Kind::EndLine | Kind::EndText, _) => " again",
            (_, Some('0'..='9')) => "0",
            (_, Some(c)) if c.is_alphanumeric() => "s",
            _ => "x",
        };
        self.out.push_str(glue);
    }

    fn repetition(&mut self, repetition: &ast::Repetition) {
        use ast::{RepetitionKind as Kind, RepetitionRange as Range};
        let (least, most) = match &repetition.op.kind {
            Kind::ZeroOrOne => (0, 1),
            Kind::ZeroOrMore => (0, u32::MAX),
            Kind::OneOrMore => (1, u32::MAX),
            Kind::Range(Range::Exactly(count)) => (*count, *count),
            Kind::Range(Range::AtLeast(least)) => (*least, u32::MAX),
            Kind::Range(Range::Bounded(least, most)) => (*least, *most),
        };
        let is_class = matches!(*repetition.ast, Ast::Dot(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_));
        if least == 0 && is_class && most > 1 {
            // What may stand between two words most often is a blank.
            self.class(&repetition.ast, true);
            return;
        }
        let times = if least == 0 && self.leads_through(&repetition.ast) { 1 } else { least };
        for _ in 0..times {
            self.write(&repetition.ast);
        }
    }

    /// A character of a class: the first usual one that is in it. One that may be left out is a blank or nothing.
    fn class(&mut self, ast: &Ast, is_optional: bool) {
        let likely: &[char] =
            if is_optional { &[' '] } else { &['a', 'x', '1', '7', ' ', '-', '_', '.', '"', '\'', ':', '/'] };
        if let Ast::Dot(_) = ast {
            self.out.push(likely[0]);
            return;
        }
        let source = self.source.get(span(ast)).unwrap_or_default();
        let Ok(class) = Pattern::parse(source) else { return };
        let mut text = [0; 4];
        let found = likely.iter().find(|c| class.is_match(c.encode_utf8(&mut text)));
        self.out.extend(found);
    }
}

/// The bytes of the source that a node was read from.
pub(super) fn span(ast: &Ast) -> Range<usize> {
    ast.span().start.offset..ast.span().end.offset
}
