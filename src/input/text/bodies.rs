//! Bodies lifted out of a text: each becomes one private character, so that no line of it is taken for a line of the log.
//!
//! Knows where bodies begin and end; what they say is read in `body` and `xml`.

use super::body::{self, Body};
use super::bounds;
use super::constructors;
use super::json;
use super::xml;

/// The most characters that may turn out not to open a body; a text with more of them is no report of a failure.
const TRIES_LIMIT: usize = 4096;

/// A text without its bodies.
pub(super) struct Lifted {
    /// The text, a private character in the place of each body.
    pub(super) flat: String,
    /// The bodies, in order.
    pub(super) bodies: Vec<Body>,
}

impl Lifted {
    /// The text with the words of each body in its place.
    pub(super) fn expanded(&self) -> String {
        expand(&self.flat, &self.bodies, Body::words)
    }
}

/// The text with something in the place of each body.
pub(super) fn expand(flat: &str, bodies: &[Body], what: impl Fn(&Body) -> String) -> String {
    if !bounds::has_marks(flat) {
        return flat.to_owned();
    }
    let mut out = String::with_capacity(flat.len());
    for c in flat.chars() {
        match bounds::marked(c).and_then(|index| bodies.get(index)) {
            Some(body) => out.push_str(&what(body)),
            None => out.push(c),
        }
    }
    out
}

/// Takes the bodies out of a text that is itself nested so deep.
pub(super) fn lift(text: &str, nesting: usize) -> Lifted {
    let mut lifted = Lifted { flat: String::with_capacity(text.len()), bodies: Vec::new() };
    let mut at = 0;
    let mut kept = 0;
    let markup = xml::starts(text);
    let constructions = constructors::starts(text);
    let mut tried = 0;
    while at < text.len() {
        let construction = constructions.iter().copied().find(|start| *start >= at);
        let rest = &text.as_bytes()[at..];
        let opening = rest.iter().position(|b| matches!(b, b'{' | b'[' | b'<' | b'"')).map(|offset| at + offset);
        let Some(start) = [opening, construction].into_iter().flatten().min() else {
            break;
        };
        at = start;
        let Some(mark) = bounds::mark(lifted.bodies.len()) else {
            break;
        };
        let opens = match text.as_bytes()[at] {
            _ if construction == Some(at) => true,
            b'<' => markup.binary_search(&at).is_ok(),
            b'{' => true,
            b'[' => opens_list(&text[at + 1..]),
            _ => begins_member(text, at),
        };
        let found = if opens { read(text, at, construction == Some(at), nesting) } else { None };
        if let Some((body, end)) = found
            && end > at
        {
            lifted.flat.push_str(&text[kept..at]);
            lifted.flat.push(mark);
            lifted.bodies.push(body);
            kept = end;
            at = end;
        } else {
            at += 1;
            tried += usize::from(opens);
            if tried > TRIES_LIMIT {
                break;
            }
        }
    }
    lifted.flat.push_str(&text[kept..]);
    lifted
}

/// The body that opens at a position, and where it ends.
fn read(text: &str, at: usize, construction: bool, nesting: usize) -> Option<(Body, usize)> {
    let first = text.as_bytes()[at];
    if construction {
        return constructors::read(text, at);
    }
    if first == b'<' {
        let end = xml::end(text, at)?;
        return Some((xml::read(&text[at..end]), end));
    }
    let found = if first == b'"' { json::read_members(text, at) } else { json::read(text, at) }?;
    Some((body::read(&found.value, &text[at..found.end], nesting), found.end))
}

fn opens_list(rest: &str) -> bool {
    rest.bytes().take(64).find(|b| !b.is_ascii_whitespace()) == Some(b'{')
}

/// Whether a line begins here with a quoted key: `"error": …`.
fn begins_member(text: &str, at: usize) -> bool {
    let before = text[..at].bytes().rev().take(64).find(|b| *b != b' ' && *b != b'\t');
    if !matches!(before, None | Some(b'\n')) {
        return false;
    }
    let key = text[at + 1..]
        .bytes()
        .take(64)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'@' | b'-'))
        .count();
    let Some(rest) = text[at + 1 + key..].strip_prefix('"') else {
        return false;
    };
    key > 0 && rest.trim_start_matches(' ').starts_with([':', '='])
}
