//! `faultbook classify --spool`: failures that no rule knows are kept. A fault of the spool changes no answer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::error::{Error, ErrorKind};
use crate::input::records::Raw;
use crate::model::{Decision, Failure};
use crate::ruleset::RuleSet;
use crate::spool::{self, Spool, SpoolOptions};

use super::output::{Failed, remark};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Directory that keeps what no rule knows, each shape once and counted; `faultbook unknowns DIR` shows it
    #[arg(long = "spool", value_name = "DIR")]
    directory: Option<PathBuf>,
    /// When what is kept is made durable
    #[arg(long, value_enum, default_value_t = Fsync::Interval, requires = "directory")]
    fsync: Fsync,
    /// End with exit code 2 when something could not be kept, and wait up to 10 s for the disk instead of 250 ms
    #[arg(long = "spool-required", requires = "directory")]
    is_required: bool,
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
    /// Opens the spool that was asked for. One that cannot be opened keeps nothing, and is an error only when it is
    /// required.
    pub(super) fn open(&self) -> Result<Keeper, Failed> {
        let Some(directory) = &self.directory else { return Ok(Keeper::default()) };
        let mut options = SpoolOptions { fsync: self.fsync.into(), ..SpoolOptions::default() };
        if self.is_required {
            options.deadline = REQUIRED_DEADLINE;
        }
        let keeper = Keeper { is_asked: true, is_required: self.is_required, ..Keeper::default() };
        match Spool::open(directory, options) {
            Ok(spool) => Ok(Keeper { spool: Some((spool, directory.clone())), ..keeper }),
            Err(error) if self.is_required => Err(error.into()),
            Err(error) => {
                remark(&format!("{error}; unknown failures are answered with `\"spooled\":false`"));
                Ok(keeper)
            }
        }
    }
}

/// Keeps what no rule knows, where that was asked for.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    spool: Option<(Spool, PathBuf)>,
    is_asked: bool,
    is_required: bool,
    unknown: AtomicU64,
    not_kept: AtomicU64,
}

impl Keeper {
    /// The decision, with whether its failure is kept.
    pub(super) fn keep<'s>(&self, set: &RuleSet, failure: &Failure<'_>, decision: Decision<'s>) -> Decision<'s> {
        if decision.unknown_reason.is_none() {
            return decision;
        }
        self.answered(decision, |spool, decision| spool.keep(set, failure, decision))
    }

    /// The decision, with whether the record that could not be read is kept.
    pub(super) fn keep_unreadable<'s>(&self, set: &RuleSet, record: Raw<'_>, decision: Decision<'s>) -> Decision<'s> {
        self.answered(decision, |spool, decision| spool.keep_unreadable(set, record.bytes(), decision))
    }

    fn answered<'s>(
        &self,
        mut decision: Decision<'s>,
        keep: impl FnOnce(&Spool, &Decision<'s>) -> bool,
    ) -> Decision<'s> {
        if self.is_asked {
            let is_kept = self.spool.as_ref().is_some_and(|(spool, _)| keep(spool, &decision));
            self.unknown.fetch_add(1, Ordering::Relaxed);
            self.not_kept.fetch_add(u64::from(!is_kept), Ordering::Relaxed);
            decision.spooled = Some(is_kept);
        }
        decision
    }

    /// Writes what is left, and says what could not be kept; an error when everything had to be.
    pub(super) fn conclude(&self) -> Result<(), Failed> {
        let Some((spool, directory)) = &self.spool else { return Ok(()) };
        let is_written = spool.close();
        let (unknown, not_kept) = (self.unknown.load(Ordering::Relaxed), self.not_kept.load(Ordering::Relaxed));
        if not_kept == 0 && (is_written || unknown == 0) {
            return Ok(());
        }
        let fault = spool.status().fault.unwrap_or_else(|| "the disk did not answer in time".to_owned());
        let since = if is_written { "; they are counted now" } else { "" };
        let directory = directory.display();
        let message = if not_kept == 0 {
            // They are written, and that is what was answered.
            format!("the last unknown failures in the spool `{directory}` are not durable: {fault}")
        } else {
            format!(
                "{not_kept} of {unknown} unknown failures could not be spooled in `{directory}` in time: {fault}{since}"
            )
        };
        if self.is_required {
            return Err(Error::new(ErrorKind::Io, message).into());
        }
        remark(&message);
        Ok(())
    }
}
