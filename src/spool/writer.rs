//! The one thread that writes: takes what has changed, appends it, makes it durable, and only then says so.
//!
//! Whoever keeps a failure counts it in memory and takes a ticket; the writer settles all tickets of a batch at once.
//! While it is busy, failures gather in the table, whose size is bounded, so that there is no queue that could be
//! full. After a fault the counts stay in memory and are written as soon as that works again.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::directory::Directory;
use super::entry::Entry;
use super::segment::{self, Segment};
use super::table::{Changes, Table};
use super::timestamp::Timestamp;
use super::{Fsync, SpoolOptions};

/// Time between what is written and when it is made durable, with [`Fsync::Interval`].
pub(super) const INTERVAL: Duration = Duration::from_millis(500);
/// Time before the first further attempt after a fault; it doubles with each one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest time between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What callers and the writer share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Rung when there is something to write.
    work: Condvar,
    /// Rung when tickets were settled.
    settled: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) table: Table,
    /// The last ticket that was given out.
    pub(super) ticket: u64,
    /// The last ticket that is written (durable, with [`Fsync::Always`]).
    pub(super) kept: u64,
    /// The last ticket that the writer has tried.
    pub(super) tried: u64,
    /// Whether the writer has taken longer than somebody could wait, and has not come back since.
    pub(super) is_stalled: bool,
    /// Whether the writer waits for work.
    is_idle: bool,
    life: Life,
    pub(super) report: Report,
}

/// How far the life of a spool has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    /// The writer is asked to write what is left.
    Closing,
    /// The writer has ended.
    Closed,
}

/// What the writer tells about itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Report {
    /// Why the last attempt failed; none once one has worked.
    pub(super) fault: Option<String>,
    pub(super) faults: u64,
    pub(super) suspect: u64,
    pub(super) replaced: u64,
    pub(super) segment: u64,
}

