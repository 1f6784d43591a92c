//! Records from a stream: lines of JSON, a list of them, or one text.
//!
//! Lines end at LF and nowhere else. Memory is bounded by one record, however long the stream or the line is.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use serde::de::IgnoredAny;

use crate::model::{Failure, excerpt, limits};

use super::form::{Form, PEEK_BYTES, is_ours, recognize, without_mark};
use super::json::{Record, read_guarded};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputFormat {
    /// JSON where the first lines are failures in our own JSON, else one text
    Auto,
    /// One failure in our own JSON on each line
    Json,
    /// The whole input is one failure, as somebody pasted or logged it
    Text,
}

/// A record as it stands in the stream, not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raw<'r> {
    /// A line or an item of a list: one failure in our own JSON.
    Json(&'r [u8]),
    /// A whole input that is one text.
    Text(&'r [u8]),
    /// More than the limit of one record; it was skipped.
    TooLong,
}

/// The first failure of a whole input, and what was odd about it. JSON may stand on several lines here.
pub(crate) fn one_failure(input: &[u8], format: InputFormat) -> Result<(Failure<'static>, Vec<String>), String> {
    if input.len() > limits::RECORD_BYTES {
        return Err(format!("the input has more than {} bytes; give it one failure", limits::RECORD_BYTES));
    }
    let pretty = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(input).ok();
    let compact = pretty.filter(|_| format != InputFormat::Text).and_then(|object| serde_json::to_vec(&object).ok());
    let mut records = Records::new(compact.as_deref().unwrap_or(input), format).map_err(|error| error.to_string())?;
    let first = records.next().map_err(|error| error.to_string())?;
    let Record { failure, mut notes } = first.ok_or("the input holds no failure")?.read()?;
    let failure = failure.into_owned();
    if records.next().map_err(|error| error.to_string())?.is_some() {
        notes.push("the input holds several failures; the first one is taken".to_owned());
    }
    Ok((failure, notes))
}

impl<'r> Raw<'r> {
    /// Reads the failure; why it could not be read else.
    pub(crate) fn read(self) -> Result<Record<'r>, String> {
        match self {
            Self::Json(bytes) => read_guarded(bytes),
            Self::Text(bytes) => Ok(text(bytes)),
            Self::TooLong => Err(format!("the record has more than {} bytes", limits::RECORD_BYTES)),
        }
    }

    /// The bytes as they were sent; none for a record that was skipped.
    pub(crate) fn bytes(self) -> &'r [u8] {
        match self {
            Self::Json(bytes) | Self::Text(bytes) => bytes,
            Self::TooLong => &[],
        }
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
    TooLong,
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
            Raw::TooLong => Kept::TooLong,
        };
        self.records.push(kept);
    }

    /// The records, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Raw<'_>> {
        self.records.iter().map(|record| match record {
            Kept::Json(range) => Raw::Json(&self.bytes[range.clone()]),
            Kept::Text(range) => Raw::Text(&self.bytes[range.clone()]),
            Kept::TooLong => Raw::TooLong,
        })
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
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

/// Records of one input, one after the other.
pub(crate) struct Records<R: Read> {
    reader: BufReader<io::Chain<io::Cursor<Vec<u8>>, R>>,
    mode: Mode,
    /// A line that the reader's buffer does not hold as a whole, or the whole input.
    line: Vec<u8>,
    /// Bytes at the start of the reader's buffer that were given out as a record.
    used: usize,
    is_first: bool,
}

#[derive(Clone, Copy)]
enum Mode {
    Lines,
    Whole,
    /// JSON that is not ours line by line; what it is shows when it has been read.
    Document,
    /// A list of failures, and where the next one is looked for.
    List(usize),
    Done,
}

enum Line {
    End,
    Complete,
    TooLong,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(mut input: R, format: InputFormat) -> io::Result<Self> {
        let mut head = Vec::new();
        let mode = match format {
            InputFormat::Json => Mode::Lines,
            InputFormat::Text => Mode::Whole,
            InputFormat::Auto => match recognize(&mut input, &mut head)? {
                Form::Lines => Mode::Lines,
                Form::Document => Mode::Document,
                Form::Whole => Mode::Whole,
            },
        };
        let reader = BufReader::with_capacity(PEEK_BYTES, io::Cursor::new(head).chain(input));
        Ok(Self { reader, mode, line: Vec::new(), used: 0, is_first: true })
    }

