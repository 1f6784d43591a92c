//! One file of a spool: appended to in whole lines, watched for what others do to it. Knows nothing of what lines say.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::directory::{is_same, private};

/// A file that is being appended to.
#[derive(Debug)]
pub(super) struct Segment {
    file: File,
    path: PathBuf,
    number: u64,
    /// Bytes of whole lines; what stands behind them is the rest of a write that failed.
    len: u64,
}

impl Segment {
    /// Creates a file; there must be none of the name.
    pub(super) fn create(path: PathBuf, number: u64) -> io::Result<Self> {
        let file = private().append(true).create_new(true).open(&path)?;
        Ok(Self { file, path, number, len: 0 })
    }

    /// Goes on with a file that ended with a whole line at that length; what stands behind it is taken away.
    pub(super) fn open(path: PathBuf, number: u64, len: u64) -> io::Result<Self> {
        let file = private().append(true).read(true).open(&path)?;
        let segment = Self { file, path, number, len };
        // Neither a link nor a device.
        if !segment.file.metadata()?.is_file() || !is_same(&segment.file, &segment.path)? {
            return Err(io::Error::other("it is no plain file"));
        }
        if segment.file.metadata()?.len() > len {
            segment.file.set_len(len)?;
        }
        Ok(segment)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Bytes of whole lines.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends whole lines, or nothing: the rest of a write that failed is taken away again.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), Broken> {
        match self.file.write_all(lines) {
            Ok(()) => {
                self.len += lines.len() as u64;
                Ok(())
            }
            Err(error) => match self.file.set_len(self.len) {
                Ok(()) => Err(Broken { error, is_usable: true }),
                Err(_) => Err(Broken { error, is_usable: false }),
            },
        }
    }

    /// Makes what was appended durable. After an error nobody knows what is: the file must not be written to again.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Whether the name still stands for the file, with everything that was appended.
    pub(super) fn is_in_place(&self) -> bool {
        is_same(&self.file, &self.path).unwrap_or(false)
            && self.file.metadata().is_ok_and(|metadata| metadata.len() == self.len)
    }
}

/// Lines that could not be appended.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: io::Error,
    /// Whether the file still ends with a whole line.
    pub(super) is_usable: bool,
}

/// Whether the last byte of a file up to a length ends a line.
pub(super) fn ends_line(path: &Path, len: u64) -> io::Result<bool> {
    let Some(at) = len.checked_sub(1) else { return Ok(true) };
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Removes a file; one that is gone already is no error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
