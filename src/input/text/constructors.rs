//! Exceptions written as source: `new A("…", new B("…"))` and `RefreshError('…', {…})`.
//!
//! Knows literals of C#, Java and Python; nothing of chains but what the nesting says.

use crate::diagnostic::floor_char_boundary;
use crate::input::exception::Stated;

use super::body::{self, Body};
use super::bounds::{EXCEPTION_LIMIT, NESTING_LIMIT};
use super::json;
use super::pattern::pattern;

pattern!(NEW, r"\bnew ([A-Za-z_][\w.]*(?:Exception|Error)) ?\(");
pattern!(REPR, r#"(?m)^[ \t]*([A-Za-z_][\w.]*(?:Exception|Error|Timeout))\((?:u?['"]|[A-Z]\w+\(u?['"])"#);

/// The most constructions of one kind that are read.
const START_LIMIT: usize = 24;
/// The longest construction; a longer one is a piece of source and no failure.
const LENGTH_LIMIT: usize = 4096;

/// Where constructions may begin, in order.
pub(super) fn starts(text: &str) -> Vec<usize> {
    let repr = REPR.captures_iter(text).filter_map(|found| found.get(1)).map(|name| name.start());
    let mut starts: Vec<usize> =
        NEW.find_iter(text).map(|found| found.start()).take(START_LIMIT).chain(repr.take(START_LIMIT)).collect();
    starts.sort_unstable();
    starts
}

/// Reads the construction at `at`, and where it ends.
pub(super) fn read(text: &str, at: usize) -> Option<(Body, usize)> {
    let mut body = Body { silent: true, ..Body::default() };
    let text = &text[..floor_char_boundary(text, at + LENGTH_LIMIT)];
    let mut reader = Reader { text, at };
    reader.construction(None, &mut body, 0)?;
    let stated = body.exceptions.first().is_some_and(|first| !first.message.is_empty() || body.exceptions.len() > 1);
    text[at..reader.at].clone_into(&mut body.raw);
    // Python prints what it was given: often the body of the reply.
    if let Some(found) = body.raw.find('{').and_then(|brace| json::read(&body.raw, brace)) {
        body.adopt(&body::read(&found.value, "", NESTING_LIMIT));
    }
    stated.then_some((body, reader.at))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn construction(&mut self, parent: Option<usize>, body: &mut Body, depth: usize) -> Option<()> {
        if depth > 8 || body.exceptions.len() >= EXCEPTION_LIMIT {
            return None;
        }
        self.eat("new ");
        let name = self.name()?;
        self.space();
        self.eat("(").then_some(())?;
        let index = body.exceptions.len();
        body.exceptions.push(Stated { type_name: Some(name), message: String::new(), numbers: Vec::new(), parent });
        let mut nested = 0_usize;
        loop {
            self.space();
            let rest = &self.text[self.at..];
            let first = rest.chars().next();
            match first {
                None | Some('\n') => return Some(()),
                Some(')') => {
                    self.at += 1;
                    if nested == 0 {
                        return Some(());
                    }
                    nested -= 1;
                }
                Some('(') => {
                    self.at += 1;
                    nested += 1;
                }
                Some('"' | '\'' | '@' | '$') => {
                    let before = self.at;
                    if let Some(text) = self.literal() {
                        let message = &mut body.exceptions[index].message;
                        if message.is_empty() {
                            text.trim().clone_into(message);
                        }
                    } else {
                        self.at = before + 1;
                    }
                }
                Some(_) if begins_construction(rest) && nested == 0 => {
                    self.construction(Some(index), body, depth + 1)?;
                }
                Some(c) => self.at += c.len_utf8(),
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
        self.at += length;
        (length > 0).then(|| rest[..length].to_owned())
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.text[self.at..].starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// A string; a verbatim one runs over lines and doubles its quotes.
    fn literal(&mut self) -> Option<String> {
        let verbatim = self.eat("@") || self.eat("$@");
        let _ = self.eat("$");
        let quote = self.text[self.at..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
        self.at += 1;
        let mut out = String::new();
        let mut chars = self.text[self.at..].char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            match c {
                '\\' if !verbatim => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 'r')) | None => {}
                    Some((_, 't')) => out.push('\t'),
                    Some((_, other)) => out.push(other),
                },
                c if c == quote => {
                    if verbatim && chars.peek().is_some_and(|(_, next)| *next == quote) {
                        chars.next();
                        out.push(quote);
                        continue;
                    }
                    self.at += offset + 1;
                    return Some(out);
                }
                '\n' if !verbatim => break,
                c => out.push(c),
            }
        }
        self.at = self.text.len() - chars.next().map_or(0, |(offset, _)| self.text.len() - self.at - offset);
        Some(out)
    }
}

fn begins_construction(rest: &str) -> bool {
    let rest = rest.strip_prefix("new ").unwrap_or(rest);
    let name = rest.bytes().take(200).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
    let word = &rest[..name];
    rest[name..].starts_with('(') && (word.ends_with("Exception") || word.ends_with("Error"))
}
