//! `faultbook classify --spool`: failures that no rule knows are kept. A fault of the spool changes no answer.

#[cfg(feature = "serve")]
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::error::{Error, ErrorKind};
use crate::spool::{self, Keeper, SpoolOptions};

use super::output::{Failed, remark};

#[derive(Debug, Clone, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Directory that keeps what no rule knows, each shape once and counted; `faultbook unknowns DIR` shows it
    #[arg(long = "spool", value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
    /// When what is kept is made durable
    #[arg(long, value_enum, default_value_t = Fsync::Interval, requires = "directory")]
    fsync: Fsync,
    /// End with exit code 2 when something could not be kept, and wait up to 10 s for the disk instead of 250 ms
    #[arg(long = "spool-required", requires = "directory")]
    pub(super) is_required: bool,
}

/// When what is kept is made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fsync {
    /// Before it is answered with `"spooled":true`
    Always,
    /// At most 500 ms after it was written
    #[value(name = "500ms")]
    Interval,
    /// When the operating system sees fit
    Os,
}

impl From<Fsync> for spool::Fsync {
    fn from(fsync: Fsync) -> Self {
        match fsync {
            Fsync::Always => Self::Always,
            Fsync::Interval => Self::Interval,
            Fsync::Os => Self::Os,
        }
    }
}

/// The longest wait for the disk when everything has to be kept.
const REQUIRED_DEADLINE: Duration = Duration::from_secs(10);

impl Arguments {
    /// The same for another directory, as a configuration says it.
    #[cfg(feature = "serve")]
    pub(super) fn with(&self, directory: Option<&Path>, is_required: bool) -> Self {
        Self { directory: directory.map(Path::to_owned), is_required, ..self.clone() }
    }

    /// Opens the spool that was asked for. One that cannot be opened keeps nothing, and is an error only when it is
    /// required.
    pub(super) fn open(&self) -> Result<Keeper, Failed> {
        let Some(directory) = &self.directory else { return Ok(Keeper::default()) };
        let mut options = SpoolOptions { fsync: self.fsync.into(), ..SpoolOptions::default() };
        if self.is_required {
            options.deadline = REQUIRED_DEADLINE;
        }
        match Keeper::open(directory, options) {
            Ok(keeper) => Ok(keeper),
            Err(error) if self.is_required => Err(error.into()),
            Err(error) => {
                remark(&format!("{error}; unknown failures are answered with `\"spooled\":false`"));
                Ok(Keeper::broken())
            }
        }
    }
}

/// Writes what is left, and says what could not be kept; an error when everything had to be.
pub(super) fn conclude(keeper: &Keeper, is_required: bool) -> Result<(), Failed> {
    match keeper.conclude() {
        Err(message) if is_required => Err(Error::new(ErrorKind::Io, message).into()),
        Err(message) => {
            remark(&message);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
