//! Records that stand together in one line or document: items of a list, log records of OTLP, rows of a query's result.
//!
//! Works on well-formed JSON, record by record: only the places are kept, never all records.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::model::limits;

use super::format::Format;
use super::formats::is_details;
use super::value::Value;

/// Bytes of what stands around log records that is given to each of them; a longer one says nothing about a failure.
const AROUND_BYTES: usize = 64 * 1024;

/// Records that stand together, and where the next one is looked for.
#[derive(Debug, Clone)]
pub(super) enum Parts {
    /// The items of a list.
    List(usize),
    /// Log records inside of scopes inside of resources.
    Logs {
        resources: usize,
        scopes: Option<usize>,
        records: Option<usize>,
        resource: Range<usize>,
        scope: Range<usize>,
    },
    /// Rows inside of tables, with the names of their columns.
    Tables { tables: usize, rows: Option<usize>, columns: Vec<String> },
}

/// A record among others.
pub(super) enum Part {
    /// It stands here.
    At(Range<usize>),
    /// It was put together.
    Composed,
}

/// The parts of OTLP that records stand in, in both spellings.
#[derive(Deserialize)]
struct Logs<'r> {
    #[serde(borrow, default)]
    resource: Option<&'r RawValue>,
    #[serde(borrow, default)]
    scope: Option<&'r RawValue>,
    #[serde(borrow, default, rename = "resourceLogs", alias = "resource_logs")]
    resources: Option<&'r RawValue>,
    #[serde(borrow, default, rename = "scopeLogs", alias = "scope_logs", alias = "instrumentationLibraryLogs")]
    scopes: Option<&'r RawValue>,
    #[serde(borrow, default, rename = "logRecords", alias = "log_records")]
    records: Option<&'r RawValue>,
}

/// The result of a query of Log Analytics.
#[derive(Deserialize)]
struct Table<'r> {
    #[serde(borrow, default)]
    tables: Option<&'r RawValue>,
    #[serde(borrow, default)]
    records: Option<&'r RawValue>,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(borrow, default)]
    rows: Option<&'r RawValue>,
}

#[derive(Deserialize)]
struct Column {
    #[serde(alias = "ColumnName")]
    name: String,
}

