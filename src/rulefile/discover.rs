//! The only reader of files: from a rules directory to sources.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Lint, Source, Sources, Span, lints};
use crate::error::{Error, ErrorKind};
use crate::model::limits;

use super::MANIFEST;

/// Reads the rule files of a directory: all `*.toml` below it, except hidden ones.
///
/// What is wrong with single files is kept in the sources and reported by the load.
///
/// # Errors
/// When the directory itself cannot be read.
pub fn discover(root: &Path) -> Result<Sources, Error> {
    let io = |error| Error::new(ErrorKind::Io, format!("cannot read the rules directory `{}`", root.display())).with_source(error);
    let canonical = fs::canonicalize(root).map_err(io)?;
    if !fs::metadata(&canonical).map_err(io)?.is_dir() {
        let message = format!("`{}` is no directory; give the directory that holds `{MANIFEST}`", root.display());
        return Err(Error::new(ErrorKind::Io, message));
    }
    let mut names = Vec::new();
    let mut sources = Sources::default().with_root(root.display().to_string());
    list(&canonical, &canonical, "", 0, &mut names, &mut sources).map_err(io)?;
    // Not the order of the directory: findings and digests must be the same on every machine.
    names.sort_by_key(|(name, _)| (name != MANIFEST, name.clone()));
    if names.len() > limits::FILES {
        let message = format!("the rules directory holds {} rule files, more than {}", names.len(), limits::FILES);
        refuse(&mut sources, ".", lints::LIMIT_EXCEEDED, message, "Give the directory that holds `faultbook.toml`, and nothing else below it.");
        names.truncate(limits::FILES);
    }
    for (name, path) in names {
        read(&mut sources, name, &path);
    }
    Ok(sources)
}

fn list(root: &Path, folder: &Path, prefix: &str, depth: usize, names: &mut Vec<(String, PathBuf)>, sources: &mut Sources) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str() else {
            refuse(sources, &file_name.to_string_lossy(), lints::UNREADABLE_FILE, "the file name is not UTF-8".to_owned(), "Rename the file.");
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{name}");
        let Some(path) = inside(root, &entry.path(), &name, sources) else { continue };
        if path.is_dir() {
            if has_toml_suffix(&name) {
                refuse(sources, &name, lints::UNREADABLE_FILE, format!("`{name}` is a directory"), "A rule file is a regular file; rename the directory.");
            } else if depth + 1 > limits::DIRECTORY_DEPTH {
                let message = format!("`{name}` is more than {} folders deep", limits::DIRECTORY_DEPTH);
                refuse(sources, &name, lints::LIMIT_EXCEEDED, message, "Move the rule files up.");
            } else {
                list(root, &path, &format!("{name}/"), depth + 1, names, sources)?;
            }
        } else if has_toml_suffix(&name) {
            names.push((name, path));
        }
    }
    Ok(())
}

fn has_toml_suffix(name: &str) -> bool {
    name.ends_with(".toml")
}

/// Resolves links; a link may point anywhere inside of the rules directory, but not out of it.
fn inside(root: &Path, path: &Path, name: &str, sources: &mut Sources) -> Option<PathBuf> {
    let relevant = has_toml_suffix(name) || path.is_dir();
    match fs::canonicalize(path) {
        Ok(resolved) if resolved.starts_with(root) => Some(resolved),
        Ok(_) if relevant => {
            refuse(sources, name, lints::UNREADABLE_FILE, format!("`{name}` is a link out of the rules directory"), "Copy the file into the rules directory.");
            None
        }
        Err(error) if relevant => {
            refuse(sources, name, lints::UNREADABLE_FILE, format!("`{name}` cannot be read: {error}"), "Remove the link or repair its target.");
            None
        }
        _ => None,
    }
}

fn read(sources: &mut Sources, name: String, path: &Path) {
    // Asked before opening: opening a pipe would wait for a writer.
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let message = format!("`{name}` is not a regular file");
            return refuse(sources, &name, lints::UNREADABLE_FILE, message, "Rule files are regular files; remove it or rename it.");
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    // One byte over the limit is enough to know, even when the file grows while it is read.
    let read = File::open(path).and_then(|file| file.take(limits::FILE_BYTES as u64 + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return refuse(sources, &name, lints::UNREADABLE_FILE, format!("`{name}` cannot be read: {error}"), "Check the file's permissions.");
    }
    if bytes.len() > limits::FILE_BYTES {
        let message = format!("`{name}` has more than {} bytes", limits::FILE_BYTES);
        return refuse(sources, &name, lints::LIMIT_EXCEEDED, message, "Split the file by code family.");
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            sources.push(Source { name, text, is_refused: false });
        }
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let line = bytes[..valid].iter().filter(|&&b| b == b'\n').count() + 1;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let message = format!("byte 0x{:02X} on line {line} is not UTF-8", bytes[valid]);
            // Nobody reads the text any further, but the finding still shows the line.
            let source = sources.push(Source { name, text, is_refused: true });
            let span = Span { source, range: valid..valid + 3 };
            sources.add_finding(Diagnostic::new(lints::NOT_UTF8, span, message).help("Save the file as UTF-8."));
        }
    }
}

/// Keeps a finding about a path that has no text.
fn refuse(sources: &mut Sources, name: &str, lint: &'static Lint, message: String, help: &str) {
    let source = sources.push(Source { name: name.to_owned(), text: String::new(), is_refused: true });
    sources.add_finding(Diagnostic::new(lint, Span::start_of(source), message).help(help));
}
