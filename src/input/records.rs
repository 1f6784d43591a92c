//! Records from a stream: lines, lists and rows of them, or one text.
//!
//! Lines end at LF and nowhere else. Memory is bounded by one record, however long the stream or the line is.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::IgnoredAny;

use crate::model::{Failure, excerpt, limits};

use super::form::{Form, PEEK_BYTES, format_of, is_ours, opens_document, recognize, without_mark};
use super::format::{Entry, Format};
use super::json::{Record, read_guarded};
use super::mapping::Mapping;
use super::parts::{Part, Parts};
use super::rows::{CsvRows, Row, RowSource};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputFormat {
    /// Told from the first lines.
    Auto,
    /// The named format.
    Given(Format),
    /// The named format, line by line whatever the first lines look like.
    Lines(Format),
}

/// A record as it stands in the stream, not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raw<'r> {
    /// A line or an item of a list: one failure in our own JSON.
    Json(&'r [u8]),
    /// A whole input that is one text.
    Text(&'r [u8]),
    /// A record of another format.
    Other(Format, &'r [u8]),
    /// A whole input that is one record of another format.
    Whole(Format, &'r [u8]),
    /// More than the limit of one record; it was skipped.
    TooLong,
    /// What is no record, and why.
    Broken(&'r str),
}

/// The first failure of a whole input, and what was odd about it. JSON may stand on several lines here.
pub(crate) fn one_failure(
    input: &[u8],
    format: InputFormat,
    mapping: &Mapping,
) -> Result<(Failure<'static>, Vec<String>), String> {
    if input.len() > limits::RECORD_BYTES {
        return Err(format!("the input has more than {} bytes; give it one failure", limits::RECORD_BYTES));
    }
    let pretty = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(input).ok();
    let is_text = format == InputFormat::Given(Format::Text);
    let compact = pretty.filter(|_| !is_text).and_then(|object| serde_json::to_vec(&object).ok());
    let mut records =
        Records::new(compact.as_deref().unwrap_or(input), format, mapping).map_err(|error| error.to_string())?;
    let first = records.next().map_err(|error| error.to_string())?;
    let Record { failure, mut notes } = first.ok_or("the input holds no failure")?.read_with(mapping)?.record;
    let failure = failure.into_owned();
    if records.next().map_err(|error| error.to_string())?.is_some() {
        notes.push("the input holds several failures; the first one is taken".to_owned());
    }
    Ok((failure, notes))
}

impl<'r> Raw<'r> {
    /// Reads the failure; why it could not be read else.
    #[cfg(feature = "serve")]
    pub(crate) fn read(self) -> Result<Record<'r>, String> {
        self.read_with(&Mapping::default()).map(|entry| entry.record)
    }

    /// Reads the failure, with fields that are mapped; why it could not be read else.
    pub(crate) fn read_with(self, mapping: &Mapping) -> Result<Entry<'r>, String> {
        match self {
            Self::Json(bytes) => read_guarded(bytes).map(Entry::from),
            Self::Other(_, bytes) if bytes.trim_ascii().is_empty() => Err("empty line".to_owned()),
            Self::Other(format, bytes) | Self::Whole(format, bytes) => {
                // A fault of the reader must cost one answer its code, not a connector its answers.
                catch_unwind(AssertUnwindSafe(|| format.read(bytes, mapping)))
                    .unwrap_or_else(|_| Err("internal error; please report the record".to_owned()))
            }
            Self::Text(bytes) => Ok(text(bytes).into()),
            Self::TooLong => Err(format!("the record has more than {} bytes", limits::RECORD_BYTES)),
            Self::Broken(why) => Err(why.to_owned()),
        }
    }

    /// The bytes as they were sent; none for what is no record.
    pub(crate) fn bytes(self) -> &'r [u8] {
        match self {
            Self::Json(bytes) | Self::Text(bytes) | Self::Other(_, bytes) | Self::Whole(_, bytes) => bytes,
            Self::TooLong | Self::Broken(_) => &[],
        }
    }

    /// Whether the record is all of its input, as somebody pastes it.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self, Self::Text(_) | Self::Whole(..))
    }
}

