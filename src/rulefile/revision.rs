//! The rule files of a git revision, read with the `git` program. Beside `discover` nobody else reads rule files.
//!
//! Nothing is checked out and no file is written: names come from the tree of the revision, texts from its objects.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::diagnostic::Sources;
use crate::error::{Error, ErrorKind};
use crate::model::limits;

use super::MANIFEST;
use super::discover::{has_toml_suffix, take};

/// Another state of the rules in `directory`: a directory of that name, else a git revision. A directory comes first;
/// `refs/heads/NAME` is a branch for sure.
///
/// # Errors
/// When it is neither, or cannot be read.
pub fn other_state(directory: Option<&Path>, name: &str) -> Result<Sources, Error> {
    let path = Path::new(name);
    match directory {
        _ if path.is_dir() => super::discover::discover(path),
        Some(directory) => discover(directory, name),
        None => {
            let message = format!(
                "`{name}` is no directory; a git revision needs the rules directory that it is compared with: \
                 `faultbook check DIR --against {name}`"
            );
            Err(Error::new(ErrorKind::InvalidOptions, message))
        }
    }
}

/// Reads the rule files that a directory held in a revision of the repository that it belongs to: all `*.toml` below
/// it, except hidden ones.
///
/// # Errors
/// When there is no `git`, no repository, no such revision, or no such directory in it.
fn discover(directory: &Path, revision: &str) -> Result<Sources, Error> {
    let repository = Repository { directory, revision };
    let prefix = repository.prefix()?;
    let commit = repository.commit()?;
    let mut files = repository.files(&commit, &prefix)?;
    files.sort_by_key(|file| (file.name != MANIFEST, file.name.clone()));
    let (count, bytes) = (files.len(), files.iter().map(|file| file.bytes).sum::<usize>());
    if count > limits::FILES || bytes > limits::SET_BYTES {
        let message = format!("`{revision}` has {count} rule files with {bytes} bytes there, more than a set may have");
        return Err(Error::new(ErrorKind::Io, message));
    }
    let shown = directory.display().to_string();
    let root = format!("{}@{revision}", shown.trim_end_matches(['/', '\\']));
    let mut sources = Sources::default().with_root(root);
    let mut objects = Objects::open(&repository)?;
    for file in files {
        let bytes = objects
            .read(&file.object)
            .map_err(|error| repository.cannot("cannot read a file of").with_source(error))?;
        take(&mut sources, file.name, bytes);
    }
    Ok(sources)
}

struct Repository<'r> {
    directory: &'r Path,
    revision: &'r str,
}

/// A rule file of a tree.
struct File {
    name: String,
    object: String,
    bytes: usize,
}

impl Repository<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.directory).env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
        // Git sets them for hooks, relative to another directory; the repository is that of the rules.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, Error> {
        self.command().args(arguments).output().map_err(|error| self.no_git(error))
    }

    fn no_git(&self, error: io::Error) -> Error {
        let message = format!(
            "cannot run `git`, which reads the revision `{}`; install it, or name a directory with the other state",
            self.revision
        );
        Error::new(ErrorKind::Io, message).with_source(error)
    }

    fn cannot(&self, what: &str) -> Error {
        Error::new(ErrorKind::Io, format!("{what} the revision `{}`", self.revision))
    }

    /// Where the directory stands in its repository, with `/` behind it; empty for the top.
    fn prefix(&self) -> Result<String, Error> {
        let output = self.run(&["rev-parse", "--show-prefix"])?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned());
        }
        Err(Error::new(
            ErrorKind::Io,
            format!(
                "`{}` is no directory, and as a git revision it needs a repository that holds `{}`: git says `{}`",
                self.revision,
                self.directory.display(),
                last_line(&output.stderr)
            ),
        ))
    }

    /// The commit that the revision names.
    fn commit(&self) -> Result<String, Error> {
        let wanted = format!("{}^{{commit}}", self.revision);
        let output = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        if output.status.success() && !self.revision.is_empty() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let is_shallow = self.run(&["rev-parse", "--is-shallow-repository"])?.stdout.starts_with(b"true");
        let hint = if is_shallow {
            "this clone is shallow; `git fetch --unshallow` brings the rest (in CI a fetch depth of 0)"
        } else {
            "`git log --oneline` shows what there is"
        };
        let message = format!(
            "`{}` is no directory, and no revision of the repository that holds `{}`; {hint}",
            self.revision,
            self.directory.display()
        );
        Err(Error::new(ErrorKind::Io, message))
    }

    /// The rule files below the directory, in the order of the tree.
    fn files(&self, commit: &str, prefix: &str) -> Result<Vec<File>, Error> {
        let tree = format!("{commit}:{}", prefix.trim_end_matches('/'));
        let output = self.run(&["ls-tree", "-r", "-l", "-z", "--full-tree", &tree])?;
        let lines: Vec<_> = output.stdout.split(|&byte| byte == 0).map(String::from_utf8_lossy).collect();
        let files: Vec<File> = lines.iter().filter_map(|line| file(line)).collect();
        if output.status.success() && !files.is_empty() {
            return Ok(files);
        }
        let place = if prefix.is_empty() { "the top of the repository" } else { prefix };
        let what = if output.status.success() { "holds no rule file" } else { "does not exist" };
        let message = format!("in the revision `{}` the directory `{place}` {what}", self.revision);
        Err(Error::new(ErrorKind::Io, message))
    }
}

/// A line of `git ls-tree -l`: mode, type, object and size, then behind a tab the name.
fn file(line: &str) -> Option<File> {
    let (facts, name) = line.split_once('\t')?;
    let [mode, "blob", object, bytes] = facts.split_whitespace().collect::<Vec<_>>()[..] else { return None };
    let is_hidden = name.split('/').any(|part| part.starts_with('.'));
    // A link is no text; the sets that we know have none.
    let is_wanted = mode.starts_with("100") && has_toml_suffix(name) && !is_hidden;
    is_wanted.then(|| Some(File { name: name.to_owned(), object: object.to_owned(), bytes: bytes.parse().ok()? }))?
}

/// The texts of a repository, one after the other.
struct Objects {
    process: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Objects {
    fn open(repository: &Repository<'_>) -> Result<Self, Error> {
        let mut command = repository.command();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| repository.no_git(error))?;
        match process.stdout.take() {
            Some(answers) => Ok(Self { process, answers: BufReader::new(answers) }),
            None => Err(repository.cannot("cannot read")),
        }
    }

    /// One question, one answer: neither side waits for the other with a full pipe.
    fn read(&mut self, object: &str) -> io::Result<Vec<u8>> {
        let questions = self.process.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        questions.write_all(format!("{object}\n").as_bytes())?;
        questions.flush()?;
        let mut header = String::new();
        self.answers.read_line(&mut header)?;
        let bytes = header.trim_end().rsplit_once(' ').and_then(|(_, bytes)| bytes.parse().ok());
        let bytes = bytes.ok_or_else(|| io::Error::other(format!("git says `{}`", header.trim_end())))?;
        let mut text = vec![0; bytes];
        self.answers.read_exact(&mut text)?;
        self.answers.read_exact(&mut [0])?;
        Ok(text)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next_back().unwrap_or_default().to_owned()
}
