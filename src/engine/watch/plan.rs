//! When to look at the rule files, and when to load them. Pure: what has been observed goes in, what to do comes out.

use std::time::Duration;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing for so long, unless something is heard before.
    Wait(Duration),
    /// Read the files, and load them if they are not those that were tried last.
    Look,
}

/// When the files are looked at. Looking again and again is what finds every change; an event only makes it earlier.
#[derive(Debug)]
pub(super) struct Plan {
    period: Duration,
    next: Duration,
    /// When the files were looked at last.
    last: Option<Duration>,
}

/// Events that come closer together than this are one.
pub(super) const LULL: Duration = Duration::from_millis(50);

impl Plan {
    /// Looks once at the beginning: files may have changed between the first load and the watch.
    pub(super) fn new(period: Duration, now: Duration) -> Self {
        Self { period, next: now, last: None }
    }

    pub(super) fn next(&self, now: Duration) -> Step {
        match self.next.checked_sub(now) {
            Some(time) if time > Duration::ZERO => Step::Wait(time),
            _ => Step::Look,
        }
    }

    /// Something has happened in the directory, or somewhere else, or nothing at all.
    pub(super) fn heard(&mut self, now: Duration) {
        let earliest = self.last.map_or(now, |last| now.max(last + LULL));
        self.next = self.next.min(earliest);
    }

    /// The files were looked at, and loaded where they had to be. Files that never became quiet are looked at again
    /// soon.
    pub(super) fn looked(&mut self, now: Duration, again_soon: bool) {
        self.last = Some(now);
        self.next = now + if again_soon { LULL } else { self.period };
    }
}