/// Records that were read from a stream and are answered somewhere else.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    records: Vec<Kept>,
}

/// A record of a batch, and where its bytes stand.
#[derive(Debug)]
enum Kept {
    Json(Range<usize>),
    Text(Range<usize>),
    Other(Format, Range<usize>),
    Whole(Format, Range<usize>),
    TooLong,
    Broken(String),
}

impl Batch {
    /// Bytes and records with which a batch is full; one record may be longer.
    const BYTES: usize = 256 * 1024;
    const RECORDS: usize = 1024;

    /// Adds a record.
    pub(crate) fn push(&mut self, record: Raw<'_>) {
        let start = self.bytes.len();
        let mut keep = |bytes: &[u8]| {
            self.bytes.extend_from_slice(bytes);
            start..self.bytes.len()
        };
        let kept = match record {
            Raw::Json(bytes) => Kept::Json(keep(bytes)),
            Raw::Text(bytes) => Kept::Text(keep(bytes)),
            Raw::Other(format, bytes) => Kept::Other(format, keep(bytes)),
            Raw::Whole(format, bytes) => Kept::Whole(format, keep(bytes)),
            Raw::TooLong => Kept::TooLong,
            Raw::Broken(why) => Kept::Broken(why.to_owned()),
        };
        self.records.push(kept);
    }

    /// The records, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Raw<'_>> {
        self.records.iter().map(|record| match record {
            Kept::Json(range) => Raw::Json(&self.bytes[range.clone()]),
            Kept::Text(range) => Raw::Text(&self.bytes[range.clone()]),
            Kept::Other(format, range) => Raw::Other(*format, &self.bytes[range.clone()]),
            Kept::Whole(format, range) => Raw::Whole(*format, &self.bytes[range.clone()]),
            Kept::TooLong => Raw::TooLong,
            Kept::Broken(why) => Raw::Broken(why),
        })
    }

    /// Whether it is time to answer them.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= Self::BYTES || self.records.len() >= Self::RECORDS
    }

    /// Whether a record is far longer than what a batch is meant to hold.
    pub(crate) fn is_long(&self) -> bool {
        self.bytes.len() > 4 * Self::BYTES
    }

    /// Takes all records out; a long one leaves no memory behind.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(2 * Self::BYTES);
        self.records.clear();
    }
}

/// Bytes that a line may leave behind in memory for the next one.
const LINE_BYTES: usize = 1024 * 1024;
/// Bytes at both ends of a text over the limit that are kept; more than the engine looks at.
const KEPT_BYTES: usize = 64 * 1024;

/// Whatever the command line reads records from.
#[cfg(feature = "cli")]
pub(crate) type Stream = Box<dyn Read + Send>;

/// Records of one input, one after the other.
pub(crate) struct Records<R: Read> {
    reader: BufReader<io::Chain<io::Cursor<Vec<u8>>, R>>,
    mode: Mode,
    /// The format of the records, once it is known.
    format: Option<Format>,
    /// Whether fields are mapped: our own JSON is read like that of others then.
    is_mapped: bool,
    /// A line that the reader's buffer does not hold as a whole, one of several records, or the whole input.
    line: Vec<u8>,
    /// A record that was put together.
    composed: Vec<u8>,
    /// Why there is no record.
    broken: String,
    /// Bytes at the start of the reader's buffer that were given out as a record.
    used: usize,
    is_first: bool,
    /// Who wants to know the format, when it is known.
    told: Option<Box<dyn FnOnce(Format) + Send>>,
}

enum Mode {
    Lines,
    Whole,
    /// JSON that is not ours line by line; what it is shows when it has been read.
    Document,
    /// Records that stand together in what was read, and whether lines follow.
    Parts(Parts, bool),
    Csv(Box<CsvRows>),
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "rows of files come with their features"))]
    Rows(Box<dyn RowSource>),
    Done,
}

