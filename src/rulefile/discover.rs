//! The only reader of files: from a rules directory to sources.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

#[cfg(feature = "cli")]
use crate::diagnostic::SourceId;
use crate::diagnostic::{Diagnostic, Lint, Source, Sources, Span, lints};
use crate::error::{Error, ErrorKind};
use crate::model::limits;

use super::MANIFEST;
use super::lock::{self, LOCK};

/// Reads the rule files of a directory: all `*.toml` below it, except hidden ones.
///
/// What is wrong with single files is kept in the sources and reported by the load.
///
/// # Errors
/// When the directory itself cannot be read.
pub fn discover(root: &Path) -> Result<Sources, Error> {
    let io = |error| {
        Error::new(ErrorKind::Io, format!("cannot read the rules directory `{}`", root.display())).with_source(error)
    };
    let canonical = fs::canonicalize(root).map_err(io)?;
    if !fs::metadata(&canonical).map_err(io)?.is_dir() {
        let message = format!("`{}` is no directory; give the directory that holds `{MANIFEST}`", root.display());
        return Err(Error::new(ErrorKind::Io, message));
    }
    let mut listing = Listing {
        root: &canonical,
        seen: HashSet::from([canonical.clone()]),
        names: Vec::new(),
        sources: Sources::default().with_root(root.display().to_string()),
    };
    listing.folder(&canonical, "", 0).map_err(io)?;
    let Listing { mut names, mut sources, .. } = listing;
    // Not the order of the directory: findings and digests must be the same on every machine.
    names.sort_by_key(|(name, _)| (name != MANIFEST, name.clone()));
    if names.len() > limits::FILES {
        let message = format!("the rules directory holds {} rule files, more than {}", names.len(), limits::FILES);
        refuse(
            &mut sources,
            ".",
            lints::LIMIT_EXCEEDED,
            message,
            "Give the directory that holds `faultbook.toml`, and nothing else below it.",
        );
    }
    let (mut files, mut bytes) = (0, 0);
    for (name, path) in names {
        // The load says which file is the one too many; those behind it are only known by name.
        if files == limits::FILES || bytes > limits::SET_BYTES {
            sources.push(Source { name, text: String::new(), is_refused: true });
            continue;
        }
        files += 1;
        bytes += read(&mut sources, name, &path);
    }
    if let Some(lock) = read_lock(&canonical, &mut sources) {
        lock::compare(&mut sources, lock);
    }
    Ok(sources)
}

/// Reads one file, under its path as it is given.
///
/// # Errors
/// When there is no such file. What is wrong with a file that exists is kept in the sources.
#[cfg(feature = "cli")]
pub fn file(path: &Path) -> Result<Sources, Error> {
    let mut sources = Sources::default();
    if let Err(error) = fs::metadata(path) {
        let message = format!("cannot read `{}`", path.display());
        return Err(Error::new(ErrorKind::Io, message).with_source(error));
    }
    read(&mut sources, path.display().to_string(), path);
    Ok(sources)
}

/// What somebody else has read, as if it were a file of that path.
#[cfg(feature = "cli")]
pub fn bytes(path: &Path, bytes: Vec<u8>) -> Sources {
    let mut sources = Sources::default();
    add(&mut sources, path.display().to_string(), bytes);
    sources
}

/// Whether a text is another one than the file held when it was read.
#[cfg(feature = "cli")]
pub fn differs(sources: &Sources, id: SourceId, text: &str) -> bool {
    let name = &sources.get(id).name;
    let digest = lock::sha256(text.as_bytes());
    sources.digests().iter().find(|(file, _)| file == name).is_none_or(|(_, before)| *before != digest)
}