    /// Whether the next record may have to be waited for: it has not been read to its end.
    pub(crate) fn would_wait(&self) -> bool {
        !self.is_list() && line_end(&self.reader.buffer()[self.used..]).is_none()
    }

    /// Whether the records are the items of a list, which is there as a whole.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.mode, Mode::List(_))
    }

    /// The next record; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Raw<'_>>> {
        match self.mode {
            Mode::Done => Ok(None),
            Mode::Lines => self.next_line(),
            Mode::List(mut at) => {
                let item = next_item(&self.line, &mut at);
                self.mode = Mode::List(at);
                Ok(item.map(|item| Raw::Json(&self.line[item])))
            }
            Mode::Whole => {
                self.mode = Mode::Done;
                self.line = self.rest(Vec::new())?;
                Ok(self.whole())
            }
            Mode::Document => self.document(),
        }
    }

    fn next_line(&mut self) -> io::Result<Option<Raw<'_>>> {
        self.reader.consume(std::mem::take(&mut self.used));
        if self.reader.buffer().is_empty() && !fill(&mut self.reader)? {
            return Ok(None);
        }
        let is_first = std::mem::take(&mut self.is_first);
        let bytes = match line_end(self.reader.buffer()) {
            // Most lines stand in the buffer as a whole and need no copy.
            Some(end) => {
                self.used = end + 1;
                &self.reader.buffer()[..end]
            }
            None => match read_line(&mut self.reader, &mut self.line)? {
                Line::End => return Ok(None),
                Line::TooLong => return Ok(Some(Raw::TooLong)),
                Line::Complete => &self.line,
            },
        };
        let bytes = if is_first { without_mark(bytes) } else { bytes };
        Ok(Some(Raw::Json(bytes.strip_suffix(b"\r").unwrap_or(bytes))))
    }

    /// One failure over several lines, a list of failures, lines of which the first is a long one, or else a text.
    fn document(&mut self) -> io::Result<Option<Raw<'_>>> {
        self.mode = Mode::Done;
        let mut bytes = Vec::new();
        while bytes.trim_ascii().is_empty() {
            let read = read_line(&mut self.reader, &mut self.line)?;
            if matches!(read, Line::End) {
                break;
            }
            let is_first = std::mem::take(&mut self.is_first);
            if matches!(read, Line::TooLong) {
                self.mode = Mode::Lines;
                return Ok(Some(Raw::TooLong));
            }
            if is_ours(marked(&self.line, is_first)) {
                self.mode = Mode::Lines;
                return Ok(Some(Raw::Json(marked(&self.line, is_first))));
            }
            bytes.extend_from_slice(marked(&self.line, is_first));
            bytes.push(b'\n');
        }
        self.line = Vec::new();
        self.line = self.rest(bytes)?;
        let bytes = &self.line;
        if bytes.len() > limits::RECORD_BYTES {
            return Ok(Some(Raw::TooLong));
        }
        if serde_json::from_slice::<IgnoredAny>(bytes).is_err() {
            return Ok(self.whole());
        }
        let open = bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(bytes.len());
        if bytes.get(open) == Some(&b'[')
            && items(bytes, open + 1).next().is_some()
            && items(bytes, open + 1).all(|item| is_ours(&bytes[item]))
        {
            self.mode = Mode::List(open + 1);
            return self.next();
        }
        Ok(if is_ours(&self.line) { Some(Raw::Json(&self.line)) } else { self.whole() })
    }

    /// What was read as one text; nothing for an input without any.
    fn whole(&self) -> Option<Raw<'_>> {
        let text = String::from_utf8_lossy(without_mark(&self.line));
        (!text.trim().is_empty()).then_some(Raw::Text(&self.line))
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
fn fill(reader: &mut impl BufRead) -> io::Result<bool> {
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

/// Where the items of a list stand.
fn items(bytes: &[u8], mut at: usize) -> impl Iterator<Item = Range<usize>> {
    std::iter::from_fn(move || next_item(bytes, &mut at))
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