enum Line {
    End,
    Complete,
    TooLong,
}

/// Where the next record stands.
enum Next {
    /// In the reader's buffer.
    Buffer(Range<usize>),
    /// All of `line`.
    Line,
    /// A part of `line`.
    Part(Range<usize>),
    /// In `composed`.
    Composed(Format),
    /// All of `line`, which is all of the input: a record of another format, or a text.
    Whole(Format),
    TooLong,
    /// Nowhere, as `broken` says.
    Broken,
    End,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(mut input: R, format: InputFormat, mapping: &Mapping) -> io::Result<Self> {
        let mut head = Vec::new();
        let (mode, format) = match format {
            InputFormat::Given(Format::Json) | InputFormat::Lines(Format::Json) => (Mode::Lines, Some(Format::Json)),
            InputFormat::Given(Format::Text) => (Mode::Whole, Some(Format::Text)),
            InputFormat::Given(Format::Csv) | InputFormat::Lines(Format::Csv) => (Mode::Done, Some(Format::Csv)),
            InputFormat::Given(Format::Parquet) | InputFormat::Lines(Format::Parquet) => {
                return Err(io::Error::other("Parquet is read from a file by its name, not from a stream"));
            }
            InputFormat::Given(format) => (Mode::Document, Some(format)),
            InputFormat::Lines(format) => (Mode::Lines, Some(format)),
            InputFormat::Auto => match recognize(&mut input, &mut head, mapping)? {
                Form::Lines => (Mode::Lines, Some(Format::Json)),
                Form::Records(Format::Csv) => (Mode::Done, Some(Format::Csv)),
                Form::Records(format) => (Mode::Lines, Some(format)),
                Form::Document => (Mode::Document, None),
                Form::Whole => (Mode::Whole, Some(Format::Text)),
            },
        };
        let reader = BufReader::with_capacity(PEEK_BYTES, io::Cursor::new(head).chain(input));
        let mut records = Self {
            reader,
            mode,
            format,
            is_mapped: !mapping.is_empty(),
            line: Vec::new(),
            composed: Vec::new(),
            broken: String::new(),
            used: 0,
            is_first: true,
            told: None,
        };
        if format == Some(Format::Csv)
            && let Some(rows) = CsvRows::open(&mut records.reader, mapping)?
        {
            records.mode = Mode::Csv(Box::new(rows));
        }
        Ok(records)
    }

    /// Whether the next record may have to be waited for: it has not been read to its end.
    pub(crate) fn would_wait(&self) -> bool {
        !self.is_list() && line_end(&self.reader.buffer()[self.used..]).is_none()
    }

