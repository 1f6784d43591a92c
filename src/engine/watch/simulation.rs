//! The watch in a simulated world: files that are written in every order and at every speed while they are read, and a
//! clock that nobody waits for. Everything follows from a seed.
//!
//! `FAULTBOOK_SEEDS=1000000 cargo test --release --lib simulation` is the long run.

use std::time::Duration;

use crate::diagnostic::Sources;

use super::super::settle::{Patience, Seen, Settled, World, settle};
use super::plan::{Plan, Step};

const PATIENCE: Patience = Patience { quiet: Duration::from_millis(200), longest: Duration::from_secs(2) };
const PERIOD: Duration = Duration::from_secs(1);

/// A file as a version, empty, or not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Version(u64),
    Empty,
    Missing,
}

/// What a writer does at a moment. The last file of a locked set is its lock.
#[derive(Debug, Clone, Copy)]
struct Write {
    at: Duration,
    file: usize,
    content: Content,
}

struct Simulated {
    random: fastrand::Rng,
    now: Duration,
    files: Vec<Content>,
    has_lock: bool,
    /// Still to come, the next one last.
    writes: Vec<Write>,
    /// Whether the system's events come at all, and whether one has.
    has_events: bool,
    heard: bool,
}

impl Simulated {
    fn pass(&mut self, time: Duration) {
        self.now += time;
        while let Some(write) = self.writes.pop_if(|write| write.at <= self.now) {
            self.files[write.file] = write.content;
            // Events get lost.
            self.heard |= self.has_events && self.random.u8(..10) > 0;
        }
    }

    fn millis(&mut self, range: std::ops::RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range))
    }

    /// The files, each read a little later than the one before.
    fn read(&mut self) -> Vec<Content> {
        (0..self.files.len())
            .map(|file| {
                let time = Duration::from_micros(self.random.u64(50..3_000));
                self.pass(time);
                self.files[file]
            })
            .collect()
    }
}

impl World for Simulated {
    fn now(&self) -> Duration {
        self.now
    }

    fn wait(&mut self, time: Duration) {
        // Threads never wake too early, and sometimes late.
        let late = Duration::from_micros(self.random.u64(0..2_000));
        self.pass(time + late);
    }

    fn look(&mut self) -> Seen {
        let read = self.read();
        let texts = read.iter().enumerate().filter_map(|(file, content)| match content {
            Content::Version(version) => Some((file.to_string(), version.to_string())),
            Content::Empty => Some((file.to_string(), String::new())),
            Content::Missing => None,
        });
        let mut sources = Sources::from_texts(texts);
        // A lock names the digests of all files of its version.
        sources.set_locked(self.has_lock && version(&read).is_some());
        Seen::new(sources)
    }
}

/// The version of a set, when all files are of the same one.
fn version(files: &[Content]) -> Option<u64> {
    let Some(Content::Version(first)) = files.first() else { return None };
    files.iter().all(|file| *file == Content::Version(*first)).then_some(*first)
}

/// What a load says about the files: what it has seen of them.
fn in_set(seen: &Seen) -> Vec<u64> {
    seen.sources.iter().filter_map(|(_, source)| source.text.parse().ok()).collect()
}

/// Writers of one world: several versions, each file by file, each file cut to nothing or taken away first at times.
/// With the time at which the last one has ended, and whether nobody pauses for as long as the quiet time.
fn writes(random: &mut fastrand::Rng, files: usize) -> (Vec<Write>, bool) {
    let mut writes = Vec::new();
    let mut at = Duration::from_millis(random.u64(0..3_000));
    let is_quick = random.bool();
    for version in 2..=random.u64(1..6) {
        let mut order: Vec<usize> = (0..files).collect();
        random.shuffle(&mut order);
        for file in order {
            at += Duration::from_millis(random.u64(0..if is_quick { 120 } else { 700 }));
            let before = match random.u8(..4) {
                0 => Some(Content::Empty),
                1 => Some(Content::Missing),
                _ => None,
            };
            if let Some(content) = before {
                writes.push(Write { at, file, content });
                at += Duration::from_millis(random.u64(0..50));
            }
            writes.push(Write { at, file, content: Content::Version(version) });
        }
        at += Duration::from_millis(random.u64(0..4_000));
    }
    writes.reverse();
    (writes, is_quick)
}

/// Loads the set as it is; the fingerprint of the files when they had become quiet.
fn load(world: &mut Simulated, in_force: &mut Vec<u64>) -> Option<String> {
    let Settled { seen, is_quiet } = settle(world, PATIENCE);
    // A set with an empty or missing file has lost codes, one that does not fit its lock is another one: both are
    // refused, as the tests of the load show.
    let set = in_set(&seen);
    if is_quiet && (seen.sources.is_locked() || !world.has_lock) && set.len() == in_force.len() {
        *in_force = set;
    }
    is_quiet.then_some(seen.fingerprint)
}

/// Runs one world to its end; what was wrong with it.
fn run(seed: u64) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let count = random.usize(1..8);
    let (writes, is_quick) = writes(&mut random, count);
    let last_write = writes.first().map_or(Duration::ZERO, |write| write.at);
    let (changes, has_lock, has_events) = (writes.len(), random.bool(), random.bool());
    let files = vec![Content::Version(1); count];
    let mut world = Simulated { random, now: Duration::ZERO, files, has_lock, writes, has_events, heard: false };
    // The set that the engine has from before; the first load is that of its start.
    let mut in_force = vec![1; count];
    let mut tried = load(&mut world, &mut in_force);
    let mut loads = 0;
    let mut plan = Plan::new(PERIOD, world.now());
    let end = last_write + Duration::from_secs(5);
    while world.now() < end {
        if std::mem::take(&mut world.heard) {
            plan.heard(world.now());
        }
        match plan.next(world.now()) {
            Step::Wait(time) => {
                // An event ends the wait: time passes in steps.
                let step = world.millis(1..=20).min(time);
                world.pass(step);
            }
            Step::Look => {
                let now = world.look();
                if tried.as_ref() != Some(&now.fingerprint) {
                    loads += 1;
                    tried = load(&mut world, &mut in_force);
                }
                plan.looked(world.now(), tried.is_none());
            }
        }
        let is_mixed = in_force.iter().any(|version| *version != in_force[0]);
        if is_mixed && (has_lock || is_quick) {
            return Err(format!("seed {seed}: a mixed set {in_force:?} at {:?}", world.now()));
        }
    }
    let newest: Vec<u64> = vec![version(&world.files).unwrap_or_default(); count];
    if in_force != newest {
        return Err(format!("seed {seed}: {in_force:?} in force at rest, not {newest:?}"));
    }
    // While files never become quiet, they are tried again every two seconds.
    let most = changes + usize::try_from(end.as_secs() / 2).unwrap_or_default();
    if loads > most || (changes == 0 && loads > 0) {
        return Err(format!("seed {seed}: {loads} loads of {changes} changes"));
    }
    Ok(())
}

#[test]
fn the_newest_whole_set_is_in_force_in_the_end() {
    let seeds = std::env::var("FAULTBOOK_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2_000);
    let failures: Vec<String> = (0..seeds).filter_map(|seed| run(seed).err()).take(5).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
