//! What a stream holds, told from its first lines alone and never from how fast they come.

use std::fmt;
use std::io::{self, Read};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::json::FIELDS;
use crate::model::limits;

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Our own JSON line by line.
    Lines,
    /// JSON that is not ours line by line; what it is shows when it has been read.
    Document,
    /// A text.
    Whole,
}

/// Bytes that are looked at.
pub(crate) const PEEK_BYTES: usize = 64 * 1024;
/// Lines that are looked at.
const PEEK_LINES: usize = 16;

/// Tells what a stream holds, and keeps in `head` what was read for that. Our own JSON line by line is told from its
/// first line, so that whoever sends one failure and waits for the answer gets it; anything else takes some more lines.
pub(crate) fn recognize(input: &mut impl Read, head: &mut Vec<u8>) -> io::Result<Form> {
    let mut chunk = vec![0; PEEK_BYTES];
    loop {
        let is_end = match input.read(&mut chunk) {
            Ok(count) => {
                head.extend_from_slice(&chunk[..count]);
                count == 0
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let seen = &head[..head.len().min(PEEK_BYTES)];
        let is_enough = is_end || head.len() >= PEEK_BYTES;
        // A line without its end tells nothing yet, unless nothing more will be looked at.
        let seen =
            if is_enough { seen } else { &seen[..seen.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1)] };
        let lines: Vec<&[u8]> = lines(seen).take(PEEK_LINES).collect();
        let first = lines.first().copied().unwrap_or_default();
        if is_ours(first) || !is_open(first) && lines.iter().any(|line| resembles_failure(line) == Resemblance::Clear) {
            return Ok(Form::Lines);
        }
        // Objects line by line are records, also where others have the same fields: merged they would lose answers.
        let are_objects = lines.len() > 1 && lines.iter().all(|line| line.trim_ascii().starts_with(b"{"));
        if are_objects && !is_open(first) && lines.iter().any(|line| has_our_field(line)) {
            return Ok(Form::Lines);
        }
        if is_enough || lines.len() == PEEK_LINES {
            return Ok(match without_mark(head).trim_ascii_start().first() {
                Some(b'{' | b'[') => Form::Document,
                _ => Form::Whole,
            });
        }
    }
}

/// The lines that are not blank.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    without_mark(head).split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty())
}

/// Whether a line, a document or each item of a list is a failure in our own JSON.
pub(crate) fn is_ours(line: &[u8]) -> bool {
    resembles_failure(line) > Resemblance::None
}

/// Whether a line is an object with at least one field of ours.
fn has_our_field(line: &[u8]) -> bool {
    let names = serde_json::from_slice::<Names>(line).map(|Names(names)| names).unwrap_or_default();
    names.iter().any(|name| FIELDS.contains(&name.as_str()))
}

/// Whether a line opens JSON that goes on in the next lines, and was not just cut off.
fn is_open(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    matches!(line.first(), Some(b'[' | b'{')) && matches!(line.last(), Some(b'[' | b'{' | b','))
}

/// How much a line looks like a failure of ours: it has our fields, and not only those that others have as well.
fn resembles_failure(bytes: &[u8]) -> Resemblance {
    let Ok(Names(names)) = serde_json::from_slice(bytes) else { return Resemblance::None };
    let is_ours = |name: &String| FIELDS.contains(&name.as_str());
    if names.iter().any(|name| {
        is_ours(name)
            && !matches!(name.as_str(), "id" | "message" | "text" | "operation" | "attributes" | "stack_trace")
    }) {
        Resemblance::Clear
    } else if names.iter().all(is_ours)
        || names.iter().any(|name| matches!(name.as_str(), "text" | "operation" | "attributes"))
    {
        Resemblance::Some
    } else {
        Resemblance::None
    }
}

/// How much JSON looks like a failure of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Resemblance {
    /// It is something else.
    None,
    /// Its names are ours, but others have them as well.
    Some,
    /// It has names that only we have.
    Clear,
}

/// The first names of an object, without its values.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = access.next_entry::<String, IgnoredAny>()? {
            if names.len() < limits::RECORD_FIELDS {
                names.push(name);
            }
        }
        Ok(Names(names))
    }
}

pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
