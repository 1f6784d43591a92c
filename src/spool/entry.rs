//! The lines of a spool: one JSON object each, versioned, readable by people. Knows nothing of files.
//!
//! Counts are totals, never differences: a line that is written twice counts once, and of two lines about one shape the
//! greater count holds. That is what makes writing again after a fault harmless.
//!
//! ```text
//! {"v":1,"kind":"segment","number":3,"at":"…"}                          opens a file
//! {"v":1,"kind":"shape","fingerprint":"…","count":7,"first":"…","last":"…","shape":{…},"specimen":{…}}
//! {"v":1,"kind":"checkpoint","shapes":12,"count":90,"first":"…","last":"…"}
//! {"v":1,"kind":"count","fingerprint":"…","count":8,"last":"…"}
//! {"v":1,"kind":"overflow","count":91,"first":"…","last":"…"}
//! ```
//!
//! Every file begins with a snapshot: a `shape` line for each shape, then a `checkpoint` with their number and the
//! count of all failures that belong to no shape of their own. What stands in front of a checkpoint replaces what
//! older files say; behind it every line stands for a change.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fingerprint::Fingerprint;
use super::timestamp::Timestamp;

/// The version of the format; a line of a later one is not read.
const VERSION: u32 = 1;

/// How often something was seen, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) count: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

impl Seen {
    pub(super) fn once(at: Timestamp) -> Self {
        Self { count: 1, first: at, last: at }
    }

    pub(super) fn again(&mut self, at: Timestamp) {
        self.count = self.count.saturating_add(1);
        // The clock may have been set back.
        self.last = self.last.max(at);
    }

    /// What two statements about the same thing say together.
    pub(super) fn merge(&mut self, other: Self) {
        self.count = self.count.max(other.count);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    /// Adds what was seen somewhere else.
    pub(super) fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// A line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry<'l> {
    Segment { number: u64, at: Timestamp },
    Shape { fingerprint: Fingerprint, seen: Seen, outline: &'l str, specimen: Option<&'l str> },
    Checkpoint { shapes: u64, overflow: Option<Seen> },
    Count { fingerprint: Fingerprint, count: u64, last: Timestamp },
    Overflow { seen: Seen },
}

/// Why a line is no entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It was written by a later version.
    Later(u32),
    /// It is damaged.
    Damaged(String),
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Segment,
    Shape,
    Checkpoint,
    Count,
    Overflow,
}

/// A line as it is written: the fields of all kinds.
#[derive(Serialize, Deserialize)]
struct Line<'l> {
    v: u32,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shapes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "fingerprint")]
    fingerprint: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Timestamp>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    shape: Option<&'l RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    specimen: Option<&'l RawValue>,
}

fn fingerprint<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Fingerprint>, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Only the version, which later ones have as well.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

