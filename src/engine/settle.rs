//! Waiting until nobody is in the middle of writing the rule files.
//!
//! Saving a directory of files is not one act: an editor, a copy or a checkout writes one after the other, and each of
//! them may be read empty or cut off. A set is taken when it was read twice in the same words with a quiet period
//! between, or at once when its lock names exactly the files that were read. Pure: time and files come from a [`World`].

use std::time::Duration;

use crate::diagnostic::{Diagnostic, Source, Sources, Span, lints};
use crate::rulefile::sha256;

/// What an engine's work with rule files depends on: a clock that only goes forward, and the files.
pub(super) trait World {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn wait(&mut self, time: Duration);
    /// Reads the rule files as they are now.
    fn look(&mut self) -> Seen;
}

/// Rule files as they were read once.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) sources: Sources,
    /// Equal for equal files, and for equal reasons why they could not be read.
    pub(super) fingerprint: String,
}

impl Seen {
    pub(super) fn new(sources: Sources) -> Self {
        let mut words = String::new();
        for (name, digest) in sources.digests() {
            words.extend([digest, "  ", name, "\n"]);
        }
        // Texts stand in for the files of sets held in memory.
        for (_, source) in sources.iter().filter(|_| sources.digests().is_empty()) {
            words.extend([&source.name, "\n", &source.text, "\n"]);
        }
        for finding in sources.findings() {
            words.extend([&finding.message, "\n"]);
        }
        Self { fingerprint: sha256(words.as_bytes()), sources }
    }
}

/// How long files must have been quiet, and how long to wait for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) quiet: Duration,
    pub(super) longest: Duration,
}

/// Files that can be taken, or what was read last when they did not become quiet in time: a finding then says so.
pub(super) struct Settled {
    pub(super) seen: Seen,
    pub(super) is_quiet: bool,
}

/// Reads the files until they can be taken.
pub(super) fn settle(world: &mut impl World, patience: Patience) -> Settled {
    let start = world.now();
    let mut seen = world.look();
    let mut since = world.now();
    loop {
        if seen.sources.is_locked() {
            return Settled { seen, is_quiet: true };
        }
        world.wait(patience.quiet.saturating_sub(world.now().saturating_sub(since)));
        let asked = world.now();
        let next = world.look();
        if next.fingerprint == seen.fingerprint {
            // The second reading began a quiet period after the first one had ended.
            return Settled { seen: next, is_quiet: true };
        }
        since = world.now();
        seen = next;
        if asked.saturating_sub(start) >= patience.longest {
            return Settled { seen: unsettled(seen, asked.saturating_sub(start)), is_quiet: false };
        }
    }
}

fn unsettled(mut seen: Seen, time: Duration) -> Seen {
    let message =
        format!("the rule files have been changing for {:.1} s and are not taken half-written", time.as_secs_f64());
    let source = seen.sources.push(Source { name: ".".to_owned(), text: String::new(), is_refused: true });
    seen.sources.add_finding(
        Diagnostic::new(lints::UNREADABLE_FILE, Span::start_of(source), message)
            .help("Write the set elsewhere and put it in place at once: `faultbook publish DIR --to TARGET`."),
    );
    seen
}
