//! Keeps what no rule knows, where that was asked for, and counts what could not be kept.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::model::{Decision, Failure};
use crate::ruleset::RuleSet;

use super::{Spool, SpoolOptions};

/// A spool, where one was asked for. Without one decisions say nothing of it.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    spool: Option<(Spool, PathBuf)>,
    is_asked: bool,
    unknown: AtomicU64,
    not_kept: AtomicU64,
}

impl Keeper {
    /// Opens a spool.
    pub(crate) fn open(directory: &Path, options: SpoolOptions) -> Result<Self, Error> {
        let spool = Spool::open(directory, options)?;
        Ok(Self { spool: Some((spool, directory.to_owned())), ..Self::broken() })
    }

    /// Keeps nothing, and says so in every decision.
    pub(crate) fn broken() -> Self {
        Self { is_asked: true, ..Self::default() }
    }

    /// The decision, with whether its failure is kept.
    pub(crate) fn keep<'s>(&self, set: &RuleSet, failure: &Failure<'_>, decision: Decision<'s>) -> Decision<'s> {
        if decision.unknown_reason.is_none() {
            return decision;
        }
        self.answered(decision, |spool, decision| spool.keep(set, failure, decision))
    }

    /// The decision, with whether the record that could not be read is kept.
    pub(crate) fn keep_unreadable<'s>(&self, set: &RuleSet, record: &[u8], decision: Decision<'s>) -> Decision<'s> {
        self.answered(decision, |spool, decision| spool.keep_unreadable(set, record, decision))
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

    /// Writes what is left; what could not be kept, in one line.
    pub(crate) fn conclude(&self) -> Result<(), String> {
        let Some((spool, directory)) = &self.spool else { return Ok(()) };
        let is_written = spool.close();
        let (unknown, not_kept) = (self.unknown.load(Ordering::Relaxed), self.not_kept.load(Ordering::Relaxed));
        if not_kept == 0 && (is_written || unknown == 0) {
            return Ok(());
        }
        let fault = spool.status().fault.unwrap_or_else(|| "the disk did not answer in time".to_owned());
        let since = if is_written { "; they are counted now" } else { "" };
        let directory = directory.display();
        Err(if not_kept == 0 {
            // They are written, and that is what was answered.
            format!("the last unknown failures in the spool `{directory}` are not durable: {fault}")
        } else {
            format!(
                "{not_kept} of {unknown} unknown failures could not be spooled in `{directory}` in time: {fault}{since}"
            )
        })
    }

    /// How the spool is doing; none when there is none.
    pub(crate) fn status(&self) -> Option<super::SpoolStatus> {
        self.spool.as_ref().map(|(spool, _)| spool.status())
    }
}
