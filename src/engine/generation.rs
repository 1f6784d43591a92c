//! One set of rules in force, with its number and what it is counted by.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::diagnostic::Report;
use crate::input::json::{Record, read_guarded};
use crate::model::{Decision, Failure};
use crate::ruleset::RuleSet;

use super::counters::{Counters, Unknowns};

/// One set of rules in force. Whoever holds it goes on with it, whatever is loaded meanwhile.
#[derive(Debug)]
pub struct Generation {
    pub(super) number: u64,
    pub(super) set: RuleSet,
    pub(super) report: Report,
    pub(super) since: SystemTime,
    /// For each rule, how often it won; shared with other generations that have it.
    hits: Vec<Arc<AtomicU64>>,
    unknowns: Arc<Unknowns>,
}

impl Generation {
    pub(super) fn new(number: u64, (set, report): (RuleSet, Report), since: SystemTime, counters: &Counters) -> Self {
        Self { number, hits: counters.of_rules(set.rules()), unknowns: counters.unknowns(), set, report, since }
    }

    /// Its number: 1 for the set that the engine started with, one more for each set with another digest.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The rules themselves.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.set
    }

    /// Warnings and notes of its load.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// When it was taken into use.
    #[must_use]
    pub fn since(&self) -> SystemTime {
        self.since
    }

    /// Says what a failure is, and counts it. Cannot fail: also a fault of the engine itself gives the fallback, with
    /// the reason `unreadable`.
    #[must_use]
    pub fn classify(&self, failure: &Failure<'_>) -> Decision<'_> {
        // A fault of the engine must cost one answer its code, not a connector its answers.
        match catch_unwind(AssertUnwindSafe(|| self.set.classify_by(failure))) {
            Ok((decision, Some(rule))) => {
                if let Some(hits) = self.hits.get(rule) {
                    hits.fetch_add(1, Ordering::Relaxed);
                }
                decision
            }
            Ok((decision, None)) => self.counted(decision),
            Err(_) => self.unreadable("internal error; please report the record"),
        }
    }

    /// Reads one failure in our own JSON, as [`read_record`](crate::read_record) does, and says what it is. A record that
    /// cannot be read gives the fallback with the reason `unreadable` and an error. Written with
    /// [`json_line`](crate::render::json_line) the decision is what the command line answers, byte by byte.
    #[must_use]
    pub fn classify_record(&self, record: &[u8]) -> Decision<'_> {
        match read_guarded(record) {
            Ok(Record { failure, notes }) => self.set.noted(self.classify(&failure), notes),
            Err(error) => self.unreadable_record(error, record),
        }
    }

    /// The decision on a record that could not be read; counted as well.
    pub(crate) fn unreadable_record(&self, error: impl Into<String>, record: &[u8]) -> Decision<'_> {
        self.counted(self.set.unreadable_record(error, record))
    }

    /// The decision on a record that could not be read as a failure; counted as well.
    #[must_use]
    pub fn unreadable(&self, error: impl Into<String>) -> Decision<'_> {
        self.counted(self.set.unreadable(error))
    }

    fn counted<'d>(&self, decision: Decision<'d>) -> Decision<'d> {
        if let Some(reason) = decision.unknown_reason {
            self.unknowns.count(reason);
        }
        decision
    }
}
