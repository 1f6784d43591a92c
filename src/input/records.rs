//! Records from a stream: lines of JSON, a list of them, or one text.
//!
//! Lines end at LF and nowhere else. Memory is bounded by one record, however long the stream or the line is.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::panic::catch_unwind;

use serde::de::IgnoredAny;

use crate::model::{Failure, excerpt, limits};

use super::form::{Form, PEEK_BYTES, is_ours, recognize, without_mark};
use super::json::{Record, read_record};

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

/// A record, or why it could not be read.
pub(crate) enum Incoming {
    /// A failure; whether it was given as text.
    Failure { record: Box<Record>, is_text: bool },
    /// A record that could not be read, with the bytes where they are not UTF-8.
    Unreadable { error: String, raw: Option<Vec<u8>> },
}

/// Bytes that a line may leave behind in memory for the next one.
const LINE_BYTES: usize = 1024 * 1024;
/// Bytes at both ends of a text over the limit that are kept; more than the engine looks at.
const KEPT_BYTES: usize = 64 * 1024;

/// Records of one input, one after the other.
pub(crate) struct Records<R: Read> {
    reader: BufReader<io::Chain<io::Cursor<Vec<u8>>, R>>,
    mode: Mode,
    line: Vec<u8>,
    is_first: bool,
}

enum Mode {
    Lines,
    Whole,
    /// JSON that is not ours line by line; what it is shows when it has been read.
    Document,
    /// A list of failures, and where the next one is looked for.
    List(Vec<u8>, usize),
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
        Ok(Self { reader, mode, line: Vec::new(), is_first: true })
    }

    /// Whether the next record may have to be waited for: it has not been read to its end. The items of a list are
    /// there, but a signal must not wait for the last of them.
    pub(crate) fn would_wait(&self) -> bool {
        match self.mode {
            Mode::List(..) => true,
            _ => !self.reader.buffer().contains(&b'\n'),
        }
    }

    /// The next record; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Incoming>> {
        match &mut self.mode {
            Mode::Done => Ok(None),
            Mode::Lines => self.next_line(),
            Mode::List(bytes, at) => Ok(next_item(bytes, at).map(|item| parse(&bytes[item]))),
            Mode::Whole => {
                self.mode = Mode::Done;
                Ok(text(&self.rest(Vec::new())?))
            }
            Mode::Document => self.document(),
        }
    }

    fn next_line(&mut self) -> io::Result<Option<Incoming>> {
        let read = read_line(&mut self.reader, &mut self.line)?;
        let mut bytes = self.line.as_slice();
        if std::mem::take(&mut self.is_first) {
            bytes = without_mark(bytes);
        }
        bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Ok(match read {
            Line::End => None,
            Line::TooLong => Some(too_long()),
            Line::Complete if bytes.trim_ascii().is_empty() => {
                Some(Incoming::Unreadable { error: "empty line".to_owned(), raw: None })
            }
            Line::Complete => Some(parse(bytes)),
        })
    }

    /// One failure over several lines, a list of failures, lines of which the first is a long one, or else a text.
    fn document(&mut self) -> io::Result<Option<Incoming>> {
        self.mode = Mode::Done;
        let mut bytes = Vec::new();
        while bytes.trim_ascii().is_empty() {
            let read = read_line(&mut self.reader, &mut self.line)?;
            if matches!(read, Line::End) {
                break;
            }
            let line = if std::mem::take(&mut self.is_first) { without_mark(&self.line) } else { &self.line };
            if matches!(read, Line::TooLong) || is_ours(line) {
                self.mode = Mode::Lines;
                return Ok(Some(if matches!(read, Line::TooLong) { too_long() } else { parse(line) }));
            }
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        self.line = Vec::new();
        let bytes = self.rest(bytes)?;
        if bytes.len() > limits::RECORD_BYTES {
            return Ok(Some(too_long()));
        }
        if serde_json::from_slice::<IgnoredAny>(&bytes).is_err() {
            return Ok(text(&bytes));
        }
        let open = bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(bytes.len());
        if bytes.get(open) == Some(&b'[')
            && items(&bytes, open + 1).next().is_some()
            && items(&bytes, open + 1).all(|item| is_ours(&bytes[item]))
        {
            self.mode = Mode::List(bytes, open + 1);
            return self.next();
        }
        Ok(if is_ours(&bytes) { Some(parse(&bytes)) } else { text(&bytes) })
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

fn too_long() -> Incoming {
    Incoming::Unreadable { error: format!("the record has more than {} bytes", limits::RECORD_BYTES), raw: None }
}

fn parse(bytes: &[u8]) -> Incoming {
    // A fault of the reader must cost one answer its code, not a connector its answers.
    match catch_unwind(|| read_record(bytes))
        .unwrap_or_else(|_| Err("internal error; please report the record".to_owned()))
    {
        Ok(record) => Incoming::Failure { record: Box::new(record), is_text: false },
        Err(error) => {
            let raw = std::str::from_utf8(bytes).is_err().then(|| bytes.to_vec());
            Incoming::Unreadable { error, raw }
        }
    }
}

/// A whole input as one text; nothing for an input without any.
fn text(bytes: &[u8]) -> Option<Incoming> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim().is_empty() {
        return None;
    }
    let mut record = Record {
        failure: Failure { text: Some(excerpt(text).unwrap_or_else(|| text.to_owned())), ..Failure::default() },
        notes: Vec::new(),
    };
    if let Err(error) = std::str::from_utf8(bytes) {
        record.notes.push(format!("byte {} is not UTF-8; it was replaced", error.valid_up_to() + 1));
    }
    Some(Incoming::Failure { record: Box::new(record), is_text: true })
}

/// Reads up to a line end within the limit; the rest of a longer line is skipped.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    line.shrink_to(LINE_BYTES);
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
        // Looking whether there is one at all is far faster than looking where, and most of a long line has none.
        let end = if available.contains(&b'\n') { available.iter().position(|&b| b == b'\n') } else { None };
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
