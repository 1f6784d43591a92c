//! Replacing a file as a whole, so that a reader sees the old one or the new one and a crash loses neither.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::render::escaped;

/// Puts a new text in place of a rule file, or makes it.
///
/// # Errors
/// When the file may not be written, or its directory not. The old file is still there then.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<(), Error> {
    replace(path, text.as_bytes()).map_err(|error| cannot_write(path, error))
}

/// Writes a report into a file as a whole or not at all: what stood there before stays until everything is written. A pipe
/// or a device takes the text as it is.
///
/// # Errors
/// When the file cannot be written, or is a directory.
pub(super) fn write_whole(file: &Path, text: &str) -> Result<(), Error> {
    let write = || match fs::metadata(file) {
        Ok(there) if there.is_dir() => Err(io::Error::other("it is a directory")),
        Ok(there) if !there.is_file() => File::options().write(true).open(file)?.write_all(text.as_bytes()),
        _ if file.file_name().is_none() => Err(io::Error::other("it names no file")),
        _ => replace(file, text.as_bytes()),
    };
    write().map_err(|error| cannot_write(file, error))
}

/// Adds a text to the end of a file.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn append(file: &Path, text: &str) -> Result<(), Error> {
    let append = || File::options().append(true).create(true).open(file)?.write_all(text.as_bytes());
    append().map_err(|error| cannot_write(file, error))
}

fn cannot_write(file: &Path, error: io::Error) -> Error {
    let message = format!("cannot write `{}`", escaped(&file.to_string_lossy()));
    Error::new(ErrorKind::Io, message).with_source(error)
}

/// Puts new bytes in place of a file, or makes it. What a link points at is replaced, not the link; permissions stay.
///
/// # Errors
/// When the file may not be written, or its directory not. The old file is still there then.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let before = match File::options().write(true).open(&path) {
        // Not for writing: a file that may not be written is not to be replaced either.
        Ok(file) => Some(file.metadata()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let next = beside(&path);
    let write = || {
        let mut file = File::create(&next)?;
        if let Some(before) = &before {
            keep(&file, before)?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&next, &path)?;
        path.parent().map_or(Ok(()), sync)
    };
    write().inspect_err(|_| drop(fs::remove_file(&next)))
}

/// The name of the new file until it is complete: hidden, so that nobody who lists rule files takes it for one.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

/// Gives a new file the permissions of the old one, and its owner where that is allowed.
fn keep(file: &File, before: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            let _ = fchown(file, Some(before.uid()), Some(before.gid()));
        }
    }
    file.set_permissions(before.permissions())
}

/// Makes the names in a directory durable.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    let directory = if directory == Path::new("") { Path::new(".") } else { directory };
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
