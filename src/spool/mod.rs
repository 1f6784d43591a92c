//! Unknown failures, kept on disk: each shape once, with an exact count, in files that never fill the disk.
//!
//! Keeps; never classifies. A spool is a directory that one process writes to and everybody may read.

mod directory;
mod entry;
mod fingerprint;
#[cfg(feature = "cli")]
mod keeper;
mod read;
mod segment;
mod specimen;
mod table;
mod timestamp;
mod writer;

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::model::{Decision, Failure};
use crate::ruleset::RuleSet;

use directory::Directory;
use read::Merged;
use segment::Segment;
use table::{Bounds, Known, Table};
use writer::{Shared, Writer};

#[cfg(feature = "cli")]
pub(crate) use keeper::Keeper;

pub use fingerprint::{Fingerprint, Outline};
pub use read::{Damage, Overflow, Shape, Unknowns};
pub use timestamp::Timestamp;

/// When what was written is made durable (`fsync`).
///
/// | | `true` says that the line is | a crash of the process costs | a power loss costs |
/// |---|---|---|---|
/// | `Always` | durable | nothing that was acknowledged | nothing that was acknowledged |
/// | `Interval` | written | nothing that was acknowledged | the last 500 ms, and as long as one `fsync` takes |
/// | `Os` | written | nothing that was acknowledged | what the system has not written yet, often 30 s |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fsync {
    /// Before a failure counts as kept. Failures that come at the same time share one call.
    Always,
    /// At most 500 ms after it was written.
    #[default]
    Interval,
    /// When the operating system sees fit.
    Os,
}

/// How a spool is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolOptions {
    /// When what was written is made durable.
    pub fsync: Fsync,
    /// Bytes of one file, 64 KiB to 1 GiB; 64 MiB by default.
    pub segment_bytes: u64,
    /// Files, 2 to 1,000; 4 by default. Together they never take more than `segments * segment_bytes`.
    pub segments: usize,
    /// Shapes that are told apart, at least 1; 10,000 by default, and at most one for each 4 KiB of a file. Failures of
    /// further shapes are counted together. Shapes that were not seen for an hour make room for new ones.
    pub shapes: usize,
    /// Bytes of one specimen, 1 to 64 KiB; 16 KiB by default, and at most an eighth of a file. Longer texts are cut.
    pub specimen_bytes: usize,
    /// The longest time that [`Spool::keep`] waits for the writer; 250 ms by default. Once somebody has waited that
    /// long in vain, nobody waits until the writer has come back.
    pub deadline: Duration,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self {
            fsync: Fsync::default(),
            segment_bytes: 64 * 1024 * 1024,
            segments: 4,
            shapes: 10_000,
            specimen_bytes: 16 * 1024,
            deadline: Duration::from_millis(250),
        }
    }
}

impl SpoolOptions {
    fn check(&self) -> Result<(), Error> {
        let limits = [
            ("segment_bytes", self.segment_bytes, 64 * 1024, 1024 * 1024 * 1024),
            ("segments", self.segments as u64, 2, 1_000),
            ("shapes", self.shapes as u64, 1, u64::MAX),
            ("specimen_bytes", self.specimen_bytes as u64, 1024, 64 * 1024),
        ];
        match limits.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            Some((name, value, least, most)) => Err(Error::new(
                ErrorKind::InvalidOptions,
                format!("`{name}` of a spool is {value}; give {least} to {most}"),
            )),
            None => Ok(()),
        }
    }

    /// Bytes of one specimen.
    fn specimen_bytes(&self) -> usize {
        self.specimen_bytes.min(usize::try_from(self.segment_bytes / 8).unwrap_or(usize::MAX))
    }

    /// A snapshot takes at most half of a file: a quarter for the lines, a quarter for specimens.
    fn bounds(&self) -> Bounds {
        let quarter = usize::try_from(self.segment_bytes / 4).unwrap_or(usize::MAX);
        Bounds { shapes: self.shapes.min(quarter / 1024), specimen_bytes: quarter.min(8 * 1024 * 1024) }
    }
}

/// How a spool is doing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SpoolStatus {
    /// The fsync policy.
    pub fsync: Fsync,
    /// Failures that were acknowledged since the spool was opened.
    pub kept: u64,
    /// Failures that were not. They are counted in memory and written as soon as that works.
    pub refused: u64,
    /// Shapes in memory, those of earlier runs included.
    pub shapes: usize,
    /// Failures that are counted without a shape of their own.
    pub overflow: u64,
    /// The number of the file that is written; 0 for none.
    pub segment: u64,
    /// Files that were sealed because an `fsync` failed.
    pub suspect_segments: u64,
    /// Times that the file was removed, replaced or changed by somebody else.
    pub replaced_segments: u64,
    /// Attempts to write that failed.
    pub faults: u64,
    /// Why the last attempt failed; none while all is well.
    pub fault: Option<String>,
}