impl<'l> Entry<'l> {
    /// Reads a line, without its end.
    pub(super) fn read(line: &'l [u8]) -> Result<Self, Unreadable> {
        let damaged = |error: &dyn std::fmt::Display| Unreadable::Damaged(error.to_string());
        let text = std::str::from_utf8(line).map_err(|error| damaged(&error))?;
        let later = || serde_json::from_str::<Version>(text).ok().filter(|version| version.v > VERSION);
        let line: Line<'l> = match serde_json::from_str(text) {
            Ok(line) => line,
            Err(error) => {
                return Err(later().map_or_else(|| damaged(&error), |version| Unreadable::Later(version.v)));
            }
        };
        if line.v > VERSION {
            return Err(Unreadable::Later(line.v));
        }
        let kind = line.kind;
        Self::of(&line).ok_or_else(|| {
            let kind = serde_json::to_string(&kind).unwrap_or_default();
            Unreadable::Damaged(format!("a line of the kind {kind} lacks one of its fields"))
        })
    }

    fn of(line: &Line<'l>) -> Option<Self> {
        let seen = || Some(Seen { count: line.count?, first: line.first?, last: line.last? });
        Some(match line.kind {
            Kind::Segment => Self::Segment { number: line.number?, at: line.at? },
            Kind::Shape => Self::Shape {
                fingerprint: line.fingerprint?,
                seen: seen()?,
                outline: line.shape?.get(),
                specimen: line.specimen.map(RawValue::get),
            },
            Kind::Checkpoint => {
                Self::Checkpoint { shapes: line.shapes?, overflow: line.count.is_some().then(seen).flatten() }
            }
            Kind::Count => Self::Count { fingerprint: line.fingerprint?, count: line.count?, last: line.last? },
            Kind::Overflow => Self::Overflow { seen: seen()? },
        })
    }

    /// Writes the line with its end.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let line = |kind| Line {
            v: VERSION,
            kind,
            number: None,
            at: None,
            shapes: None,
            fingerprint: None,
            count: None,
            first: None,
            last: None,
            shape: None,
            specimen: None,
        };
        let with = |kind, seen: Option<Seen>| Line {
            count: seen.map(|seen| seen.count),
            first: seen.map(|seen| seen.first),
            last: seen.map(|seen| seen.last),
            ..line(kind)
        };
        let raw = |json: &'l str| serde_json::from_str::<&RawValue>(json).ok();
        let line = match *self {
            Self::Segment { number, at } => Line { number: Some(number), at: Some(at), ..line(Kind::Segment) },
            Self::Shape { fingerprint, seen, outline, specimen } => Line {
                fingerprint: Some(fingerprint),
                shape: raw(outline),
                specimen: specimen.and_then(raw),
                ..with(Kind::Shape, Some(seen))
            },
            Self::Checkpoint { shapes, overflow } => Line { shapes: Some(shapes), ..with(Kind::Checkpoint, overflow) },
            Self::Count { fingerprint, count, last } => {
                Line { fingerprint: Some(fingerprint), count: Some(count), last: Some(last), ..line(Kind::Count) }
            }
            Self::Overflow { seen } => with(Kind::Overflow, Some(seen)),
        };
        // Texts and numbers only: writing them to memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, &line);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Seen, Unreadable};

    /// The format of the files that are out there.
    #[test]
    fn lines_are_read_and_written() {
        let lines = [
            r#"{"v":1,"kind":"segment","number":3,"at":"2026-11-21T18:05:14.123Z"}"#,
            r#"{"v":1,"kind":"shape","fingerprint":"000102030405060708090a0b0c0d0e0f","count":7,"first":"2026-11-21T18:05:14.123Z","last":"2026-11-22T00:00:00.000Z","shape":{"connector":"x"},"specimen":{"message":"é"}}"#,
            r#"{"v":1,"kind":"checkpoint","shapes":0}"#,
            r#"{"v":1,"kind":"checkpoint","shapes":1,"count":90,"first":"2026-11-21T18:05:14.123Z","last":"2026-11-22T00:00:00.000Z"}"#,
            r#"{"v":1,"kind":"count","fingerprint":"000102030405060708090a0b0c0d0e0f","count":8,"last":"2026-11-22T00:00:00.000Z"}"#,
            r#"{"v":1,"kind":"overflow","count":91,"first":"2026-11-21T18:05:14.123Z","last":"2026-11-22T00:00:00.000Z"}"#,
        ];
        for line in lines {
            let mut out = Vec::new();
            match Entry::read(line.as_bytes()) {
                Ok(entry) => entry.write(&mut out),
                Err(error) => panic!("{line}: {error:?}"),
            }
            assert_eq!(String::from_utf8_lossy(&out), format!("{line}\n"));
        }
    }

    #[test]
    fn what_is_no_line_is_told_apart() {
        let later = Entry::read(br#"{"v":2,"kind":"sketch"}"#).err();
        assert_eq!(later, Some(Unreadable::Later(2)));
        for line in ["", "{", "[]", "\0\0", "{\"v\":1}", r#"{"v":1,"kind":"count","count":1}"#, "\u{feff}{}"] {
            assert!(matches!(Entry::read(line.as_bytes()), Err(Unreadable::Damaged(_))), "{line}");
        }
        assert!(matches!(Entry::read(b"\xff"), Err(Unreadable::Damaged(_))));
    }

    #[test]
    fn saying_something_twice_changes_nothing() {
        let at = |text: &str| text.parse().unwrap();
        let mut seen = Seen { count: 3, first: at("2026-11-21T18:05:14Z"), last: at("2026-11-21T19:00:00Z") };
        let before = seen;
        seen.merge(before);
        seen.merge(Seen { count: 2, ..before });
        assert_eq!(seen, before);
    }
}
