//! Output that loses nothing: whole lines, flushed, with the count of what was surely written.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use crate::diagnostic::Report;
use crate::error::{Error, ErrorKind};
use crate::render;

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum Failed {
    /// Whoever reads the output has seen enough.
    Closed,
    /// The output could not be written; that many lines surely were.
    Output(io::Error, u64),
    /// The rule set has errors; the report was shown.
    Rejected(String),
    /// Something else.
    Error(Error),
    /// The command was asked for something that does not exist.
    Usage(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the output was closed"),
            Self::Output(error, lines) => {
                write!(f, "cannot write the output: {error}; {lines} lines were surely written")
            }
            Self::Rejected(message) | Self::Usage(message) => f.write_str(message),
            Self::Error(error) => error.fmt(f),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// That a thread cannot be started.
pub(super) fn no_thread(error: io::Error) -> Failed {
    Error::new(ErrorKind::Io, "cannot start a thread").with_source(error).into()
}

/// Bytes that are kept before they are written.
const BUFFER_BYTES: usize = 64 * 1024;
/// Bytes that lines written together may leave behind in memory.
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// Standard output, line by line.
pub(super) struct Output {
    buffer: Vec<u8>,
    pending: u64,
    written: u64,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { buffer: Vec::with_capacity(BUFFER_BYTES * 2), pending: 0, written: 0 }
    }

    /// Adds one line; the line end is added here.
    pub(super) fn line(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Failed> {
        write(&mut self.buffer);
        self.buffer.push(b'\n');
        self.pending += 1;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Adds one line, unless what should write it says that there is none.
    pub(super) fn line_if(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) -> Result<(), Failed> {
        if !write(&mut self.buffer) {
            return Ok(());
        }
        self.line(|_| ())
    }

    /// Writes several whole lines, together with what is kept.
    pub(super) fn lines(&mut self, lines: &[u8], count: u64) -> Result<(), Failed> {
        self.buffer.extend_from_slice(lines);
        self.pending += count;
        let done = self.flush();
        self.buffer.shrink_to(KEPT_BYTES);
        done
    }

    /// Writes what is kept.
    pub(super) fn flush(&mut self) -> Result<(), Failed> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        let done = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        self.buffer.clear();
        match done {
            Ok(()) => {
                self.written += std::mem::take(&mut self.pending);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failed::Closed),
            Err(error) => Err(Failed::Output(error, self.written)),
        }
    }

    /// Lines that were surely written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }
}

/// Writes a text to standard output.
pub(super) fn print(text: &str) -> Result<(), Failed> {
    let mut output = Output::new();
    output.line(|buffer| buffer.extend_from_slice(text.trim_end_matches('\n').as_bytes()))?;
    output.flush()
}

/// Writes a value to standard output as indented JSON.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failed> {
    let json = serde_json::to_string_pretty(value).map_err(|error| Failed::Usage(error.to_string()))?;
    print(&json)
}

/// Says on standard error why the tool could not do its work. Nothing is left to do when that fails as well.
pub(super) fn complain(message: &str) {
    let _ = writeln!(anstream::stderr(), "{}error{}: {message}", STYLE_ERROR.render(), STYLE_ERROR.render_reset());
}

/// A remark on standard error.
pub(super) fn remark(message: &str) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

const STYLE_ERROR: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

/// Shows a report on standard error.
pub(super) fn report(report: &Report) {
    let _ = write!(anstream::stderr(), "{}", render::full(report, true));
}

/// Shows a report on standard output; color only where it is wanted.
pub(super) fn print_report(report: &Report) -> Result<(), Failed> {
    print_exactly(&render::full(report, is_colored()))
}

/// Shows what changes in a file on standard output; color only where it is wanted.
pub(super) fn print_diff(name: &str, old: &str, new: &str) -> Result<(), Failed> {
    print_exactly(&render::diff(name, old, new, is_colored()))
}

/// Writes a text of whole lines to standard output as it is.
pub(super) fn print_exactly(text: &str) -> Result<(), Failed> {
    let mut output = Output::new();
    for line in text.split_terminator('\n') {
        output.line(|buffer| buffer.extend_from_slice(line.as_bytes()))?;
    }
    output.flush()
}

/// Whether color is wanted on standard output.
pub(super) fn is_colored() -> bool {
    match anstream::ColorChoice::global() {
        anstream::ColorChoice::Never => false,
        anstream::ColorChoice::Auto => {
            io::stdout().is_terminal() && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
        _ => true,
    }
}
