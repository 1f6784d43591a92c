//! `faultbook publish`: a rule set put in place as a whole, with a lock that names its files.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::diagnostic::Sources;
use crate::error::{Error, ErrorKind};
use crate::render;
use crate::rulefile::{LOCK, write_lock};
use crate::ruleset::{RuleSet, inspect};

use super::output::{self, Failed, remark};
use super::replace::{self, sync};

const EXAMPLES: &str = "Examples:
  faultbook publish my-rules/                    write my-rules/faultbook.lock
  faultbook publish my-rules/ --to /srv/rules    put a locked copy in place of /srv/rules

An engine uses a set with a lock at once and as a whole, and never a set that does not fit its
lock: not while files are copied, and not when one was cut off. `sha256sum --check faultbook.lock`
tells the same.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Directory of rule files; without it --rules
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The directory that engines read; what is there is replaced in one step. A link is pointed at the new copy
    #[arg(long, value_name = "TARGET")]
    to: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let Some(directory) = arguments.directory.as_deref().or(rules) else {
        return Err(Failed::Usage("name a rules directory: `faultbook publish DIR`".to_owned()));
    };
    let target = arguments.to.as_deref();
    let in_place = target.and_then(|target| RuleSet::discover(target).ok()).and_then(|there| RuleSet::load(there).ok());
    // A lock is what is written here: one that does not fit any more is no obstacle.
    let mut sources = RuleSet::discover(directory)?.without_lock(LOCK);
    sources.set_locked(true);
    let lock = write_lock(sources.digests());
    let (set, report, _) = inspect(sources, in_place.as_ref().map(|(set, _)| set));
    let Some(set) = set else {
        output::report(&report);
        return Err(Failed::Rejected("the set does not load; nothing was published".to_owned()));
    };
    let done = match target {
        None => replace::replace(&directory.join(LOCK), lock.as_bytes()).map(|()| directory.join(LOCK)),
        Some(target) => replace(directory, report.sources(), &lock, target, set.digest()),
    };
    let at = target.unwrap_or(directory);
    let written = done.map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot publish to `{}`", at.display())).with_source(error)
    })?;
    remark(&format!(
        "published {} with {} codes and {} rules: {}",
        render::short(set.digest()),
        set.codes().len(),
        set.rules().len(),
        written.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Puts a copy of the files in place of what stands under a name, in one step. Where the copy is.
fn replace(directory: &Path, sources: &Sources, lock: &str, target: &Path, digest: &str) -> io::Result<PathBuf> {
    let parent = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let name = target.file_name().ok_or_else(|| io::Error::other("name a directory, not `.` or `/`"))?;
    let name = name.to_string_lossy();
    let hex = digest.trim_start_matches("sha256:");
    let copy = parent.join(format!(".{name}.{}.{}", &hex[..hex.len().min(12)], std::process::id()));
    let write = || -> io::Result<PathBuf> {
        fs::create_dir(&copy)?;
        for (file, digest) in sources.digests() {
            let bytes = fs::read(directory.join(file))?;
            if crate::rulefile::sha256(&bytes) != *digest {
                return Err(io::Error::other(format!("`{file}` has changed while it was published")));
            }
            let path = copy.join(file);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            write_file(&path, &bytes)?;
        }
        write_file(&copy.join(LOCK), lock.as_bytes())?;
        sync(&copy)?;
        swap(&copy, target, parent)
    };
    write().inspect_err(|_| drop(fs::remove_dir_all(&copy)))
}

/// Where the copy stands after it has taken the target's place.
fn swap(copy: &Path, target: &Path, parent: &Path) -> io::Result<PathBuf> {
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::rename(copy, target)?;
            sync(parent)?;
            Ok(target.to_owned())
        }
        Err(error) => Err(error),
        Ok(there) if there.is_symlink() => {
            let before = fs::canonicalize(target).ok();
            let link = copy.with_extension("link");
            point(&link, Path::new(copy.file_name().unwrap_or_default()))?;
            fs::rename(&link, target).inspect_err(|_| drop(fs::remove_file(&link)))?;
            sync(parent)?;
            if let Some(before) = before {
                remark(&format!("the set before it is still in {}", before.display()));
            }
            Ok(copy.to_owned())
        }
        Ok(_) => {
            exchange(copy, target)?;
            sync(parent)?;
            // What was in place until now stands where the copy was.
            fs::remove_dir_all(copy)?;
            Ok(target.to_owned())
        }
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn point(link: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, link)
}

#[cfg(not(unix))]
fn point(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::other("links are not supported on this system; give a directory"))
}

#[cfg(target_os = "linux")]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, target: &Path) -> io::Result<()> {
    let message = format!("this system cannot replace a directory in one step; make `{}` a link", target.display());
    Err(io::Error::other(message))
}
