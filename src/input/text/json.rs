//! A lenient reader of JSON and its relatives as they are pasted: escaped, single-quoted, wrapped, cut off.
//!
//! Yields values and nothing else; which of them are facts is read in `body`. It never fails: what was read before the
//! text stopped making sense is the value. Every character is looked at a fixed number of times.

use crate::input::value::Value;

use super::bounds::JSON_DEPTH;
use super::quoting::{self, Quoting};

/// The longest key; a longer one is no key, and giving up early keeps the reading of hostile text linear.
const KEY_LIMIT: usize = 96;

/// A value found in a text, and where it ends.
pub(super) struct Found {
    /// The value: an object or an array of objects.
    pub(super) value: Value,
    /// The position behind it.
    pub(super) end: usize,
}

/// Reads the object or array of objects that begins at `at`, if one does.
pub(super) fn read(text: &str, at: usize) -> Option<Found> {
    let quoting = quoting::first_key(text, at)?;
    let mut reader = Reader { text, at, quoting, broken: false };
    let value = reader.value(0)?;
    is_telling(&value).then_some(Found { value, end: reader.at })
}

/// Reads members that lost their braces: `"error": "invalid_client", "error_description": …`.
pub(super) fn read_members(text: &str, at: usize) -> Option<Found> {
    if !text[at..].starts_with('"') {
        return None;
    }
    let mut reader = Reader { text, at, quoting: Quoting::Escaped(0), broken: false };
    let mut end = at;
    let members = reader.members(0, Some(&mut end));
    let value = Value::Object(members);
    is_telling(&value).then_some(Found { value, end })
}