    /// Whether the records are the items of a list, which is there as a whole.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.mode, Mode::Parts(..) | Mode::Rows(_))
    }

    /// Tells which format is taken, as soon as that is known.
    #[cfg(feature = "cli")]
    pub(crate) fn telling(mut self, tell: impl FnOnce(Format) + Send + 'static) -> Self {
        match self.format {
            Some(format) => tell(format),
            None => self.told = Some(Box::new(tell)),
        }
        self
    }

    fn take(&mut self, format: Format) {
        self.format = Some(format);
        if let Some(tell) = self.told.take() {
            tell(format);
        }
    }

    /// The next record; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Raw<'_>>> {
        let next = self.advance()?;
        let given = |bytes| match self.format {
            Some(format) if format != Format::Json || self.is_mapped => Raw::Other(format, bytes),
            _ => Raw::Json(bytes),
        };
        Ok(Some(match next {
            Next::End => return Ok(None),
            Next::Buffer(range) => given(&self.reader.buffer()[range]),
            Next::Line => given(&self.line),
            Next::Part(range) => given(&self.line[range]),
            Next::Composed(format) => Raw::Other(format, &self.composed),
            Next::Whole(Format::Text) => Raw::Text(&self.line),
            Next::Whole(format) => Raw::Whole(format, without_mark(&self.line)),
            Next::TooLong => Raw::TooLong,
            Next::Broken => Raw::Broken(&self.broken),
        }))
    }

    fn advance(&mut self) -> io::Result<Next> {
        loop {
            match &mut self.mode {
                Mode::Done => return Ok(Next::End),
                Mode::Parts(parts, lines_follow) => match parts.next(&self.line, &mut self.composed) {
                    Some(Part::At(range)) => return Ok(Next::Part(range)),
                    Some(Part::Composed) => return Ok(Next::Composed(self.format.unwrap_or(Format::Json))),
                    None => self.mode = if *lines_follow { Mode::Lines } else { Mode::Done },
                },
                Mode::Lines => {
                    let next = self.next_line()?;
                    let bytes = match &next {
                        Next::Buffer(range) => &self.reader.buffer()[range.clone()],
                        Next::Line => &self.line,
                        _ => return Ok(next),
                    };
                    let Some(parts) = self.format.and_then(|format| Parts::of(format, bytes)) else { return Ok(next) };
                    if matches!(next, Next::Buffer(_)) {
                        self.line = bytes.to_vec();
                    }
                    self.mode = Mode::Parts(parts, true);
                }
                Mode::Whole => {
                    self.mode = Mode::Done;
                    self.line = self.rest(Vec::new())?;
                    return Ok(self.whole());
                }
                Mode::Document => {
                    self.mode = Mode::Done;
                    if let Some(next) = self.document()? {
                        return Ok(next);
                    }
                }
                Mode::Csv(rows) => {
                    return Ok(match rows.next(&mut self.reader, &mut self.composed, &mut self.broken)? {
                        Row::Record => Next::Composed(Format::Csv),
                        Row::Broken => Next::Broken,
                        Row::End => Next::End,
                    });
                }
                Mode::Rows(rows) => {
                    return Ok(match rows.next(&mut self.composed, &mut self.broken) {
                        Row::Record => Next::Composed(Format::Parquet),
                        Row::Broken => Next::Broken,
                        Row::End => Next::End,
                    });
                }
            }
        }
    }

    /// Where the next line stands, without its end and without a mark in front.
    fn next_line(&mut self) -> io::Result<Next> {
        self.reader.consume(std::mem::take(&mut self.used));
        if self.reader.buffer().is_empty() && !fill(&mut self.reader)? {
            return Ok(Next::End);
        }
        let is_first = std::mem::take(&mut self.is_first);
        // Most lines stand in the buffer as a whole and need no copy.
        if let Some(end) = line_end(self.reader.buffer()) {
            self.used = end + 1;
            let line = &self.reader.buffer()[..end];
            let start = end - marked(line, is_first).len();
            return Ok(Next::Buffer(start..end - usize::from(line.ends_with(b"\r"))));
        }
        match read_line(&mut self.reader, &mut self.line)? {
            Line::End => return Ok(Next::End),
            Line::TooLong => return Ok(Next::TooLong),
            Line::Complete => {}
        }
        self.line.truncate(self.line.len() - usize::from(self.line.ends_with(b"\r")));
        if is_first {
            self.line.drain(..self.line.len() - without_mark(&self.line).len());
        }
        Ok(Next::Line)
    }

    /// One failure over several lines, a list of failures, lines of which the first is a long one, or else a text;
    /// nothing when the mode says where the next record is looked for.
    fn document(&mut self) -> io::Result<Option<Next>> {
        let mut bytes = Vec::new();
        while bytes.trim_ascii().is_empty() {
            match read_line(&mut self.reader, &mut self.line)? {
                Line::End => break,
                Line::TooLong => {
                    self.mode = Mode::Lines;
                    return Ok(Some(Next::TooLong));
                }
                Line::Complete => {}
            }
            if std::mem::take(&mut self.is_first) {
                self.line.drain(..self.line.len() - without_mark(&self.line).len());
            }
            let of_lines = match self.format {
                Some(format) => (!opens_document(format, &self.line)).then_some(format),
                None if is_ours(&self.line) => Some(Format::Json),
                None => format_of(&self.line).filter(|format| format.is_logged()),
            };
            if let Some(format) = of_lines {
                self.take(format);
                self.line.truncate(self.line.len() - usize::from(self.line.ends_with(b"\r")));
                self.mode = Parts::of(format, &self.line).map_or(Mode::Lines, |parts| Mode::Parts(parts, true));
                return Ok(matches!(self.mode, Mode::Lines).then_some(Next::Line));
            }
            bytes.extend_from_slice(&self.line);
            bytes.push(b'\n');
        }
        self.line = Vec::new();
        self.line = self.rest(bytes)?;
        if self.line.len() > limits::RECORD_BYTES {
            return Ok(Some(Next::TooLong));
        }
        if let Some(format) = self.format {
            let is_blank = self.line.trim_ascii().is_empty();
            return Ok(if is_blank { Some(Next::End) } else { self.parts_or_whole(format) });
        }
        Ok(self.told_document())
    }

    /// What a document is, now that all of it is there.
    fn told_document(&mut self) -> Option<Next> {
        let bytes = &self.line;
        if serde_json::from_slice::<IgnoredAny>(bytes).is_err() {
            self.take(Format::Text);
            return Some(self.whole());
        }
        if let Some(list) = Parts::list(bytes) {
            let item = list.clone().ranges(bytes).next().map(|item| &bytes[item]);
            let format = item.and_then(|item| if is_ours(item) { Some(Format::Json) } else { format_of(item) });
            let is_of = |item: &[u8], format| match format {
                Format::Json => is_ours(item),
                format => format_of(item) == Some(format),
            };
            if let Some(format) = format
                && format_of(bytes).is_none()
                && list.clone().ranges(bytes).all(|item| is_of(&bytes[item], format))
            {
                self.take(format);
                self.mode = Mode::Parts(list, false);
                return None;
            }
        }
        if is_ours(bytes) || self.is_mapped && bytes.trim_ascii_start().starts_with(b"{") {
            self.take(Format::Json);
            return Some(Next::Line);
        }
        match format_of(bytes) {
            Some(format) => {
                self.take(format);
                self.parts_or_whole(format)
            }
            None => {
                self.take(Format::Text);
                Some(self.whole())
            }
        }
    }

    /// What was read of another format: one record, or nothing yet when several stand together in it.
    fn parts_or_whole(&mut self, format: Format) -> Option<Next> {
        match Parts::of(format, &self.line) {
            Some(parts) => {
                self.mode = Mode::Parts(parts, false);
                None
            }
            None => Some(Next::Whole(format)),
        }
    }

    /// What was read as one text; nothing for an input without any.
    fn whole(&self) -> Next {
        let text = String::from_utf8_lossy(without_mark(&self.line));
        if text.trim().is_empty() { Next::End } else { Next::Whole(Format::Text) }
    }

    /// The rest of the input behind what was read of it; both ends of it when it is over the limit.
    fn rest(&mut self, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let limit = limits::RECORD_BYTES + 1;
        self.reader.by_ref().take(limit.saturating_sub(bytes.len()) as u64).read_to_end(&mut bytes)?;
        if bytes.len() < limit {
            return Ok(bytes);
        }
        let mut tail = bytes.split_off(limit - KEPT_BYTES);
        loop {
            let read = self.reader.by_ref().take(KEPT_BYTES as u64).read_to_end(&mut tail)?;
            tail.drain(..tail.len() - KEPT_BYTES);
            if read == 0 {
                break;
            }
        }
        bytes.extend_from_slice(&tail);
        Ok(bytes)
    }
}