impl Shared {
    pub(super) fn new(table: Table) -> Self {
        let state = State {
            table,
            ticket: 0,
            kept: 0,
            tried: 0,
            is_stalled: false,
            is_idle: false,
            life: Life::Open,
            report: Report::default(),
        };
        Self { state: Mutex::new(state), work: Condvar::new(), settled: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked has counted or not counted one failure; the table holds together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until what was counted before is written; whether it is. At most that long, and not at all while the
    /// writer is known to be in trouble.
    pub(super) fn settle(&self, mut state: MutexGuard<'_, State>, longest: Duration) -> bool {
        state.ticket += 1;
        let ticket = state.ticket;
        if state.is_idle {
            state.is_idle = false;
            self.work.notify_one();
        }
        if state.is_stalled || state.report.fault.is_some() || state.life == Life::Closed {
            return false;
        }
        let end = Instant::now() + longest;
        loop {
            if state.tried >= ticket || state.life == Life::Closed {
                return state.kept >= ticket;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.is_stalled = true;
                return false;
            }
            state = self.settled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks the writer to write what is left and to end; whether it has ended in that time.
    pub(super) fn close(&self, longest: Duration) -> bool {
        let mut state = self.lock();
        if state.life == Life::Open {
            state.life = Life::Closing;
        }
        self.work.notify_one();
        let end = Instant::now() + longest;
        while state.life != Life::Closed {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.settled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.life == Life::Closed
    }
}

/// The writer.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    directory: Directory,
    options: SpoolOptions,
    segment: Option<Segment>,
    /// When the first bytes were written that are not durable yet.
    unsynced: Option<Instant>,
    pause: Duration,
    buffer: Vec<u8>,
    /// Files whose lines may be lost: an `fsync` failed, or somebody has replaced them.
    untrusted: Vec<u64>,
}

/// Marks the end of the writer for those who wait, however it ends.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.lock().life = Life::Closed;
        self.0.settled.notify_all();
    }
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        directory: Directory,
        options: SpoolOptions,
        segment: Option<Segment>,
    ) -> Self {
        let (pause, buffer, untrusted) = (FIRST_PAUSE, Vec::new(), Vec::new());
        Self { shared, directory, options, segment, unsynced: None, pause, buffer, untrusted }
    }

    /// Begins a file where there is none to go on with.
    pub(super) fn start(&mut self) -> io::Result<()> {
        if self.segment.is_none() || self.shared.lock().table.needs_snapshot() {
            self.rotate().1?;
        }
        self.shared.lock().report.segment = self.segment.as_ref().map_or(0, Segment::number);
        Ok(())
    }

    /// Writes until the spool is closed.
    pub(super) fn run(mut self) {
        let _end = End(Arc::clone(&self.shared));
        let mut again = None;
        loop {
            let is_last = self.wait(again);
            let is_due = is_last || self.unsynced.is_some_and(|since| since.elapsed() >= INTERVAL);
            let (ticket, done) = self.commit(is_due);
            let mut state = self.shared.lock();
            state.tried = ticket;
            state.is_stalled = false;
            match done {
                Ok(()) => {
                    state.kept = ticket;
                    state.report.fault = None;
                    state.report.segment = self.segment.as_ref().map_or(0, Segment::number);
                    (again, self.pause) = (None, FIRST_PAUSE);
                }
                Err(error) => {
                    state.report.fault = Some(error.to_string());
                    state.report.faults += 1;
                    again = Some(Instant::now() + self.pause);
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                }
            }
            drop(state);
            self.shared.settled.notify_all();
            if is_last {
                break;
            }
        }
    }

    /// Waits for something to write, for the time to make it durable, or for the time of the next attempt. Whether it
    /// is the last time.
    fn wait(&self, again: Option<Instant>) -> bool {
        let mut state = self.shared.lock();
        loop {
            if state.life != Life::Open {
                return true;
            }
            let now = Instant::now();
            let sync_at = self.unsynced.map(|since| since + INTERVAL);
            let has_work = again.is_some() || state.table.has_changes() || state.table.needs_snapshot();
            let work_at = has_work.then(|| again.unwrap_or(now));
            let next = [sync_at, work_at].into_iter().flatten().min();
            let left = next.map(|next| next.saturating_duration_since(now));
            if left.is_some_and(|left| left.is_zero()) {
                state.is_idle = false;
                return false;
            }
            state.is_idle = again.is_none();
            state = match left {
                Some(left) => self.shared.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.shared.work.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Writes what has changed, and makes it durable where that is due. The last ticket that this is about.
    fn commit(&mut self, is_due: bool) -> (u64, io::Result<()>) {
        let must_sync = match self.options.fsync {
            Fsync::Always => true,
            Fsync::Interval => is_due,
            Fsync::Os => false,
        };
        let mut state = self.shared.lock();
        let ticket = state.ticket;
        if self.segment.is_none() || state.table.needs_snapshot() {
            drop(state);
            return self.rotate();
        }
        let changes = state.table.changes();
        drop(state);
        let done = self.append(&changes, must_sync);
        let Some(segment) = self.segment.as_ref().filter(|_| done.is_ok()) else {
            self.shared.lock().table.not_written(&changes);
            return match done {
                Err(Some(error)) => (ticket, Err(error)),
                // Full, or not to be trusted any more: a new file takes over with everything that is in memory.
                _ => self.rotate(),
            };
        };
        self.shared.lock().table.written(&changes, segment.number());
        // Whoever took the file away meanwhile took the lines with it.
        if segment.is_in_place() {
            return (ticket, Ok(()));
        }
        self.untrusted.extend(self.segment.take().map(|segment| segment.number()));
        self.shared.lock().report.replaced += 1;
        self.rotate()
    }

    /// Appends changes to the file; no error when it is the file that cannot go on.
    fn append(&mut self, changes: &Changes, must_sync: bool) -> Result<(), Option<io::Error>> {
        self.buffer.clear();
        changes.encode(&mut self.buffer);
        let Some(segment) = &mut self.segment else { return Err(None) };
        if segment.len() + self.buffer.len() as u64 > self.options.segment_bytes {
            return Err(None);
        }
        if let Err(broken) = segment.append(&self.buffer) {
            if !broken.is_usable {
                self.segment = None;
            }
            // Another file may well have room.
            let is_full = broken.error.kind() == io::ErrorKind::FileTooLarge;
            return Err((!is_full).then_some(broken.error));
        }
        if !self.buffer.is_empty() {
            self.unsynced.get_or_insert_with(Instant::now);
        }
        self.buffer.shrink_to(1024 * 1024);
        if must_sync && self.unsynced.is_some() {
            // What a failed call has lost, a further one would not say.
            if segment.sync().is_err() {
                self.seal();
                return Err(None);
            }
            self.unsynced = None;
        } else if self.options.fsync == Fsync::Os {
            self.unsynced = None;
        }
        Ok(())
    }

    /// Begins a new file with a snapshot of everything that is in memory; drops the oldest files for it.
    fn rotate(&mut self) -> (u64, io::Result<()>) {
        if self.options.fsync != Fsync::Os && self.segment.as_ref().is_some_and(|segment| segment.sync().is_err()) {
            self.seal();
        }
        self.segment = None;
        self.unsynced = None;
        let numbers = match self.make_room() {
            Ok(numbers) => numbers,
            Err(error) => return (self.shared.lock().ticket, Err(error)),
        };
        self.untrusted.retain(|number| numbers.contains(number));
        let trusted: Vec<u64> = numbers.iter().copied().filter(|number| !self.untrusted.contains(number)).collect();
        let number = numbers.last().map_or(1, |last| last.saturating_add(1));
        let mut state = self.shared.lock();
        state.table.keep_specimens_in(&trusted);
        let (ticket, snapshot) = (state.ticket, state.table.snapshot());
        drop(state);
        self.buffer.clear();
        Entry::Segment { number, at: Timestamp::now() }.write(&mut self.buffer);
        snapshot.encode(&mut self.buffer);
        let begun = self.begin(number);
        self.buffer = Vec::new();
        let mut state = self.shared.lock();
        let done = match begun {
            Ok(segment) => {
                state.table.written(&snapshot, number);
                self.segment = Some(segment);
                Ok(())
            }
            Err(error) => {
                state.table.not_written(&snapshot);
                Err(error)
            }
        };
        (ticket, done)
    }

    /// Seals the file after a failed `fsync`: what is in memory of it goes into a new one.
    fn seal(&mut self) {
        self.untrusted.extend(self.segment.take().map(|segment| segment.number()));
        self.shared.lock().report.suspect += 1;
    }

    /// Drops the oldest files until there is room for a new one; the numbers of those that are left.
    fn make_room(&mut self) -> io::Result<Vec<u64>> {
        self.directory.restore()?;
        let mut numbers = self.directory.segments()?;
        let excess = (numbers.len() + 1).saturating_sub(self.options.segments);
        for number in numbers.drain(..excess) {
            segment::remove(&self.directory.segment(number))?;
        }
        Ok(numbers)
    }

    /// Creates a file with what is in the buffer; nothing is left of it when that fails.
    fn begin(&self, number: u64) -> io::Result<Segment> {
        let path = self.directory.segment(number);
        let mut segment = Segment::create(path.clone(), number)?;
        let written = segment.append(&self.buffer).map_err(|broken| broken.error).and_then(|()| {
            if self.options.fsync == Fsync::Os {
                return Ok(());
            }
            segment.sync()?;
            self.directory.sync()
        });
        match written {
            Ok(()) => Ok(segment),
            Err(error) => {
                let _ = segment::remove(&path);
                Err(error)
            }
        }
    }
}
