//! The shapes in memory: exact counts, and what of them has to be written. Bounded, however many shapes there are.
//!
//! Knows neither files nor threads; time is passed in.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::entry::{Entry, Seen};
use super::fingerprint::Fingerprint;
use super::timestamp::Timestamp;

/// Milliseconds after which a shape that was not seen makes room for others, when there are too many.
const STALE_MS: u64 = 60 * 60 * 1000;
/// Milliseconds between two searches for such shapes.
const SEARCH_MS: u64 = 60 * 1000;

/// How much the table holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Shapes.
    pub(super) shapes: usize,
    /// Bytes of all specimens in memory.
    pub(super) specimen_bytes: usize,
}

/// The shapes.
#[derive(Debug)]
pub(super) struct Table {
    bounds: Bounds,
    shapes: HashMap<Fingerprint, Shape, foldhash::fast::RandomState>,
    /// Failures of shapes that have no room.
    overflow: Option<Seen>,
    overflow_is_new: bool,
    /// Shapes whose count is not written yet.
    changed: Vec<Fingerprint>,
    /// Shapes with a specimen in memory, the oldest first.
    specimens: VecDeque<Fingerprint>,
    specimen_bytes: usize,
    searched: Option<Timestamp>,
    /// Whether shapes were taken out, which only a new snapshot tells.
    folded: bool,
}

#[derive(Debug)]
struct Shape {
    seen: Seen,
    outline: Arc<str>,
    /// The specimen, as long as it is in memory.
    specimen: Option<Arc<str>>,
    /// The newest file that holds a specimen; 0 for none.
    specimen_in: u64,
    /// Whether the newest file has a line with the outline.
    is_outlined: bool,
    is_changed: bool,
}

/// What a failure is to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Counted.
    Counted,
    /// Counted; a specimen of it is wanted.
    WithoutSpecimen,
    /// Not counted: to be added with its outline.
    New,
}

/// What has to be written, as it was at one moment.
#[derive(Debug, Default)]
pub(super) struct Changes {
    shapes: Vec<Change>,
    overflow: Option<Seen>,
    /// Whether these are all shapes there are.
    is_snapshot: bool,
}

#[derive(Debug)]
struct Change {
    fingerprint: Fingerprint,
    seen: Seen,
    outline: Option<Arc<str>>,
    specimen: Option<Arc<str>>,
}

impl Changes {
    /// The lines.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for change in &self.shapes {
            let Change { fingerprint, seen, .. } = *change;
            match &change.outline {
                Some(outline) => {
                    let specimen = change.specimen.as_deref();
                    Entry::Shape { fingerprint, seen, outline, specimen }.write(out);
                }
                None => Entry::Count { fingerprint, count: seen.count, last: seen.last }.write(out),
            }
        }
        if self.is_snapshot {
            Entry::Checkpoint { shapes: self.shapes.len() as u64, overflow: self.overflow }.write(out);
        } else if let Some(seen) = self.overflow {
            Entry::Overflow { seen }.write(out);
        }
    }
}

