//! The directory of a spool: who writes to it, and which files it holds. Knows nothing of what they say.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

const LOCK: &str = "lock";
const PREFIX: &str = "unknowns-";
const SUFFIX: &str = ".ndjson";

/// A directory that only this spool writes to.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    lock: File,
}

impl Directory {
    /// Creates the directory if need be (0700) and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let cannot = |what: &str, error| {
            Error::new(ErrorKind::Io, format!("cannot {what} the spool `{}`", path.display())).with_source(error)
        };
        create(path).map_err(|error| cannot("create", error))?;
        let lock = open_lock(path).map_err(|error| cannot("write to", error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::Io,
                format!(
                    "the spool `{}` is in use: one process at a time writes to it; give each a directory of its own",
                    path.display()
                ),
            )),
            Err(TryLockError::Error(error)) => Err(cannot("lock", error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The files, the oldest first.
    pub(super) fn segments(&self) -> io::Result<Vec<u64>> {
        segments(&self.path)
    }

    /// The path of a file.
    pub(super) fn segment(&self, number: u64) -> PathBuf {
        segment(&self.path, number)
    }

    /// Makes sure that the directory is there and is still the one that was locked; somebody may have removed it.
    pub(super) fn restore(&mut self) -> io::Result<()> {
        if is_same(&self.lock, &self.path.join(LOCK))? {
            return Ok(());
        }
        create(&self.path)?;
        let lock = open_lock(&self.path)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::other("another process writes to the spool now"),
            TryLockError::Error(error) => error,
        })?;
        self.lock = lock;
        Ok(())
    }

    /// Makes new and removed names durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        // Other systems cannot open directories.
        if cfg!(unix) { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }
}

/// The files of a spool, the oldest first.
pub(super) fn segments(path: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok());
        // Only names as they are given here.
        numbers.extend(number.filter(|&number| segment(path, number).file_name() == Some(name.as_os_str())));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The path of a file.
pub(super) fn segment(path: &Path, number: u64) -> PathBuf {
    path.join(format!("{PREFIX}{number:08}{SUFFIX}"))
}

/// Whether a path looks like a spool.
pub(super) fn is_spool(path: &Path) -> bool {
    path.join(LOCK).is_file()
}

/// Whether a name still stands for an open file. A link to it is another file.
pub(super) fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    let named = match fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let open = file.metadata()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        Ok(named.ino() == open.ino() && named.dev() == open.dev())
    }
    #[cfg(not(unix))]
    Ok(named.is_file() && named.len() == open.len())
}

/// A file that only its owner reads and writes, created if need be.
fn open_lock(path: &Path) -> io::Result<File> {
    private().create(true).write(true).truncate(false).open(path.join(LOCK))
}

/// Files that only their owner reads and writes.
pub(super) fn private() -> fs::OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn create(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
