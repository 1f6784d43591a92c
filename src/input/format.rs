//! The formats that failures come in, by name, and how one record of each is read.

use std::fmt;

use crate::model::{Failure, limits};

use super::draft::Draft;
use super::formats::{ADAPTERS, Adapter, read_markup};
use super::json::{Record, read_record, shown};
use super::level::Level;
use super::mapping::Mapping;
use super::value::Value;

/// A format of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Our own JSON.
    Json,
    /// A text as somebody pasted or logged it.
    Text,
    /// A serialized .NET exception.
    Exception,
    /// Serilog's compact JSON.
    Clef,
    /// Serilog's `JsonFormatter`.
    Serilog,
    /// JSON layouts of NLog, and other log lines as JSON.
    Nlog,
    /// Rows of Application Insights.
    AppInsights,
    /// Log records of OpenTelemetry.
    Otlp,
    /// Events of Sentry.
    Sentry,
    /// Problem details of RFC 9457.
    Problem,
    /// Bodies of remote services.
    Provider,
    /// Rows of CSV.
    Csv,
    /// Rows of Parquet.
    Parquet,
}

/// The formats by name.
const NAMES: [(Format, &str); 13] = [
    (Format::Json, "json"),
    (Format::Text, "text"),
    (Format::Exception, "exception"),
    (Format::Clef, "clef"),
    (Format::Serilog, "serilog"),
    (Format::Nlog, "nlog"),
    (Format::AppInsights, "app-insights"),
    (Format::Otlp, "otlp"),
    (Format::Sentry, "sentry"),
    (Format::Problem, "problem"),
    (Format::Provider, "provider"),
    (Format::Csv, "csv"),
    (Format::Parquet, "parquet"),
];

impl Format {
    /// The name: `json`, `clef`, `app-insights`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(format, _)| *format == self).map_or("", |(_, name)| name)
    }

    /// All formats.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(format, _)| *format)
    }

    /// The format with this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(format, _)| *format)
    }

    /// The format of a record that can only be of one; never our own JSON and never text.
    pub(super) fn of_record(value: &Value) -> Option<Self> {
        ADAPTERS.iter().find(|adapter| (adapter.tells)(value)).map(|adapter| adapter.format)
    }

    /// Whether records of this format are logged, so that the next line is most likely one as well. What else is written
    /// like the others may just be what somebody pasted first.
    pub(super) fn is_logged(self) -> bool {
        !matches!(self, Self::Exception | Self::Problem | Self::Provider | Self::Nlog)
    }

    fn adapter(self) -> Option<&'static Adapter> {
        ADAPTERS.into_iter().find(|adapter| adapter.format == self)
    }

    /// Reads one record; why it is none of this format else.
    pub(crate) fn read(self, bytes: &[u8], mapping: &Mapping) -> Result<Entry<'static>, String> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
        let Some(adapter) = self.adapter() else { return mapped(bytes, mapping) };
        let mut draft = Draft::default();
        let value = match Value::read(bytes) {
            Ok(value) => (adapter.shape)(value),
            Err(_) if self == Self::Provider && read_markup(text, &mut draft) => return Ok(draft.into_entry()),
            Err(error) => return Err(format!("expected {adapter}; found no JSON: {error}")),
        };
        if let Some(name) = value.twice() {
            draft.note(format!("field `{}` is given twice; the first is taken", shown(name)));
        }
        let is_read = (adapter.read)(&value, text, &mut draft);
        let is_mapped = mapping.apply(&value, &mut draft);
        if is_read || is_mapped { Ok(draft.into_entry()) } else { Err(format!("expected {adapter}; found {value}")) }
    }
}

/// Reads a record of our own JSON, or of any other JSON of which all facts are mapped.
fn mapped(bytes: &[u8], mapping: &Mapping) -> Result<Entry<'static>, String> {
    let Record { failure, mut notes } = read_record(bytes)?;
    // Fields that are not ours are what the mapping is for.
    notes.retain(|note| !note.starts_with("ignored "));
    let mut draft = Draft { failure: failure.into_owned(), level: None, notes };
    mapping.apply(&Value::read(bytes)?, &mut draft);
    Ok(draft.into_entry())
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`)", self.expected, self.format)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(_) => f.write_str("a text"),
            Value::Bare(word) => write!(f, "`{}`", shown(word)),
            Value::Array(_) => f.write_str("a list"),
            Value::Object(members) if members.is_empty() => f.write_str("an empty object"),
            Value::Object(members) => {
                let names: Vec<_> = members.iter().take(5).map(|(name, _)| format!("`{}`", shown(name))).collect();
                let more = if members.len() > 5 { ", …" } else { "" };
                write!(f, "an object with {}{more}", names.join(", "))
            }
        }
    }
}

/// A failure as it was read, with what a log said about how grave it is.
#[derive(Debug)]
pub(crate) struct Entry<'r> {
    pub(crate) record: Record<'r>,
    level: Option<Level>,
    has_exception: bool,
}

impl Entry<'_> {
    /// Whether the record is less grave than a level and says nothing about an exception. One of unknown level is not.
    pub(crate) fn is_below(&self, least: Level) -> bool {
        self.level.is_some_and(|level| level < least) && !self.has_exception
    }
}

impl<'r> From<Record<'r>> for Entry<'r> {
    fn from(record: Record<'r>) -> Self {
        Self { record, level: None, has_exception: false }
    }
}

impl Draft {
    fn into_entry(mut self) -> Entry<'static> {
        let has_exception = self.has_exception();
        bound(&mut self.failure);
        Entry { record: Record { failure: self.failure, notes: self.notes }, level: self.level, has_exception }
    }
}

/// One exception more than the limit says that some are missing; nobody looks at more.
fn bound(failure: &mut Failure<'_>) {
    let over = failure.exceptions.len().saturating_sub(limits::CAUSES + 1);
    if over > 0 {
        failure.exceptions.drain(limits::CAUSES..limits::CAUSES + over);
        if let Some(last) = failure.exceptions.last_mut() {
            last.parent = None;
        }
    }
}
