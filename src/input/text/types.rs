//! Type names of exceptions, as runtimes print them in the middle of other words.
//!
//! Knows names only: whether a name at some place opens an exception is the business of `header`.

use std::ops::Range;

use super::pattern::pattern;

pattern!(ARITY, r"^`\d{1,2}");
pattern!(NUMBERS, r"^ ?\((0x[0-9A-Fa-f]{1,16}|-?\d{1,11})(?:, ?(-?\d{1,11}))?\)");

/// The longest generic argument list that is still read as part of a name.
const ARGUMENTS_LIMIT: usize = 600;
/// How names of exceptions end.
const SUFFIXES: [&str; 4] = ["Exception", "Error", "Fault", "Failure"];
/// Words that end like a type but only label what follows.
const LABELS: &[&str] = &[
    "Error",
    "Exception",
    "Fault",
    "Failure",
    "InnerException",
    "OuterException",
    "BaseException",
    "InnermostException",
    "LastError",
    "StandardError",
    "StdError",
    "OnError",
    "ErrorException",
];

/// A type name in a text, with what a runtime prints right behind it.
#[derive(Debug, Clone)]
pub(in crate::input) struct TypeToken {
    /// Where the name begins.
    pub(super) start: usize,
    /// Where the name ends, generic arguments included.
    pub(super) end: usize,
    /// Behind the number suffix, when there is one.
    pub(in crate::input) after: usize,
    /// Decimal numbers of the suffix: `(11001)`, `(00000001, 11)`.
    pub(super) numbers: Vec<i64>,
}

impl TypeToken {
    /// The name as printed.
    pub(super) fn name<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..self.end]
    }
}

/// Every name in the text that ends like an exception type, from left to right.
pub(super) fn tokens(text: &str) -> Vec<TypeToken> {
    let mut found = Vec::new();
    let mut from = 0;
    for suffix in suffixes(text) {
        if suffix.start < from || !ends_name(text, suffix.end) {
            continue;
        }
        let start = name_start(text, from, suffix.start);
        let end = skip_arguments(text, suffix.end);
        let (numbers, after) = number_suffix(text, end);
        found.push(TypeToken { start, end, after, numbers });
        from = end;
    }
    found
}

/// Where the ends of names stand. All begin with one of two letters, which no other letter of theirs is.
fn suffixes(text: &str) -> impl Iterator<Item = Range<usize>> {
    memchr::memchr2_iter(b'E', b'F', text.as_bytes()).filter_map(|at| {
        let suffix = SUFFIXES.iter().find(|suffix| text.as_bytes()[at..].starts_with(suffix.as_bytes()))?;
        Some(at..at + suffix.len())
    })
}

/// The name that the text begins with, if it begins with one.
pub(in crate::input) fn leading(text: &str) -> Option<TypeToken> {
    let word = text.bytes().take_while(|b| is_name_byte(*b)).count();
    // The name proper lies inside the leading word; arguments may follow it.
    let token = tokens(&text[..word]).into_iter().next().filter(|t| t.start == 0)?;
    let end = skip_arguments(text, token.end);
    let (numbers, after) = number_suffix(text, end);
    Some(TypeToken { start: 0, end, after, numbers })
}

/// Whether a name says nothing but that something went wrong.
pub(in crate::input) fn is_label(name: &str) -> bool {
    LABELS.iter().any(|label| name.eq_ignore_ascii_case(label))
}

/// Whether a name is qualified by a namespace or package.
pub(in crate::input) fn is_qualified(name: &str) -> bool {
    let plain = name.split(['`', '[', '<']).next().unwrap_or(name);
    plain.contains(['.', '+', '\\']) || plain.contains("::")
}

/// The last segment of a name, without generic parts.
pub(super) fn short(name: &str) -> &str {
    let plain = name.split(['`', '[', '<', ',']).next().unwrap_or(name);
    plain.rsplit(['.', '+', ':', '\\', '$']).next().unwrap_or(plain)
}

/// Whether an unqualified name looks like a type: `TypeError`, not `error` and not `Error`.
pub(in crate::input) fn is_camel(name: &str) -> bool {
    let upper = name.bytes().filter(u8::is_ascii_uppercase).count();
    name.starts_with(|c: char| c.is_ascii_uppercase()) && upper >= 2 && !is_label(name)
}

fn ends_name(text: &str, at: usize) -> bool {
    let rest = &text.as_bytes()[at..];
    match rest.first() {
        Some(b) if b.is_ascii_alphanumeric() || *b == b'_' => false,
        Some(b'.' | b'+' | b'\\' | b'$') => !rest.get(1).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_'),
        Some(b':') => rest.get(1) != Some(&b':'),
        None | Some(_) => true,
    }
}

fn name_start(text: &str, from: usize, suffix: usize) -> usize {
    let bytes = text.as_bytes();
    let mut start = suffix;
    while start > from && is_name_byte(bytes[start - 1]) {
        if bytes[start - 1] == b':' {
            // A single colon separates, a double one qualifies.
            if start < from + 2 || bytes[start - 2] != b':' {
                break;
            }
            start -= 1;
        }
        start -= 1;
    }
    while start < suffix && !(bytes[start].is_ascii_alphabetic() || bytes[start] == b'_') {
        start += 1;
    }
    start + glued_sentence(&text[start..suffix])
}

/// How much of the front of a name is the last word of a sentence that a logger did not separate: `request.System.X`.
fn glued_sentence(name: &str) -> usize {
    let Some((first, rest)) = name.split_once('.') else {
        return 0;
    };
    let glued = first.starts_with(|c: char| c.is_ascii_lowercase())
        && rest.contains('.')
        && rest.starts_with(|c: char| c.is_ascii_uppercase());
    if glued { first.len() + 1 } else { 0 }
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'+' | b':' | b'\\' | b'$' | b'`')
}

fn skip_arguments(text: &str, mut at: usize) -> usize {
    if let Some(arity) = ARITY.find(&text[at..]) {
        at += arity.end();
    }
    let (open, close) = match text.as_bytes().get(at) {
        Some(b'[') => (b'[', b']'),
        Some(b'<') => (b'<', b'>'),
        _ => return at,
    };
    let mut depth = 0_usize;
    for (offset, b) in text.as_bytes()[at..].iter().take(ARGUMENTS_LIMIT).enumerate() {
        match *b {
            b'\n' => return at,
            b if b == open => depth += 1,
            b if b == close => {
                depth -= 1;
                if depth == 0 {
                    return at + offset + 1;
                }
            }
            _ => {}
        }
    }
    at
}

fn number_suffix(text: &str, at: usize) -> (Vec<i64>, usize) {
    let Some(found) = NUMBERS.captures(&text[at..]) else {
        return (Vec::new(), at);
    };
    let decimal = |group: usize| {
        let digits = found.get(group)?.as_str();
        // Eight digits with leading zeros are an HRESULT without its `0x`.
        if digits.starts_with("0x") || (digits.len() > 1 && digits.starts_with('0')) {
            None
        } else {
            digits.parse().ok()
        }
    };
    let numbers = [decimal(1), decimal(2)].into_iter().flatten().collect();
    (numbers, at + found.get(0).map_or(0, |all| all.end()))
}
