//! Records from a stream: lines of JSON, or one text.
//!
//! Lines end at LF and nowhere else. Memory is bounded by one record, however long the stream or the line is.

use std::io::{self, BufRead, BufReader, Read};

use clap::ValueEnum;

use crate::input::json::{self, Record, read_record};
use crate::model::{Failure, limits};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum InputFormat {
    /// JSON where the first lines are failures in our own JSON, else one text
    Auto,
    /// One failure in our own JSON on each line
    Json,
    /// The whole input is one failure, as somebody pasted or logged it
    Text,
}

/// A record, or why it could not be read.
pub(super) enum Read1 {
    /// A failure; whether it was given as text.
    Failure { record: Box<Record>, is_text: bool },
    /// A record that could not be read, with the bytes where they are not UTF-8.
    Unreadable { error: String, raw: Option<Vec<u8>> },
}

/// Bytes that are looked at to tell the format.
const PEEK_BYTES: usize = 64 * 1024;
/// Lines that are looked at to tell the format.
const PEEK_LINES: usize = 16;

/// Records of one input, one after the other.
pub(super) struct Records<R: Read> {
    reader: BufReader<io::Chain<io::Cursor<Vec<u8>>, R>>,
    mode: Mode,
    line: Vec<u8>,
    is_first: bool,
    /// Records that were read ahead: of a list, or of a document over several lines.
    ahead: std::vec::IntoIter<Read1>,
}

#[derive(PartialEq)]
enum Mode {
    Lines,
    Whole,
    Document,
    Done,
}

enum Line {
    End,
    Complete,
    TooLong,
}

impl<R: Read> Records<R> {
    pub(super) fn new(mut input: R, format: InputFormat) -> io::Result<Self> {
        let mut head = Vec::new();
        let mode = match format {
            InputFormat::Json => Mode::Lines,
            InputFormat::Text => Mode::Whole,
            InputFormat::Auto => {
                peek(&mut input, &mut head)?;
                recognize(&head)
            }
        };
        let reader = BufReader::with_capacity(PEEK_BYTES, io::Cursor::new(head).chain(input));
        Ok(Self { reader, mode, line: Vec::new(), is_first: true, ahead: Vec::new().into_iter() })
    }

    /// Whether the next record may have to be waited for.
    pub(super) fn would_wait(&self) -> bool {
        self.reader.buffer().is_empty()
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Read1>> {
        if let Some(record) = self.ahead.next() {
            return Ok(Some(record));
        }
        match self.mode {
            Mode::Done => Ok(None),
            Mode::Lines => self.next_line(),
            Mode::Whole | Mode::Document => {
                let is_document = self.mode == Mode::Document;
                self.mode = Mode::Done;
                let mut bytes = Vec::new();
                let limit = limits::RECORD_BYTES as u64;
                self.reader.by_ref().take(limit + 1).read_to_end(&mut bytes)?;
                if bytes.len() > limits::RECORD_BYTES {
                    // What is cut off here is in the middle of a text that is far too long to be looked at anyway.
                    io::copy(&mut self.reader, &mut io::sink())?;
                }
                if is_document && let Some(records) = document(&bytes) {
                    self.ahead = records.into_iter();
                    return Ok(self.ahead.next());
                }
                Ok(text(&bytes))
            }
        }
    }

    fn next_line(&mut self) -> io::Result<Option<Read1>> {
        let read = read_line(&mut self.reader, &mut self.line)?;
        let mut bytes = self.line.as_slice();
        if std::mem::take(&mut self.is_first) {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Ok(match read {
            Line::End => None,
            Line::TooLong => Some(Read1::Unreadable { error: format!("the record has more than {} bytes", limits::RECORD_BYTES), raw: None }),
            Line::Complete if bytes.trim_ascii().is_empty() => Some(Read1::Unreadable { error: "empty line".to_owned(), raw: None }),
            Line::Complete => Some(parse(bytes)),
        })
    }
}

fn parse(bytes: &[u8]) -> Read1 {
    match read_record(bytes) {
        Ok(record) => Read1::Failure { record: Box::new(record), is_text: false },
        Err(error) => {
            let raw = std::str::from_utf8(bytes).is_err().then(|| bytes.to_vec());
            Read1::Unreadable { error, raw }
        }
    }
}

/// A whole input as one text; nothing for an input without any.
fn text(bytes: &[u8]) -> Option<Read1> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim().is_empty() {
        return None;
    }
    let mut record = Record { failure: Failure { text: Some(text.to_owned()), ..Failure::default() }, notes: Vec::new() };
    if let Err(error) = std::str::from_utf8(bytes) {
        record.notes.push(format!("byte {} is not UTF-8; it was replaced", error.valid_up_to() + 1));
    }
    Some(Read1::Failure { record: Box::new(record), is_text: true })
}

/// Reads up to a line end within the limit; the rest of a longer line is skipped.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let mut too_long = false;
    loop {
        let available = match reader.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(match (too_long, line.is_empty()) {
                (true, _) => Line::TooLong,
                (false, true) => Line::End,
                (false, false) => Line::Complete,
            });
        }
        let end = available.iter().position(|&b| b == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        if line.len() + part.len() > limits::RECORD_BYTES {
            too_long = true;
            line.clear();
            line.shrink_to(PEEK_BYTES);
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

/// Reads until there is a line, or as much as is looked at. Does not wait for more than one line.
fn peek(input: &mut impl Read, head: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = vec![0; PEEK_BYTES];
    while head.len() < PEEK_BYTES && !head.trim_ascii_start().contains(&b'\n') {
        match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => head.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Our own JSON line by line, a document over several lines, or a text.
fn recognize(head: &[u8]) -> Mode {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let lines = head.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(PEEK_LINES);
    if lines.into_iter().any(|line| line.trim_ascii_start().starts_with(b"{") && is_ours(line)) {
        return Mode::Lines;
    }
    match head.trim_ascii_start().first() {
        Some(b'{' | b'[') => Mode::Document,
        _ => Mode::Whole,
    }
}

/// Whether a line is a failure in our own JSON: it has our fields, and not only those that others have as well.
fn is_ours(line: &[u8]) -> bool {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(line) else { return false };
    let ours = |name: &String| json::FIELDS.contains(&name.as_str());
    fields.keys().all(ours) || fields.keys().any(|name| ours(name) && !matches!(name.as_str(), "id" | "message"))
}

/// The failures of a JSON document over several lines: one object, or a list of them.
fn document(bytes: &[u8]) -> Option<Vec<Read1>> {
    match serde_json::from_slice(bytes).ok()? {
        serde_json::Value::Array(items) if !items.is_empty() => {
            let lines: Vec<Vec<u8>> = items.iter().map(serde_json::to_vec).collect::<Result<_, _>>().ok()?;
            lines.iter().all(|line| is_ours(line)).then(|| lines.iter().map(|line| parse(line)).collect())
        }
        serde_json::Value::Object(_) if is_ours(bytes) => Some(vec![parse(bytes)]),
        _ => None,
    }
}
