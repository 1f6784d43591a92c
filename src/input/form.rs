//! What a stream holds, told from its first lines alone and never from how fast they come.

use std::fmt;
use std::io::{self, Read};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::limits;

use super::format::Format;
use super::json::FIELDS;
use super::mapping::{Fact, Mapping};
use super::rows::delimiter;
use super::value::Value;

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Our own JSON line by line.
    Lines,
    /// Records of another format line by line, or rows.
    Records(Format),
    /// JSON that is not ours line by line; what it is shows when it has been read.
    Document,
    /// A text.
    Whole,
}

/// Bytes that are looked at.
pub(crate) const PEEK_BYTES: usize = 64 * 1024;
/// Lines that are looked at.
const PEEK_LINES: usize = 16;

/// Tells what a stream holds, and keeps in `head` what was read for that. Our own JSON line by line and log records are
/// told from their first line, so that whoever sends one failure and waits for the answer gets it; anything else takes
/// some more lines.
pub(crate) fn recognize(input: &mut impl Read, head: &mut Vec<u8>, mapping: &Mapping) -> io::Result<Form> {
    let mut chunk = vec![0; PEEK_BYTES];
    let mut told = 0;
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
        // Line by line, so that it makes no difference how many of them come at once.
        for count in told + 1..=lines.len() {
            if let Some(form) = told_by(&lines[..count], mapping) {
                return Ok(form);
            }
        }
        told = lines.len();
        if is_enough || lines.len() == PEEK_LINES {
            return Ok(at_last(&lines, head, is_end, mapping));
        }
    }
}

/// What some lines tell, without a look at what follows.
fn told_by(lines: &[&[u8]], mapping: &Mapping) -> Option<Form> {
    let (first, last) = (lines.first()?, lines.last()?);
    if let Some(format) = if lines.len() == 1 { format_of(first).filter(|format| format.is_logged()) } else { None } {
        return Some(Form::Records(format));
    }
    if lines.len() == 1 && is_header(first, mapping) {
        return Some(Form::Records(Format::Csv));
    }
    // A layout of a log may have fields of ours; so may whatever connectors send, but never an exception as one text.
    let is_layout = format_of(first) == Some(Format::Nlog);
    if is_layout && lines.len() == 2 && last.trim_ascii().starts_with(b"{") {
        return Some(Form::Records(Format::Nlog));
    }
    if is_ours(first) && !is_layout
        || !is_open(first) && resembles_failure(last) == Resemblance::Clear && format_of(last).is_none()
    {
        return Some(Form::Lines);
    }
    // Objects line by line are records, also where others have the same fields: merged they would lose answers.
    let are_objects = lines.len() > 1 && lines.iter().all(|line| line.trim_ascii().starts_with(b"{"));
    let is_others = format_of(first).is_some();
    if are_objects && !is_open(first) && !is_others && lines.iter().any(|line| has_our_field(line)) {
        return Some(Form::Lines);
    }
    if !mapping.is_empty() && are_objects && !is_open(first) {
        return Some(Form::Lines);
    }
    None
}

/// What the first lines tell together, when none of them did.
fn at_last(lines: &[&[u8]], head: &[u8], is_end: bool, mapping: &Mapping) -> Form {
    // What somebody pasted may begin with a body that a record of its own looks like.
    let format = lines.first().and_then(|first| format_of(first));
    if let Some(format) = format
        && (lines.len() > 1 || !is_end)
        && lines.iter().all(|line| format_of(line) == Some(format))
    {
        return Form::Records(format);
    }
    if !mapping.is_empty() && lines.len() == 1 && !is_open(lines[0]) && lines[0].trim_ascii().starts_with(b"{") {
        return Form::Lines;
    }
    match without_mark(head).trim_ascii_start().first() {
        Some(b'{' | b'[') => Form::Document,
        _ => Form::Whole,
    }
}

/// The format of others that a record, a document or a list surely has.
pub(crate) fn format_of(bytes: &[u8]) -> Option<Format> {
    let start = bytes.trim_ascii_start();
    if !start.starts_with(b"{") && !start.starts_with(b"[") {
        return None;
    }
    let holds = |name: &[u8]| memchr::memmem::find(start, name).is_some();
    if start.starts_with(b"{") && (holds(b"\"resourceLogs\"") || holds(b"\"tables\"")) {
        // Such a document may have more values than one record.
        let names = serde_json::from_slice(start).map(|Names(names)| names).unwrap_or_default();
        if names.iter().any(|name| name == "resourceLogs") {
            return Some(Format::Otlp);
        }
        if names.iter().any(|name| name == "tables")
            && holds(b"\"rows\"")
            && (holds(b"roblemId") || holds(b"nnermostType"))
        {
            return Some(Format::AppInsights);
        }
    }
    let value = Value::read(start).ok()?;
    let format = Format::of_record(&value)?;
    // Fields that only we have are ours, whatever else stands beside them.
    let is_clear = !format.is_logged() && resembles_failure(start) == Resemblance::Clear;
    let only_ours = ["exceptions", "http_status", "provider_codes", "error_numbers", "text"];
    let is_log = format == Format::Nlog
        && value.exact("exception").is_some()
        && only_ours.iter().all(|name| value.exact(name).is_none());
    (!is_clear || is_log).then_some(format)
}

/// Whether records of a format go on in the lines behind the first one.
pub(crate) fn opens_document(format: Format, line: &[u8]) -> bool {
    let line = line.trim_ascii();
    if format == Format::Provider && line.starts_with(b"HTTP/") {
        return true;
    }
    if format == Format::Provider && line.starts_with(b"<") {
        // A document on one line ends with its root; another one follows, or nothing.
        let root = line.iter().skip(1).take_while(|b| !b" >/?!".contains(b)).copied().collect::<Vec<u8>>();
        return root.is_empty() || !line.ends_with(&[b"</", &root[..], b">"].concat());
    }
    is_open(line)
}

/// Whether a line names the columns of a table: cells that are words, some of them those of facts or of mapped fields.
fn is_header(line: &[u8], mapping: &Mapping) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let separator = char::from(delimiter(line.as_bytes()));
    let cells: Vec<&str> = line.trim().split(separator).map(|cell| cell.trim().trim_matches('"')).collect();
    let are_words = cells.iter().all(|cell| {
        (1..=64).contains(&cell.len()) && cell.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
    });
    let known =
        cells.iter().filter(|cell| Fact::parse(cell).is_some() || mapping.fields().any(|field| field == **cell));
    cells.len() > 1 && are_words && known.count() >= 2
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