/// The lock of a published set, when there is one.
fn read_lock(root: &Path, sources: &mut Sources) -> Option<String> {
    let path = root.join(LOCK);
    let is_file = match fs::metadata(&path) {
        Ok(metadata) => metadata.is_file(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(_) => true,
    };
    let read = if is_file { read_start(&path) } else { Err(io::Error::other("it is not a regular file")) };
    let text = read.and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8")));
    match text {
        Ok(text) => Some(text),
        Err(error) => {
            let message = format!("`{LOCK}` cannot be read: {error}");
            refuse(sources, LOCK, lints::UNREADABLE_FILE, message, "Publish the set again, or remove the lock.");
            None
        }
    }
}

/// The bytes of a file. One over the limit is enough to know, even when the file grows while it is read.
fn read_start(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open(path)?;
    // Asked again: something else may have taken the place of what was asked about before.
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    file.take(limits::FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why something cannot be read, with owner and mode where they are the reason.
fn reason(path: &Path, error: &io::Error) -> String {
    #[cfg(unix)]
    if error.kind() == io::ErrorKind::PermissionDenied
        && let Ok(metadata) = fs::metadata(path)
    {
        use std::os::unix::fs::MetadataExt as _;
        return format!("{error}; it belongs to user {} and has mode {:03o}", metadata.uid(), metadata.mode() & 0o777);
    }
    let _ = path;
    error.to_string()
}

/// Opens a file, without waiting for a writer where it is a pipe.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    /// `O_NONBLOCK`; nothing where its value is not known.
    const WITHOUT_WAITING: i32 = if cfg!(all(
        any(target_os = "linux", target_os = "android"),
        not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc", target_arch = "sparc64"))
    )) {
        0o4000
    } else if cfg!(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd", target_os = "openbsd")) {
        4
    } else {
        0
    };
    File::options().read(true).custom_flags(WITHOUT_WAITING).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// The rule files below a directory.
struct Listing<'r> {
    root: &'r Path,
    /// Folders that are listed, without links: links may lead back to them.
    seen: HashSet<PathBuf>,
    names: Vec<(String, PathBuf)>,
    sources: Sources,
}

impl Listing<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        // Folders before links to them, so that it is the link that leads back.
        entries.sort_by_key(|entry| (entry.file_type().is_ok_and(|kind| kind.is_symlink()), entry.file_name()));
        for entry in entries {
            let file_name = entry.file_name();
            let name = format!("{prefix}{}", file_name.to_string_lossy());
            if file_name.to_string_lossy().starts_with('.') {
                continue;
            }
            let Some(path) = inside(self.root, &entry.path(), &name, &mut self.sources) else { continue };
            if path.is_dir() {
                self.sub_folder(&path, &name, depth);
            } else if file_name.to_str().is_none() && is_toml(&name) {
                refuse(
                    &mut self.sources,
                    &name,
                    lints::UNREADABLE_FILE,
                    "the file name is not UTF-8".to_owned(),
                    "Rename the file.",
                );
            } else if has_toml_suffix(&name) {
                self.names.push((name, path));
            } else if is_toml(&name) {
                let message = format!("`{name}` does not end in `.toml`, in small letters");
                refuse(
                    &mut self.sources,
                    &name,
                    lints::UNREADABLE_FILE,
                    message,
                    "Rename the file, or it is a rule file on some machines only.",
                );
            }
        }
        Ok(())
    }

    fn sub_folder(&mut self, path: &Path, name: &str, depth: usize) {
        if is_toml(name) {
            refuse(
                &mut self.sources,
                name,
                lints::UNREADABLE_FILE,
                format!("`{name}` is a directory"),
                "A rule file is a regular file; rename the directory.",
            );
        } else if !self.seen.insert(path.to_owned()) {
            refuse(
                &mut self.sources,
                name,
                lints::UNREADABLE_FILE,
                format!("`{name}` is a link to a folder that is read already"),
                "Remove the link.",
            );
        } else if depth + 1 > limits::DIRECTORY_DEPTH {
            let message = format!("`{name}` is more than {} folders deep", limits::DIRECTORY_DEPTH);
            refuse(&mut self.sources, name, lints::LIMIT_EXCEEDED, message, "Move the rule files up.");
        } else if let Err(error) = self.folder(path, &format!("{name}/"), depth + 1) {
            refuse(
                &mut self.sources,
                name,
                lints::UNREADABLE_FILE,
                format!("`{name}` cannot be read: {}", reason(path, &error)),
                "Check the permissions of the folder.",
            );
        }
    }
}

