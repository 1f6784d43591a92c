//! What the files of a spool say together. Reads while somebody writes; reports damage and reads on.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};

use super::directory;
use super::entry::{Entry, Seen, Unreadable};
use super::fingerprint::{Fingerprint, Outline};
use super::timestamp::Timestamp;

/// Bytes of a line; no line of ours is that long.
const LINE_BYTES: u64 = 1024 * 1024;
/// Times that reading begins again because a file was dropped meanwhile.
const ATTEMPTS: usize = 5;
/// Damaged places that are told apart; more are only counted.
const DAMAGES: usize = 100;

/// What a spool holds.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Unknowns {
    /// The shapes, the most frequent first.
    pub shapes: Vec<Shape>,
    /// Failures that are counted without a shape: there were too many shapes, or theirs was not seen for long.
    pub overflow: Option<Overflow>,
    /// What could not be read, at most the first 100 places. A torn last line is none: it was never acknowledged.
    pub damage: Vec<Damage>,
}

/// Unknown failures that have the same shape.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Shape {
    /// What tells the shape apart, the same in every spool and on every machine.
    pub fingerprint: Fingerprint,
    /// How many failures had the shape.
    pub count: u64,
    /// When the first of them was kept.
    pub first_seen: Timestamp,
    /// When the last of them was kept.
    pub last_seen: Timestamp,
    /// The shape in short.
    #[serde(rename = "shape")]
    pub outline: Outline,
    /// One failure of the shape as JSON, without secrets and with long texts cut; none when its file was dropped.
    #[serde(serialize_with = "json")]
    pub specimen: Option<String>,
}

/// Failures that are counted without a shape of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Overflow {
    /// How many they are.
    pub count: u64,
    /// When the first of them was kept.
    pub first_seen: Timestamp,
    /// When the last of them was kept.
    pub last_seen: Timestamp,
}

/// A place in a spool that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1 on; 0 for the file as a whole.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

/// JSON as it is.
#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn json<S: serde::Serializer>(json: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    json.as_deref().and_then(|json| serde_json::from_str::<&RawValue>(json).ok()).serialize(serializer)
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

impl Unknowns {
    /// How many failures were kept, with and without a shape of their own.
    #[must_use]
    pub fn total(&self) -> u64 {
        let overflow = self.overflow.map_or(0, |overflow| overflow.count);
        self.shapes.iter().fold(overflow, |total, shape| total.saturating_add(shape.count))
    }
}

/// A shape as the files say it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) seen: Seen,
    pub(super) outline: String,
    /// The specimen, with the number of the file that holds it.
    pub(super) specimen: Option<(u64, String)>,
}

/// The files of a spool, put together.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) shapes: HashMap<Fingerprint, Kept>,
    pub(super) overflow: Option<Seen>,
    pub(super) damage: Vec<Damage>,
    /// The newest file.
    pub(super) newest: Option<Newest>,
    /// A line that a later version wrote.
    pub(super) later: Option<Damage>,
}

/// How the newest file ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    pub(super) number: u64,
    /// Bytes up to the end of the last line that was read.
    pub(super) len: u64,
    /// Whether the file is as it was written, but for a torn last line: it may be appended to.
    pub(super) is_whole: bool,
}

/// Reads a spool.
pub(super) fn unknowns(path: &Path) -> Result<Unknowns, Error> {
    let cannot =
        |error| Error::new(ErrorKind::Io, format!("cannot read the spool `{}`", path.display())).with_source(error);
    if directory::segments(path).map_err(cannot)?.is_empty() && !directory::is_spool(path) {
        let message = format!(
            "`{}` holds no spool: give the directory of `faultbook classify --spool`, with files `unknowns-*.ndjson`",
            path.display()
        );
        return Err(Error::new(ErrorKind::Io, message));
    }
    let merged = merge(path).map_err(cannot)?;
    let mut damage = merged.damage;
    let mut shapes: Vec<Shape> = merged
        .shapes
        .into_iter()
        .map(|(fingerprint, kept)| Shape {
            fingerprint,
            count: kept.seen.count,
            first_seen: kept.seen.first,
            last_seen: kept.seen.last,
            outline: serde_json::from_str(&kept.outline).unwrap_or_default(),
            specimen: kept.specimen.map(|(_, specimen)| specimen),
        })
        .collect();
    // The most frequent first, then the latest.
    shapes.sort_by_key(|shape| (std::cmp::Reverse((shape.count, shape.last_seen)), shape.fingerprint));
    damage.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    let overflow =
        merged.overflow.map(|seen| Overflow { count: seen.count, first_seen: seen.first, last_seen: seen.last });
    Ok(Unknowns { shapes, overflow, damage })
}

/// Puts the files of a spool together.
pub(super) fn merge(path: &Path) -> io::Result<Merged> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match merge_once(path) {
            // Somebody wrote a new file and dropped the oldest.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_dir() && attempts < ATTEMPTS => {}
            done => return done,
        }
    }
}

fn merge_once(path: &Path) -> io::Result<Merged> {
    let mut merged = Merged::default();
    for number in directory::segments(path)? {
        let file = directory::segment(path, number);
        merged
            .file(file.clone(), number)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    }
    Ok(merged)
}