impl Table {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            shapes: HashMap::default(),
            overflow: None,
            overflow_is_new: false,
            changed: Vec::new(),
            specimens: VecDeque::new(),
            specimen_bytes: 0,
            searched: None,
            folded: false,
        }
    }

    /// Takes over a shape that stands in a file.
    pub(super) fn restore(
        &mut self,
        fingerprint: Fingerprint,
        seen: Seen,
        outline: &str,
        specimen: Option<(u64, &str)>,
    ) {
        let shape = Shape {
            seen,
            outline: outline.into(),
            specimen: None,
            specimen_in: specimen.map_or(0, |(file, _)| file),
            is_outlined: false,
            is_changed: false,
        };
        self.shapes.insert(fingerprint, shape);
        if let Some((_, specimen)) = specimen {
            self.describe(fingerprint, specimen.into());
        }
    }

    /// Takes over what belongs to no shape.
    pub(super) fn restore_overflow(&mut self, seen: Option<Seen>) {
        if let Some(seen) = seen {
            add(&mut self.overflow, seen);
        }
    }

    /// Counts a shape that stands in a file, but has no room, as overflow.
    pub(super) fn fold_away(&mut self, seen: Seen) {
        add(&mut self.overflow, seen);
        self.folded = true;
    }

    /// Counts a failure, when its shape is known or there is no room for it.
    pub(super) fn count(&mut self, fingerprint: Fingerprint, at: Timestamp) -> Known {
        if let Some(shape) = self.shapes.get_mut(&fingerprint) {
            shape.seen.again(at);
            if !shape.is_changed {
                shape.is_changed = true;
                self.changed.push(fingerprint);
            }
            let has_specimen = shape.specimen.is_some() || shape.specimen_in > 0;
            return if has_specimen { Known::Counted } else { Known::WithoutSpecimen };
        }
        if self.shapes.len() >= self.bounds.shapes {
            self.fold(at);
        }
        if self.shapes.len() < self.bounds.shapes {
            return Known::New;
        }
        self.count_overflow(at);
        Known::Counted
    }

    /// Counts a failure without a shape of its own.
    pub(super) fn count_overflow(&mut self, at: Timestamp) {
        add(&mut self.overflow, Seen::once(at));
        self.overflow_is_new = true;
    }

    /// Adds a shape that was not known, and counts it.
    pub(super) fn add(&mut self, fingerprint: Fingerprint, outline: Arc<str>, specimen: Arc<str>, at: Timestamp) {
        // Another thread may have been faster.
        match self.count(fingerprint, at) {
            Known::Counted => return,
            Known::WithoutSpecimen => {}
            Known::New => {
                let shape = Shape {
                    seen: Seen::once(at),
                    outline,
                    specimen: None,
                    specimen_in: 0,
                    is_outlined: false,
                    is_changed: true,
                };
                self.shapes.insert(fingerprint, shape);
                self.changed.push(fingerprint);
            }
        }
        self.describe(fingerprint, specimen);
    }

    /// Gives a shape its specimen, when there is room for it.
    pub(super) fn describe(&mut self, fingerprint: Fingerprint, specimen: Arc<str>) {
        while self.specimen_bytes + specimen.len() > self.bounds.specimen_bytes {
            // Only what stands in a file is forgotten.
            let Some(&oldest) = self.specimens.front() else { return };
            let Some(shape) = self.shapes.get_mut(&oldest) else {
                self.specimens.pop_front();
                continue;
            };
            if shape.specimen_in == 0 {
                return;
            }
            self.specimens.pop_front();
            self.specimen_bytes -= shape.specimen.take().map_or(0, |specimen| specimen.len());
        }
        let Some(shape) = self.shapes.get_mut(&fingerprint) else { return };
        if shape.specimen.is_none() {
            self.specimen_bytes += specimen.len();
            self.specimens.push_back(fingerprint);
            shape.specimen = Some(specimen);
        }
    }

    /// Whether something has to be written.
    pub(super) fn has_changes(&self) -> bool {
        !self.changed.is_empty() || self.overflow_is_new
    }

    /// Whether only a snapshot tells what has changed.
    pub(super) fn needs_snapshot(&self) -> bool {
        self.folded
    }

    /// What has changed since it was asked for last.
    pub(super) fn changes(&mut self) -> Changes {
        let mut changes = Changes { overflow: self.overflow.filter(|_| self.overflow_is_new), ..Changes::default() };
        self.overflow_is_new = false;
        for fingerprint in std::mem::take(&mut self.changed) {
            let Some(shape) = self.shapes.get_mut(&fingerprint) else { continue };
            shape.is_changed = false;
            let specimen = shape.specimen.clone().filter(|_| shape.specimen_in == 0);
            let is_full = specimen.is_some() || !shape.is_outlined;
            let outline = is_full.then(|| shape.outline.clone());
            changes.shapes.push(Change { fingerprint, seen: shape.seen, outline, specimen });
        }
        changes
    }

    /// All shapes, with the specimens that are in memory.
    pub(super) fn snapshot(&mut self) -> Changes {
        self.changed.clear();
        self.overflow_is_new = false;
        self.folded = false;
        let change = |(&fingerprint, shape): (&Fingerprint, &mut Shape)| {
            shape.is_changed = false;
            Change {
                fingerprint,
                seen: shape.seen,
                outline: Some(shape.outline.clone()),
                specimen: shape.specimen.clone(),
            }
        };
        let mut shapes: Vec<Change> = self.shapes.iter_mut().map(change).collect();
        shapes.sort_by_key(|change| change.seen.last);
        Changes { shapes, overflow: self.overflow, is_snapshot: true }
    }

    /// The changes stand in a file.
    pub(super) fn written(&mut self, changes: &Changes, file: u64) {
        for change in &changes.shapes {
            let Some(shape) = self.shapes.get_mut(&change.fingerprint) else { continue };
            shape.is_outlined |= change.outline.is_some();
            if change.specimen.is_some() {
                shape.specimen_in = file;
            }
        }
    }

    /// The changes could not be written, and are changes still.
    pub(super) fn not_written(&mut self, changes: &Changes) {
        self.overflow_is_new |= changes.overflow.is_some();
        self.folded |= changes.is_snapshot;
        for change in &changes.shapes {
            if let Some(shape) = self.shapes.get_mut(&change.fingerprint)
                && !shape.is_changed
            {
                shape.is_changed = true;
                self.changed.push(change.fingerprint);
            }
        }
    }

    /// Only these files are left: specimens in others are lost. Those in memory are part of the next snapshot, the
    /// others are wanted again.
    pub(super) fn keep_specimens_in(&mut self, files: &[u64]) {
        for shape in self.shapes.values_mut() {
            if !files.contains(&shape.specimen_in) {
                shape.specimen_in = 0;
            }
        }
    }

    /// How many shapes there are, and how many failures belong to none.
    pub(super) fn len(&self) -> (usize, u64) {
        (self.shapes.len(), self.overflow.map_or(0, |seen| seen.count))
    }

    /// Makes room by counting the shapes as overflow that were not seen for long, the rarest first.
    fn fold(&mut self, at: Timestamp) {
        if self.searched.is_some_and(|searched| at.since(searched) < SEARCH_MS && searched <= at) {
            return;
        }
        self.searched = Some(at);
        let mut stale: Vec<(u64, Timestamp, Fingerprint)> = self
            .shapes
            .iter()
            .filter(|(_, shape)| at.since(shape.seen.last) > STALE_MS)
            .map(|(&fingerprint, shape)| (shape.seen.count, shape.seen.last, fingerprint))
            .collect();
        stale.sort_unstable();
        stale.truncate(self.bounds.shapes.div_ceil(4));
        for (_, _, fingerprint) in stale {
            let Some(shape) = self.shapes.remove(&fingerprint) else { continue };
            self.specimen_bytes -= shape.specimen.map_or(0, |specimen| specimen.len());
            self.fold_away(shape.seen);
        }
        self.specimens.retain(|fingerprint| self.shapes.contains_key(fingerprint));
    }
}