/// A line, without the byte order mark when it is the first of its input.
fn marked(line: &[u8], is_first: bool) -> &[u8] {
    if is_first { without_mark(line) } else { line }
}

/// A whole input as one text.
fn text(bytes: &[u8]) -> Record<'_> {
    let text = match String::from_utf8_lossy(without_mark(bytes)) {
        Cow::Borrowed(text) => excerpt(text).map_or(Cow::Borrowed(text), Cow::Owned),
        Cow::Owned(text) => Cow::Owned(excerpt(&text).unwrap_or(text)),
    };
    let mut record = Record { failure: Failure { text: Some(text), ..Failure::default() }, notes: Vec::new() };
    if let Err(error) = std::str::from_utf8(bytes) {
        record.notes.push(format!("byte {} is not UTF-8; it was replaced", error.valid_up_to() + 1));
    }
    record
}

/// Waits for bytes in the buffer; whether there are any, or the input has ended.
pub(super) fn fill(reader: &mut impl BufRead) -> io::Result<bool> {
    loop {
        match reader.fill_buf() {
            Ok(available) => return Ok(!available.is_empty()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Where the first line ends. The standard library looks for a byte in a vectorized way only when it skips to it.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let skipped = rest.skip_until(b'\n').ok()?;
    bytes[..skipped].ends_with(b"\n").then(|| skipped - 1)
}

/// Reads up to a line end within the limit; the rest of a longer line is skipped.
fn read_line(reader: &mut BufReader<impl Read>, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    line.shrink_to(LINE_BYTES);
    let mut too_long = false;
    loop {
        if !fill(reader)? {
            return Ok(match (too_long, line.is_empty()) {
                (true, _) => Line::TooLong,
                (false, true) => Line::End,
                (false, false) => Line::Complete,
            });
        }
        let available = reader.buffer();
        let end = line_end(available);
        let part = &available[..end.unwrap_or(available.len())];
        if line.len() + part.len() > limits::RECORD_BYTES {
            too_long = true;
            line.clear();
            line.shrink_to(LINE_BYTES);
        } else if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Complete });
        }
    }
}