impl Merged {
    fn file(&mut self, path: PathBuf, number: u64) -> io::Result<()> {
        // Opening a pipe would wait.
        if !std::fs::symlink_metadata(&path)?.is_file() {
            self.damaged(path, 0, "it is no plain file".to_owned());
            return Ok(());
        }
        let mut reader = BufReader::new(File::open(&path)?);
        let mut part = Part { number, snapshot: Some(HashMap::new()), len: 0, is_whole: true };
        let (mut line, mut count) = (Vec::new(), 0);
        loop {
            line.clear();
            let read = io::Read::take(&mut reader, LINE_BYTES).read_until(b'\n', &mut line)? as u64;
            if read == 0 {
                break;
            }
            count += 1;
            let is_ended = line.pop_if(|last| *last == b'\n').is_some();
            let entry = if is_ended || read < LINE_BYTES {
                Entry::read(&line)
            } else {
                reader.skip_until(b'\n')?;
                Err(Unreadable::Damaged(format!("the line has more than {LINE_BYTES} bytes")))
            };
            match entry {
                Ok(entry) => self.entry(entry, &mut part),
                // The last line of a write that was interrupted.
                Err(_) if !is_ended && read < LINE_BYTES => break,
                Err(Unreadable::Later(version)) => {
                    let what = format!("format {version} of a later version; this one reads format 1");
                    self.later.get_or_insert_with(|| Damage { file: path.clone(), line: count, what: what.clone() });
                    self.damaged(path.clone(), count, what);
                    part.is_whole = false;
                }
                Err(Unreadable::Damaged(what)) => {
                    self.damaged(path.clone(), count, format!("damaged: {what}"));
                    part.is_whole = false;
                }
            }
            part.len += read;
        }
        // Without a checkpoint the snapshot may lack shapes: it only adds to what older files say.
        part.is_whole &= part.snapshot.is_none();
        for (fingerprint, kept) in part.snapshot.take().unwrap_or_default() {
            self.shape(fingerprint, kept);
        }
        self.newest = Some(Newest { number, len: part.len, is_whole: part.is_whole });
        Ok(())
    }

    fn entry(&mut self, entry: Entry<'_>, part: &mut Part) {
        match entry {
            Entry::Segment { .. } => {}
            Entry::Shape { fingerprint, seen, outline, specimen } => {
                let specimen = specimen.map(|specimen| (part.number, specimen.to_owned()));
                let kept = Kept { seen, outline: outline.to_owned(), specimen };
                match &mut part.snapshot {
                    Some(snapshot) => {
                        snapshot.insert(fingerprint, kept);
                    }
                    None => self.shape(fingerprint, kept),
                }
            }
            Entry::Checkpoint { shapes, overflow } => {
                let Some(snapshot) = part.snapshot.take() else { return };
                let is_complete = snapshot.len() as u64 == shapes;
                let mut older = std::mem::take(&mut self.shapes);
                for (fingerprint, mut kept) in snapshot {
                    if let Some(older) = older.remove(&fingerprint) {
                        kept.specimen = kept.specimen.or(older.specimen);
                    }
                    self.shapes.insert(fingerprint, kept);
                }
                if is_complete {
                    self.overflow = overflow;
                } else {
                    // A line of the snapshot is damaged: what older files say is not lost with it.
                    part.is_whole = false;
                    for (fingerprint, kept) in older {
                        self.shape(fingerprint, kept);
                    }
                    self.overflow(overflow);
                }
            }
            Entry::Count { fingerprint, count, last } => {
                let shapes = part.snapshot.as_mut().unwrap_or(&mut self.shapes);
                match shapes.get_mut(&fingerprint) {
                    Some(kept) => kept.seen.merge(Seen { count, first: kept.seen.first, last }),
                    // The line with its outline is damaged: the count is not lost with it.
                    None => {
                        let seen = Seen { count, first: last, last };
                        self.shape(fingerprint, Kept { seen, outline: "{}".to_owned(), specimen: None });
                    }
                }
            }
            Entry::Overflow { seen } => self.overflow(Some(seen)),
        }
    }

    /// What is said about a shape, beside what was said before.
    fn shape(&mut self, fingerprint: Fingerprint, kept: Kept) {
        match self.shapes.get_mut(&fingerprint) {
            Some(before) => {
                before.seen.merge(kept.seen);
                if before.outline == "{}" {
                    before.outline = kept.outline;
                }
                before.specimen = kept.specimen.or(before.specimen.take());
            }
            None => {
                self.shapes.insert(fingerprint, kept);
            }
        }
    }

    fn overflow(&mut self, seen: Option<Seen>) {
        match (&mut self.overflow, seen) {
            (Some(before), Some(seen)) => before.merge(seen),
            (before @ None, seen) => *before = seen,
            (Some(_), None) => {}
        }
    }

    fn damaged(&mut self, file: PathBuf, line: u64, what: String) {
        if self.damage.len() < DAMAGES {
            self.damage.push(Damage { file, line, what });
        }
    }
}

/// The file that is being read.
struct Part {
    number: u64,
    /// The shapes of the snapshot, until its checkpoint.
    snapshot: Option<HashMap<Fingerprint, Kept>>,
    len: u64,
    is_whole: bool,
}
