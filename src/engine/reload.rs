//! Loading rules while connectors go on asking: one load at a time, and a true answer for everybody who asks for one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::diagnostic::{Diagnostic, Report, Source, Sources, Span, lints};
use crate::error::Error;
use crate::ruleset::{Rejected, RuleSet};

use super::changes::Changes;
use super::generation::Generation;
use super::settle::{Seen, World};

/// How a load ended.
#[derive(Debug, Clone)]
pub enum ReloadOutcome {
    /// The new set is in force.
    Swapped {
        /// Its number.
        generation: u64,
        /// Its digest.
        ruleset: String,
        /// What it changes.
        changes: Arc<Changes>,
    },
    /// The rules decide as before: their digest is the same. Texts that decide nothing may have changed; the engine has
    /// the new ones.
    Unchanged {
        /// Number of the set in force.
        generation: u64,
        /// Its digest.
        ruleset: String,
    },
    /// The rules were refused, the set in force stays.
    Rejected(Arc<Rejected>),
}

impl ReloadOutcome {
    /// `swapped`, `unchanged` or `rejected`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Swapped { .. } => "swapped",
            Self::Unchanged { .. } => "unchanged",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// What only the one load that is under way needs.
#[derive(Debug, Default)]
pub(super) struct Loader {
    /// The last request that the last load answers: it had come before the load began.
    pub(super) covers: u64,
    /// Sets out of force that somebody may still hold; freed by the loader, not by who answers failures.
    pub(super) retired: Vec<Arc<Generation>>,
}

impl Loader {
    /// Frees the sets that nobody else holds; how many are still held.
    pub(super) fn reap(&mut self) -> usize {
        self.retired.retain(|generation| Arc::strong_count(generation) > 1);
        self.retired.len()
    }
}

/// The files of a directory, and real time.
pub(super) struct Files<'d> {
    pub(super) directory: &'d Path,
    pub(super) start: Instant,
}

impl World for Files<'_> {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn look(&mut self) -> Seen {
        look(self.directory)
    }
}

/// Reads a directory; that it cannot be read is a finding.
pub(super) fn look(directory: &Path) -> Seen {
    let read = catch_unwind(AssertUnwindSafe(|| RuleSet::discover(directory)));
    let sources = match read {
        Ok(Ok(sources)) => sources,
        Ok(Err(error)) => unreadable(directory, &error),
        Err(_) => refused(directory, "internal error while the rules were read; please report the rules".to_owned()),
    };
    Seen::new(sources)
}

fn unreadable(directory: &Path, error: &Error) -> Sources {
    refused(directory, error.to_string())
}

/// Sources with nothing but the reason why there are none.
fn refused(directory: &Path, why: String) -> Sources {
    let mut sources = Sources::default().with_root(directory.display().to_string());
    let source = sources.push(Source { name: ".".to_owned(), text: String::new(), is_refused: true });
    sources.add_finding(
        Diagnostic::new(lints::UNREADABLE_FILE, Span::start_of(source), why).help("Bring the rules directory back."),
    );
    sources
}

/// Proves a set that is to take the place of `before`. A fault of ours refuses the set, and nothing else.
pub(super) fn prove(sources: Sources, before: Option<&RuleSet>) -> Result<(RuleSet, Report), Rejected> {
    let root = sources.root().to_owned();
    let load = || match before {
        Some(before) => before.load_next(sources),
        None => RuleSet::load(sources),
    };
    catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|_| {
        let why = "internal error while the rules were loaded; please report the rules".to_owned();
        let sources = refused(Path::new(&root), why);
        let findings = sources.findings().to_vec();
        Err(Rejected::new(Report::new(sources, findings)))
    })
}