#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "rule files have the same names on every machine")]
pub(super) fn has_toml_suffix(name: &str) -> bool {
    name.ends_with(".toml")
}

/// Whether somebody may take it for a rule file.
fn is_toml(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".toml")
}

/// Resolves links; a link may point anywhere inside of the rules directory, but not out of it.
fn inside(root: &Path, path: &Path, name: &str, sources: &mut Sources) -> Option<PathBuf> {
    let relevant = is_toml(name) || path.is_dir();
    match fs::canonicalize(path) {
        Ok(resolved) if resolved.starts_with(root) => Some(resolved),
        Ok(_) if relevant => {
            refuse(
                sources,
                name,
                lints::UNREADABLE_FILE,
                format!("`{name}` is a link out of the rules directory"),
                "Copy the file into the rules directory.",
            );
            None
        }
        Err(error) if relevant => {
            refuse(
                sources,
                name,
                lints::UNREADABLE_FILE,
                format!("`{name}` cannot be read: {error}"),
                "Remove the link or repair its target.",
            );
            None
        }
        _ => None,
    }
}

/// Reads one file and returns how many bytes it has.
fn read(sources: &mut Sources, name: String, path: &Path) -> usize {
    // Asked before opening: opening a pipe would wait for a writer.
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let message = format!("`{name}` is not a regular file");
            refuse(
                sources,
                &name,
                lints::UNREADABLE_FILE,
                message,
                "Rule files are regular files; remove it or rename it.",
            );
            return 0;
        }
        _ => {}
    }
    let bytes = match read_start(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("`{name}` cannot be read: {}", reason(path, &error));
            refuse(sources, &name, lints::UNREADABLE_FILE, message, "Check the file's permissions.");
            return 0;
        }
    };
    let count = bytes.len();
    if add(sources, name, bytes) { count } else { 0 }
}

/// Keeps what a file holds, as a text where it is one; false when it is too large.
fn add(sources: &mut Sources, name: String, bytes: Vec<u8>) -> bool {
    sources.add_digest(&name, lock::sha256(&bytes));
    take(sources, name, bytes)
}

/// Adds a file that was read as a whole; false when it is too large.
pub(super) fn take(sources: &mut Sources, name: String, bytes: Vec<u8>) -> bool {
    if bytes.len() > limits::FILE_BYTES {
        let message = format!("`{name}` has more than {} bytes", limits::FILE_BYTES);
        refuse(sources, &name, lints::LIMIT_EXCEEDED, message, "Split the file by code family.");
        return false;
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            sources.push(Source { name, text, is_refused: false });
        }
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let line = text[..valid].matches('\n').count() + 1;
            let message = match bytes[..] {
                [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => "the file is UTF-32, not UTF-8".to_owned(),
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16, not UTF-8".to_owned(),
                _ => format!("byte 0x{:02X} on line {line} is not UTF-8", bytes[valid]),
            };
            // Nobody reads the text any further, but the finding still shows the line.
            let source = sources.push(Source { name, text, is_refused: true });
            let span = Span { source, range: valid..valid + 3 };
            sources.add_finding(Diagnostic::new(lints::NOT_UTF8, span, message).help("Save the file as UTF-8."));
        }
    }
    true
}

/// Keeps a finding about a path that has no text.
fn refuse(sources: &mut Sources, name: &str, lint: &'static Lint, message: String, help: &str) {
    let source = sources.push(Source { name: name.to_owned(), text: String::new(), is_refused: true });
    sources.add_finding(Diagnostic::new(lint, Span::start_of(source), message).help(help));
}