fn is_telling(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => items.iter().any(is_telling),
        _ => false,
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    quoting: Quoting,
    broken: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.quoting.char_at(self.text, self.at).map(|(c, _)| c)
    }

    fn bump(&mut self) -> Option<char> {
        let (c, next) = self.quoting.char_at(self.text, self.at)?;
        self.at = next;
        Some(c)
    }

    fn skip_space(&mut self) {
        while let Some((c, next)) = self.quoting.char_at(self.text, self.at) {
            // A backslash outside a string escapes a line break of a text that was escaped once more.
            let breaks = c == '\\' && matches!(self.quoting.char_at(self.text, next), Some(('n' | 'r' | 't', _)));
            if breaks {
                self.at = self.quoting.char_at(self.text, next).map_or(next, |(_, after)| after);
            } else if c.is_whitespace() {
                self.at = next;
            } else {
                break;
            }
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_space();
        if depth > JSON_DEPTH {
            self.broken = true;
            return None;
        }
        match self.peek()? {
            '{' => {
                self.bump();
                let members = self.members(depth, None);
                Some(Value::Object(members))
            }
            '[' => {
                self.bump();
                Some(Value::Array(self.items(depth)))
            }
            '"' | '\'' => self.joined(),
            _ => self.bare(),
        }
    }

    /// Members up to the closing brace. `complete` is set to the end of the last whole member.
    fn members(&mut self, depth: usize, mut complete: Option<&mut usize>) -> Vec<(String, Value)> {
        let mut members = Vec::new();
        loop {
            self.skip_space();
            if self.eat(',') {
                continue;
            }
            if self.eat('}') {
                break;
            }
            let Some(key) = self.key() else {
                self.broken = true;
                break;
            };
            let Some(value) = self.value(depth + 1) else {
                self.broken = true;
                break;
            };
            if let Some(end) = complete.as_deref_mut() {
                *end = self.at;
            }
            members.push((key, value));
            if let Some(end) = complete.as_deref_mut()
                && self.peek() == Some(',')
            {
                *end = self.at + 1;
            }
            if self.broken {
                break;
            }
        }
        members
    }

    fn key(&mut self) -> Option<String> {
        while matches!(self.peek(), Some('…' | ',' | '.' | ' ' | '\n')) {
            self.bump();
        }
        if self.peek() == Some('u') && matches!(self.quoting.char_at(self.text, self.at + 1), Some(('\'', _))) {
            self.bump();
        }
        let key = match self.peek()? {
            '"' | '\'' => self.string(KEY_LIMIT)?,
            c if c.is_alphabetic() || c == '_' || c == '$' || c == '@' => self.word(),
            _ => return None,
        };
        self.skip_space();
        if self.eat(':') {
            return Some(key);
        }
        (self.eat('=') && { self.eat('>') }).then_some(key)
    }

    fn items(&mut self, depth: usize) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.eat(',') {
                continue;
            }
            if self.eat(']') {
                break;
            }
            let before = self.at;
            match self.value(depth + 1) {
                Some(value) if self.at > before => items.push(value),
                _ => self.broken = true,
            }
            if self.broken {
                break;
            }
        }
        items
    }

    /// A string, or several joined by `+` as Ruby prints long ones.
    fn joined(&mut self) -> Option<Value> {
        let mut text = self.string(usize::MAX)?;
        loop {
            let before = self.at;
            self.skip_space();
            if self.eat('+') {
                self.skip_space();
                if matches!(self.peek(), Some('"' | '\'')) {
                    text.push_str(&self.string(usize::MAX)?);
                    continue;
                }
            }
            self.at = before;
            return Some(Value::Text(text));
        }
    }

    /// A string. One that is never closed is cut off there and breaks the value.
    fn string(&mut self, limit: usize) -> Option<String> {
        let quote = self.bump()?;
        let mut out = String::new();
        loop {
            if out.len() > limit {
                return None;
            }
            let Some(c) = self.bump() else {
                self.broken = true;
                return Some(out);
            };
            if c == '\\' {
                self.escape(&mut out);
            } else if c == quote && self.closes(quote) {
                return Some(out);
            } else {
                out.push(c);
            }
        }
    }

    fn escape(&mut self, out: &mut String) {
        match self.bump() {
            Some('n') => out.push('\n'),
            Some('r') | None => {}
            Some('t') => out.push('\t'),
            Some('b' | 'f') => out.push(' '),
            Some('u') => {
                if let Some((c, next)) = self.code_point() {
                    out.push(c);
                    self.at = next;
                }
            }
            Some(c @ ('"' | '\'' | '\\' | '/')) => out.push(c),
            // Not an escape of JSON: a Windows path that nobody escaped.
            Some(c) => out.extend(['\\', c]),
        }
    }

    fn code_point(&self) -> Option<(char, usize)> {
        let (mut code, mut next) = (0_u32, self.at);
        for _ in 0..4 {
            let (digit, after) = self.quoting.char_at(self.text, next)?;
            code = code * 16 + digit.to_digit(16)?;
            next = after;
        }
        Some((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), next))
    }

    /// Whether the quote just read ends the string: only punctuation may follow, else it stands inside a sentence.
    fn closes(&self, quote: char) -> bool {
        let mut at = self.at;
        let mut broke = false;
        while let Some((c, next)) = self.quoting.char_at(self.text, at) {
            match c {
                '\n' => broke = true,
                c if c.is_whitespace() => {}
                ',' | '}' | ']' | ':' | '+' | ')' | '\\' | ';' | '=' => return true,
                '"' | '\'' => return broke || quote == '"',
                _ => return broke,
            }
            at = next;
        }
        true
    }

    fn word(&mut self) -> String {
        let mut out = String::new();
        while let Some((c, next)) = self.quoting.char_at(self.text, self.at) {
            if !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '$' | '@')) {
                break;
            }
            out.push(c);
            self.at = next;
        }
        out
    }

    /// A number, `null`, `None`, `true`, or anything else up to the next separator.
    fn bare(&mut self) -> Option<Value> {
        let mut out = String::new();
        while let Some((c, next)) = self.quoting.char_at(self.text, self.at) {
            if matches!(c, ',' | '}' | ']' | '\n' | '{' | '[' | '"' | '\\') {
                break;
            }
            out.push(c);
            self.at = next;
        }
        let word = out.trim();
        (!word.is_empty()).then(|| Value::Bare(word.to_owned()))
    }
}