impl Parts {
    /// The records that stand together in what should be one; `None` when it is one, or no JSON.
    pub(super) fn of(format: Format, bytes: &[u8]) -> Option<Self> {
        let start = bytes.trim_ascii_start();
        if start.starts_with(b"[") {
            let is_list =
                format != Format::Json && is_json(bytes) && !(format == Format::AppInsights && details(bytes));
            return Self::list(bytes).filter(|list| is_list && list.clone().next(bytes, &mut Vec::new()).is_some());
        }
        let holds = |name: &[u8]| memchr::memmem::find(bytes, name).is_some();
        match format {
            Format::Otlp if holds(b"\"resourceLogs\"") || holds(b"\"resource_logs\"") => {
                let logs: Logs<'_> = serde_json::from_slice(bytes).ok()?;
                let resources = inside(bytes, logs.resources?)?;
                Some(Self::Logs { resources, scopes: None, records: None, resource: 0..0, scope: 0..0 })
            }
            Format::AppInsights if holds(b"\"tables\"") || holds(b"\"records\"") => {
                let table: Table<'_> = serde_json::from_slice(bytes).ok()?;
                match table.tables {
                    Some(tables) => {
                        Some(Self::Tables { tables: inside(bytes, tables)?, rows: None, columns: Vec::new() })
                    }
                    None => Some(Self::List(inside(bytes, table.records?)?)),
                }
            }
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn list(bytes: &[u8]) -> Option<Self> {
        let open = bytes.iter().position(|b| !b.is_ascii_whitespace())?;
        (bytes[open] == b'[').then_some(Self::List(open + 1))
    }

    /// Where the items of a list stand.
    pub(super) fn ranges(mut self, bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
        std::iter::from_fn(move || match &mut self {
            Self::List(at) => next_item(bytes, at),
            _ => None,
        })
    }

    /// The next record: where it stands, or that it was put together in `composed`.
    pub(super) fn next(&mut self, bytes: &[u8], composed: &mut Vec<u8>) -> Option<Part> {
        match self {
            Self::List(at) => next_item(bytes, at).map(Part::At),
            Self::Logs { resources, scopes, records, resource, scope } => loop {
                if let Some(at) = records {
                    if let Some(item) = next_item(bytes, at) {
                        compose(composed, bytes, resource, scope, item);
                        return Some(Part::Composed);
                    }
                    *records = None;
                }
                if let Some(at) = scopes {
                    if let Some(item) = next_item(bytes, at) {
                        let Some(logs) = logs(bytes, &item) else { return Some(Part::At(item)) };
                        *scope = around(bytes, logs.scope);
                        *records = logs.records.and_then(|records| inside(bytes, records));
                        continue;
                    }
                    *scopes = None;
                }
                let item = next_item(bytes, resources)?;
                let Some(logs) = logs(bytes, &item) else { return Some(Part::At(item)) };
                *resource = around(bytes, logs.resource);
                *scopes = logs.scopes.and_then(|scopes| inside(bytes, scopes));
            },
            Self::Tables { tables, rows, columns } => loop {
                if let Some(at) = rows {
                    if let Some(row) = next_item(bytes, at) {
                        if bytes[row.clone()].starts_with(b"[") {
                            compose_row(composed, bytes, columns, row.start + 1);
                            return Some(Part::Composed);
                        }
                        return Some(Part::At(row));
                    }
                    *rows = None;
                }
                let item = next_item(bytes, tables)?;
                let Ok(table) = serde_json::from_slice::<Table<'_>>(&bytes[item.clone()]) else {
                    return Some(Part::At(item));
                };
                *columns = table.columns.into_iter().take(limits::RECORD_FIELDS).map(|column| column.name).collect();
                *rows = table.rows.and_then(|rows| inside(bytes, rows));
            },
        }
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Whether a list is all exceptions of one failure.
fn details(bytes: &[u8]) -> bool {
    let first = Parts::list(bytes).and_then(|list| list.ranges(bytes).next());
    first.is_some_and(|item| Value::read(&bytes[item]).is_ok_and(|item| is_details(&[item])))
}

fn logs<'r>(bytes: &'r [u8], item: &Range<usize>) -> Option<Logs<'r>> {
    serde_json::from_slice(&bytes[item.clone()]).ok()
}

/// Behind the bracket of a list; nothing when it is none.
fn inside(bytes: &[u8], list: &RawValue) -> Option<usize> {
    let range = place(bytes, list)?;
    bytes[range.clone()].starts_with(b"[").then_some(range.start + 1)
}

fn place(bytes: &[u8], part: &RawValue) -> Option<Range<usize>> {
    let start = part.get().as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    Some(start..start + part.get().len())
}

fn around(bytes: &[u8], part: Option<&RawValue>) -> Range<usize> {
    part.and_then(|part| place(bytes, part)).filter(|range| range.len() <= AROUND_BYTES).unwrap_or(0..0)
}

/// A log record with what stands around it.
fn compose(out: &mut Vec<u8>, bytes: &[u8], resource: &Range<usize>, scope: &Range<usize>, record: Range<usize>) {
    out.clear();
    out.push(b'{');
    for (name, range) in [(&b"\"resource\":"[..], resource), (b"\"scope\":", scope)] {
        if !range.is_empty() {
            out.extend_from_slice(name);
            out.extend_from_slice(&bytes[range.clone()]);
            out.push(b',');
        }
    }
    out.extend_from_slice(b"\"logRecord\":");
    out.extend_from_slice(&bytes[record]);
    out.push(b'}');
}

/// A row as an object with the names of its columns.
fn compose_row(out: &mut Vec<u8>, bytes: &[u8], columns: &[String], mut at: usize) {
    out.clear();
    out.push(b'{');
    for column in columns {
        let Some(cell) = next_item(bytes, &mut at) else { break };
        if out.len() > 1 {
            out.push(b',');
        }
        // A name is a text: writing it to memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, column);
        out.push(b':');
        out.extend_from_slice(&bytes[cell]);
    }
    out.push(b'}');
}

/// Where the next item of a list stands, behind its bracket or the item before, in JSON that is known to be well-formed.
fn next_item(bytes: &[u8], at: &mut usize) -> Option<Range<usize>> {
    let skipped = bytes[*at..].iter().position(|b| !b.is_ascii_whitespace() && *b != b',')?;
    let start = *at + skipped;
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut is_escaped = false;
    for (index, &byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b',' | b']' if depth == 0 => {
                *at = index;
                return (index > start).then_some(start..index);
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    None
}