#[cfg(feature = "parquet")]
impl Records<Stream> {
    /// Records that are rows of a file with columns.
    pub(crate) fn of_rows(rows: impl RowSource + 'static) -> Self {
        Self {
            reader: BufReader::with_capacity(0, io::Cursor::new(Vec::new()).chain(Box::new(io::empty()) as Stream)),
            mode: Mode::Rows(Box::new(rows)),
            format: Some(Format::Parquet),
            is_mapped: false,
            line: Vec::new(),
            composed: Vec::new(),
            broken: String::new(),
            used: 0,
            is_first: true,
            told: None,
        }
    }
}

/// All records of an input that is there as a whole. The answer to what is no record is why.
///
/// What the format is told apart by stands in `docs/input.md`; Parquet is read by the command line alone.
///
/// ```
/// use faultbook::{Format, read_as};
///
/// let line = br#"{"@t":"2026-11-02T08:14:55Z","@l":"Error","@m":"Sync failed","@x":"System.TimeoutException: late"}"#;
/// let records = read_as(Format::Clef, line);
/// let record = records[0].as_ref().unwrap();
/// assert_eq!(record.failure.text.as_deref(), Some("System.TimeoutException: late"));
/// ```
#[must_use]
pub fn read_as(format: Format, input: &[u8]) -> Vec<Result<Record<'static>, String>> {
    let mapping = Mapping::default();
    let mut read = Vec::new();
    let mut records = match Records::new(input, InputFormat::Given(format), &mapping) {
        Ok(records) => records,
        Err(error) => return vec![Err(error.to_string())],
    };
    loop {
        match records.next() {
            Ok(Some(record)) => read.push(record.read_with(&mapping).map(|entry| {
                let Record { failure, notes } = entry.record;
                Record { failure: failure.into_owned(), notes }
            })),
            Ok(None) => return read,
            Err(error) => {
                read.push(Err(error.to_string()));
                return read;
            }
        }
    }
}