/// A directory of unknown failures that this process writes to.
///
/// Counts are exact as long as the process lives, whatever happens to the disk; what `keep` has acknowledged survives
/// the process. A failure that was not acknowledged may be in the spool all the same: at least once, and counts of one
/// shape share its fingerprint.
///
/// ```
/// use faultbook::{Failure, RuleSet, Spool, SpoolOptions};
///
/// let directory = tempfile::tempdir()?;
/// let rules = RuleSet::builtin();
/// // More time than by default: this may run on a busy machine.
/// let options = SpoolOptions { deadline: std::time::Duration::from_secs(10), ..SpoolOptions::default() };
/// let spool = Spool::open(&directory, options)?;
/// for mailbox in ["anna@contoso.com", "ben@contoso.com"] {
///     let failure = Failure { message: Some(format!("The moon is in {mailbox}.").into()), ..Failure::default() };
///     let mut decision = rules.classify(&failure);
///     decision.spooled = Some(spool.keep(&rules, &failure, &decision));
///     assert_eq!(decision.spooled, Some(true));
/// }
/// spool.close();
///
/// let unknowns = Spool::shapes(&directory)?;
/// assert_eq!(unknowns.shapes[0].count, 2);
/// assert_eq!(unknowns.shapes[0].outline.message.as_deref(), Some("The moon is in <email>."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Spool {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    options: SpoolOptions,
    kept: AtomicU64,
    refused: AtomicU64,
}

/// How long closing waits for the writer.
const CLOSE: Duration = Duration::from_secs(5);

impl Spool {
    /// Opens a directory for this process alone; creates it when it is missing (0700, its files 0600).
    ///
    /// Reads what is there, so that counts go on, and writes to it: an open spool is one that worked.
    ///
    /// # Errors
    /// When an option is out of its limits, the directory cannot be created, read or written, another process (or
    /// another spool of this one) writes to it, or a later version wrote it.
    pub fn open(path: impl AsRef<Path>, options: SpoolOptions) -> Result<Self, Error> {
        options.check()?;
        let path = path.as_ref();
        let cannot = |what: &str, error| {
            Error::new(ErrorKind::Io, format!("cannot {what} the spool `{}`", path.display())).with_source(error)
        };
        let directory = Directory::open(path)?;
        let merged = read::merge(directory.path()).map_err(|error| cannot("read", error))?;
        if let Some(later) = merged.later {
            let message = format!("cannot go on with the spool `{}`: {later}; give another directory", path.display());
            return Err(Error::new(ErrorKind::Io, message));
        }
        let segment = appendable(&directory, &merged, &options);
        let shared = Arc::new(Shared::new(restored(merged, &options)));
        let mut writer = Writer::new(Arc::clone(&shared), directory, options.clone(), segment);
        writer.start().map_err(|error| cannot("write to", error))?;
        let thread = std::thread::Builder::new()
            .name("faultbook-spool".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| cannot("start the writer of", error))?;
        let (kept, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { shared, thread: Mutex::new(Some(thread)), options, kept, refused })
    }

    /// Keeps a failure that the rules do not know; whether it is kept, in the sense of the [`Fsync`] policy.
    ///
    /// What the decision is about a known code is not kept: `false`. Never panics, and waits at most for
    /// [`SpoolOptions::deadline`]. After `false` the failure may be in the spool all the same; its count is written
    /// as soon as that works.
    pub fn keep(&self, rules: &RuleSet, failure: &Failure<'_>, decision: &Decision<'_>) -> bool {
        decision.code.as_str() == rules.fallback().code.as_str()
            && self.keep_shape(
                || fingerprint::shape(rules, failure),
                || specimen::specimen(rules, failure, self.options.specimen_bytes()),
            )
    }

    /// Keeps a record that could not be read as a failure: the start of it, as a text. The shape is the reason alone.
    ///
    /// Otherwise as [`keep`](Self::keep); a decision without an `error` is not kept.
    pub fn keep_unreadable(&self, rules: &RuleSet, raw: &[u8], decision: &Decision<'_>) -> bool {
        let Some(error) = &decision.error else { return false };
        self.keep_shape(
            || fingerprint::unreadable(rules, error),
            || specimen::unreadable(rules, raw, self.options.specimen_bytes()),
        )
    }

