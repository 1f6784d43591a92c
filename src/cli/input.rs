//! Where commands read failures from: files, or standard input.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{Error, ErrorKind};
use crate::input::records;
use crate::model::Failure;

use super::output::{Failed, remark};

/// How failures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum InputFormat {
    /// JSON where the first lines are failures in our own JSON, else one text
    Auto,
    /// One failure in our own JSON on each line
    Json,
    /// The whole input is one failure, as somebody pasted or logged it
    Text,
}

/// What commands that read failures take.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct FailureArguments {
    /// Files to read; standard input without any, or for `-`
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// How failures are written
    #[arg(long, value_enum, default_value_t = InputFormat::Auto)]
    pub(super) input: InputFormat,
    /// The connector of failures that name none
    #[arg(long, value_name = "NAME")]
    pub(super) connector: Option<String>,
    /// The operation of failures that name none
    #[arg(long, value_name = "NAME")]
    pub(super) operation: Option<String>,
    /// The phase of failures that name none
    #[arg(long, value_name = "NAME")]
    pub(super) phase: Option<String>,
}

impl From<InputFormat> for records::InputFormat {
    fn from(format: InputFormat) -> Self {
        match format {
            InputFormat::Auto => Self::Auto,
            InputFormat::Json => Self::Json,
            InputFormat::Text => Self::Text,
        }
    }
}

/// The files that were named; standard input without any.
pub(super) fn files(named: &[PathBuf]) -> impl Iterator<Item = &Path> {
    let stdin = named.is_empty().then_some(Path::new("-"));
    stdin.into_iter().chain(named.iter().map(PathBuf::as_path))
}

/// Hands a file to a reader, `-` for standard input, together with what an error of it is called.
pub(super) fn open(
    path: &Path,
    read: impl FnOnce(Box<dyn Read>, &dyn Fn(io::Error) -> Error) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let cannot =
        |error: io::Error| Error::new(ErrorKind::Io, format!("cannot read `{}`", path.display())).with_source(error);
    if path == Path::new("-") {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            remark("reading failures from the terminal; end with Ctrl-D");
        }
        return read(Box::new(stdin.lock()), &cannot);
    }
    let file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::Io, format!("`{}` is a directory; give files", path.display())).into());
    }
    let progress = progress(metadata.len());
    let done = read(Box::new(progress.wrap_read(file)), &cannot);
    progress.finish_and_clear();
    done
}

/// The whole text of a file.
#[cfg(feature = "serve")]
pub(super) fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot read `{}`", path.display())).with_source(error))
}

impl FailureArguments {
    /// Fills in what a failure does not say itself: connector, operation and phase.
    pub(super) fn fill_in<'a>(&'a self, failure: &mut Failure<'a>) {
        let fill = |field: &mut Option<Cow<'a, str>>, value: &'a Option<String>| {
            if field.is_none() {
                *field = value.as_deref().map(Cow::Borrowed);
            }
        };
        fill(&mut failure.connector, &self.connector);
        fill(&mut failure.operation, &self.operation);
        fill(&mut failure.phase, &self.phase);
    }
}

/// Bytes of a file that takes long enough to be worth a bar.
const PROGRESS_BYTES: u64 = 16 * 1024 * 1024;

/// A bar on standard error for long files, where somebody watches it and the answers go elsewhere.
fn progress(bytes: u64) -> ProgressBar {
    let watched = bytes >= PROGRESS_BYTES && io::stderr().is_terminal() && !io::stdout().is_terminal();
    let target = if watched { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(bytes), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        bar.set_style(style);
    }
    bar
}