fn add(total: &mut Option<Seen>, seen: Seen) {
    match total {
        Some(total) => total.add(seen),
        None => *total = Some(seen),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{Bounds, Fingerprint, Known, Table, Timestamp};

    fn at(seconds: u64) -> Timestamp {
        (UNIX_EPOCH + Duration::from_secs(seconds)).into()
    }

    fn shape(number: u32) -> Fingerprint {
        format!("{number:032x}").parse().unwrap()
    }

    fn keep(table: &mut Table, number: u32, seconds: u64) -> Known {
        let known = table.count(shape(number), at(seconds));
        if known == Known::New {
            table.add(shape(number), "{}".into(), "{\"message\":\"0123456789\"}".into(), at(seconds));
        }
        known
    }

    fn total(table: &Table) -> u64 {
        table.shapes.values().map(|shape| shape.seen.count).sum::<u64>() + table.len().1
    }

    #[test]
    fn rare_shapes_make_room_when_they_were_not_seen_for_an_hour() {
        let mut table = Table::new(Bounds { shapes: 8, specimen_bytes: 1_000 });
        for number in 0..8 {
            assert_eq!(keep(&mut table, number, 0), Known::New);
        }
        keep(&mut table, 0, 1);
        keep(&mut table, 7, 3_000);
        // Full, and none is stale.
        assert_eq!(keep(&mut table, 100, 3_599), Known::Counted);
        assert!(!table.needs_snapshot());
        assert_eq!(table.len(), (8, 1));
        // A quarter makes room, the rarest first; `0` has two and `7` is fresh.
        assert_eq!(keep(&mut table, 101, 3_700), Known::New);
        assert!(table.needs_snapshot());
        assert_eq!(table.len(), (7, 3));
        assert!(table.shapes.contains_key(&shape(0)) && table.shapes.contains_key(&shape(7)));
        assert_eq!(total(&table), 12);
        let snapshot = table.snapshot();
        assert_eq!((snapshot.shapes.len(), snapshot.overflow.map(|seen| seen.count)), (7, Some(3)));
        assert!(!table.needs_snapshot() && !table.has_changes());
        table.not_written(&snapshot);
        assert!(table.needs_snapshot() && table.has_changes());
    }

    #[test]
    fn specimens_take_bounded_memory() {
        let mut table = Table::new(Bounds { shapes: 100, specimen_bytes: 100 });
        for number in 0..10 {
            keep(&mut table, number, 0);
        }
        // Four fit; none of them may be forgotten before it is written.
        assert_eq!((table.specimens.len(), table.specimen_bytes), (4, 96));
        assert_eq!(keep(&mut table, 9, 0), Known::WithoutSpecimen);
        assert_eq!(keep(&mut table, 0, 0), Known::Counted);
        let changes = table.changes();
        assert_eq!(changes.shapes.iter().filter(|change| change.specimen.is_some()).count(), 4);
        table.written(&changes, 1);
        table.describe(shape(9), "{}".into());
        table.describe(shape(8), "{\"message\":\"0123456789\"}".into());
        assert!(table.specimen_bytes <= 100 && table.shapes[&shape(8)].specimen.is_some());
        assert_eq!(keep(&mut table, 0, 0), Known::Counted);
        // Its file is dropped: another one is wanted.
        table.keep_specimens_in(&[2]);
        assert_eq!(keep(&mut table, 0, 0), Known::WithoutSpecimen);
        assert_eq!(total(&table), 14);
    }

    #[test]
    fn what_was_not_written_stays_a_change() {
        let mut table = Table::new(Bounds { shapes: 1, specimen_bytes: 100 });
        keep(&mut table, 0, 0);
        keep(&mut table, 1, 0);
        let changes = table.changes();
        assert!(!table.has_changes());
        keep(&mut table, 0, 0);
        table.not_written(&changes);
        let again = table.changes();
        assert_eq!(again.shapes.len(), 1);
        assert_eq!((again.shapes[0].seen.count, again.overflow.map(|seen| seen.count)), (2, Some(1)));
        assert!(again.shapes[0].specimen.is_some());
        table.written(&again, 1);
        keep(&mut table, 0, 0);
        assert!(table.changes().shapes[0].outline.is_none());
    }
}
