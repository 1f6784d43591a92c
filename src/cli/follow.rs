//! A file that grows: read to its end and beyond, through rotation, truncation and replacement.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How often a file that has been read to its end is looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// Reads a file for ever: an end is waited out. What stands under the name later is read from its start.
pub(super) struct Follow {
    path: PathBuf,
    file: File,
    /// Bytes that were read of this file.
    position: u64,
    /// Whether what was given out last ends a line.
    is_line_end: bool,
}

impl Follow {
    /// Opens a file that is there already.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file; a pipe is read with `faultbook classify FILE`"));
        }
        Ok(Self { path: path.to_owned(), file: File::open(path)?, position: 0, is_line_end: true })
    }

    /// Goes on with what stands under the name, when that is not what was read until now.
    fn renew(&mut self) -> io::Result<Renewed> {
        let here = self.file.metadata()?;
        if here.len() < self.position {
            // Shorter than what was read of it: somebody has emptied it and begins anew.
            self.file.seek(SeekFrom::Start(0))?;
            self.position = 0;
            return Ok(Renewed::Yes);
        }
        // A file that is gone comes back, or does not.
        let Ok(named) = fs::metadata(&self.path) else { return Ok(Renewed::No) };
        if is_same(&here, &named) || !named.is_file() {
            return Ok(Renewed::No);
        }
        // What was added to the old file before it was moved away has been read to its end before this was asked; what
        // is added while the new one is opened would be lost, so it is read once more first.
        if here.len() > self.position {
            return Ok(Renewed::No);
        }
        match File::open(&self.path) {
            Ok(file) => {
                self.file = file;
                self.position = 0;
                Ok(Renewed::Yes)
            }
            Err(_) => Ok(Renewed::No),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Renewed {
    Yes,
    No,
}

impl Read for Follow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.file.read(buffer) {
                Ok(0) => {}
                Ok(read) => {
                    self.position += read as u64;
                    self.is_line_end = buffer[read - 1] == b'\n';
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if self.renew()? == Renewed::No {
                thread::sleep(PAUSE);
            } else if !self.is_line_end {
                // The start of a new file does not belong to a line that was never ended.
                self.is_line_end = true;
                buffer[0] = b'\n';
                return Ok(1);
            }
        }
    }
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Without numbers of files a new one is told by its time.
#[cfg(not(unix))]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    a.created().ok() == b.created().ok()
}
