//! The last good set on disk: written so that a crash at any moment leaves the old one or the new one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Sources;
use crate::error::{Error, ErrorKind};
use crate::model::limits;
use crate::rulefile::sha256;

/// The file with the last good set.
const LAST_GOOD: &str = "last-good";
/// What the engine writes next to it before it takes its place.
const NEXT: &str = "last-good.next";
/// Held locked by the one engine that uses the directory.
const LOCK: &str = "lock";
/// Raised when the form of the file changes; a newer one is refused.
const FORMAT: u32 = 1;
/// Bytes that a file of ours can have at most: texts are escaped, and a byte takes six at worst.
const BYTES: u64 = 6 * limits::SET_BYTES as u64 + 1024 * 1024;

/// A directory that an engine keeps its last good set in.
#[derive(Debug)]
pub(super) struct State {
    directory: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// The second part of the file; the first line is the digest of all of it.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    format: u32,
    /// The version that wrote it, for people.
    faultbook: String,
    /// Digest of the rules.
    ruleset: String,
    at: String,
    root: String,
    files: Vec<SavedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedFile {
    name: String,
    text: String,
}

impl State {
    /// Takes the directory for this engine; makes it when it is not there.
    pub(super) fn open(directory: &Path) -> Result<Self, Error> {
        let cannot = |error: io::Error| {
            Error::new(ErrorKind::Io, format!("cannot use the state directory `{}`", directory.display()))
                .with_source(error)
        };
        fs::create_dir_all(directory).map_err(cannot)?;
        let lock =
            File::options().create(true).truncate(false).write(true).open(directory.join(LOCK)).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory: directory.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "the state directory `{}` is in use by another engine; give each engine its own",
                    directory.display()
                );
                Err(Error::new(ErrorKind::Io, message))
            }
            Err(TryLockError::Error(error)) => Err(cannot(error)),
        }
    }

    /// Keeps a set: the file is whole on disk before it takes the place of the one before.
    pub(super) fn save(&self, sources: &Sources, ruleset: &str, now: SystemTime) -> Result<(), Error> {
        let files = sources.iter().filter(|(_, source)| !source.is_refused);
        let saved = Saved {
            format: FORMAT,
            faultbook: env!("CARGO_PKG_VERSION").to_owned(),
            ruleset: ruleset.to_owned(),
            at: humantime::format_rfc3339_seconds(now).to_string(),
            root: sources.root().to_owned(),
            files: files
                .map(|(_, source)| SavedFile { name: source.name.clone(), text: source.text.clone() })
                .collect(),
        };
        let path = self.directory.join(LAST_GOOD);
        let write = || -> io::Result<()> {
            let body = serde_json::to_vec(&saved)?;
            let next = self.directory.join(NEXT);
            let mut file = File::create(&next)?;
            writeln!(file, "{}", sha256(&body))?;
            file.write_all(&body)?;
            file.sync_all()?;
            fs::rename(&next, &path)?;
            sync_directory(&self.directory)
        };
        write().map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot keep the last good set in `{}`", path.display()))
                .with_source(error)
        })
    }

    /// The set that was kept last; none when there is none yet.
    ///
    /// # Errors
    /// When the file is not whole, or written by a version that this one does not know.
    pub(super) fn load(&self) -> Result<Option<Sources>, Error> {
        let path = self.directory.join(LAST_GOOD);
        let broken = |why: &str| {
            let message = format!("the last good set in `{}` {why}; it is not used", path.display());
            Error::new(ErrorKind::Io, message)
        };
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(BYTES).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken("cannot be read").with_source(error)),
        }
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(|| broken("is cut off"))?;
        let (digest, body) = (&bytes[..end], &bytes[end + 1..]);
        if sha256(body).as_bytes() != digest {
            return Err(broken("does not have the digest it was written with"));
        }
        let saved: Saved =
            serde_json::from_slice(body).map_err(|error| broken("has another form").with_source(error))?;
        if saved.format != FORMAT {
            return Err(broken(&format!("has format {}, this version reads {FORMAT}", saved.format)));
        }
        Ok(Some(Sources::from_texts(saved.files.into_iter().map(|file| (file.name, file.text))).with_root(saved.root)))
    }
}

/// Makes the names of a directory as durable as its files. Where directories cannot be opened the system sees to it.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