    /// How the spool is doing.
    #[must_use]
    pub fn status(&self) -> SpoolStatus {
        let state = self.shared.lock();
        let (shapes, overflow) = state.table.len();
        let report = state.report.clone();
        SpoolStatus {
            fsync: self.options.fsync,
            kept: self.kept.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            shapes,
            overflow,
            segment: report.segment,
            suspect_segments: report.suspect,
            replaced_segments: report.replaced,
            faults: report.faults,
            fault: report.fault,
        }
    }

    /// Writes what is left, makes it durable unless the policy is [`Fsync::Os`], and gives the directory free. Waits at
    /// most 5 s; whether everything that was counted is written. Nothing is kept afterwards. Dropping does the same.
    pub fn close(&self) -> bool {
        let is_closed = self.shared.close(CLOSE);
        if is_closed {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            // It has nothing left to do but to give the directory free.
            thread.map(JoinHandle::join);
        }
        let state = self.shared.lock();
        is_closed && state.report.fault.is_none() && !state.table.has_changes()
    }

    /// Reads a spool, also while somebody writes to it.
    ///
    /// # Errors
    /// When the directory or a file of it cannot be read, or there is no spool in it. Damaged lines are no error:
    /// [`Unknowns::damage`] tells them.
    pub fn shapes(path: impl AsRef<Path>) -> Result<Unknowns, Error> {
        read::unknowns(path.as_ref())
    }

    fn keep_shape(&self, shape: impl FnOnce() -> (Fingerprint, Outline), specimen: impl FnOnce() -> String) -> bool {
        // Odd texts must cost a failure its shape at most, never the caller its answer.
        let is_kept = catch_unwind(AssertUnwindSafe(|| self.count(shape, specimen))).unwrap_or_else(|_| {
            let mut state = self.shared.lock();
            state.table.count_overflow(Timestamp::now());
            self.shared.settle(state, self.options.deadline)
        });
        let counter = if is_kept { &self.kept } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        is_kept
    }

    fn count(&self, shape: impl FnOnce() -> (Fingerprint, Outline), specimen: impl FnOnce() -> String) -> bool {
        let (fingerprint, outline) = shape();
        let at = Timestamp::now();
        let mut state = self.shared.lock();
        match state.table.count(fingerprint, at) {
            Known::Counted => {}
            Known::WithoutSpecimen => {
                drop(state);
                // Counted already: whatever happens here costs the specimen alone.
                let specimen = catch_unwind(AssertUnwindSafe(specimen));
                state = self.shared.lock();
                if let Ok(specimen) = specimen {
                    state.table.describe(fingerprint, specimen.into());
                }
            }
            Known::New => {
                drop(state);
                let (outline, specimen) = (outline.to_json(), specimen());
                state = self.shared.lock();
                state.table.add(fingerprint, outline.into(), specimen.into(), at);
            }
        }
        self.shared.settle(state, self.options.deadline)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.close();
    }
}

/// The newest file, where it may be appended to.
fn appendable(directory: &Directory, merged: &Merged, options: &SpoolOptions) -> Option<Segment> {
    let newest = merged.newest.filter(|newest| newest.is_whole && newest.len < options.segment_bytes)?;
    let path = directory.segment(newest.number);
    let is_ended = segment::ends_line(&path, newest.len).ok()?;
    let mut segment = Segment::open(path, newest.number, newest.len).ok()?;
    // A line that only lacks its end counts.
    if !is_ended {
        segment.append(b"\n").ok()?;
    }
    Some(segment)
}

/// The shapes of earlier runs, the most frequent first where there is not room for all.
fn restored(merged: Merged, options: &SpoolOptions) -> Table {
    let bounds = options.bounds();
    let mut table = Table::new(bounds);
    table.restore_overflow(merged.overflow);
    let mut shapes: Vec<_> = merged.shapes.into_iter().collect();
    shapes.sort_by_key(|(fingerprint, kept)| (Reverse(kept.seen.count), *fingerprint));
    for (_, kept) in shapes.drain(bounds.shapes.min(shapes.len())..) {
        table.fold_away(kept.seen);
    }
    // Specimens that were seen last stay in memory.
    shapes.sort_by_key(|(fingerprint, kept)| (kept.seen.last, *fingerprint));
    for (fingerprint, kept) in shapes {
        let specimen = kept.specimen.as_ref().map(|(file, specimen)| (*file, specimen.as_str()));
        table.restore(fingerprint, kept.seen, &kept.outline, specimen);
    }
    table
}
