//! Noticing changed rule files: the files are read again and again, and the system's events only make that earlier.

mod ears;
#[cfg_attr(not(feature = "watch"), path = "no_hints.rs")]
mod hints;
mod plan;
#[cfg(test)]
mod simulation;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};

use super::settle::Seen;
use super::status::WatchMode;
use super::{Engine, ReloadOutcome};
use ears::Ears;
use plan::{Plan, Step};

/// How rule files are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOptions {
    period: Duration,
    events: bool,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self { period: Duration::from_secs(1), events: cfg!(feature = "watch") }
    }
}

impl WatchOptions {
    /// How often the files are read, 1 s unless told. Every change is noticed within this time and the quiet time of
    /// [`EngineOptions::quiet`](super::EngineOptions::quiet), also where the system has no events for it. Reading sixty
    /// small files takes less than a millisecond.
    #[must_use]
    pub fn period(mut self, period: Duration) -> Self {
        self.period = period.max(Duration::from_millis(10));
        self
    }

    /// Whether the system's events are used to notice changes earlier; they are unless told otherwise. Without the
    /// feature `watch` there are none.
    #[must_use]
    pub fn events(mut self, events: bool) -> Self {
        self.events = events && cfg!(feature = "watch");
        self
    }
}

/// What a watcher tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum WatchEvent {
    /// The system's events are used from now on.
    Listening,
    /// There are no events of the system, for this reason; changes are still found by reading the files. Said once.
    ScanOnly(String),
    /// Files have changed, and this came of it.
    Reloaded(ReloadOutcome),
}

/// Watches the rule files of an engine and loads them when they change, until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts watching on a thread of its own. `observer` is told there what happens; when it panics, it is told
    /// nothing more.
    ///
    /// # Errors
    /// When no thread can be started. The engine then still reloads when it is asked to.
    pub fn spawn(
        engine: Arc<Engine>,
        options: WatchOptions,
        observer: impl FnMut(&WatchEvent) + Send + 'static,
    ) -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let watch = move || {
            Watch {
                engine,
                options,
                observer: Some(observer),
                stop: stopping,
                start: Instant::now(),
                ears: Ears::default(),
            }
            .run();
        };
        // Rules are compiled here; deep patterns want more than the usual stack.
        let thread = thread::Builder::new().name("faultbook-watch".to_owned()).stack_size(8 * 1024 * 1024).spawn(watch);
        let cannot = |error: io::Error| {
            Error::new(ErrorKind::Io, "cannot start the thread that watches the rules").with_source(error)
        };
        Ok(Self { stop, thread: Some(thread.map_err(cannot)?) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // Not joined: reading the files may be stuck in the file system for as long as it likes.
            thread.thread().unpark();
        }
    }
}

struct Watch<O> {
    engine: Arc<Engine>,
    options: WatchOptions,
    observer: Option<O>,
    stop: Arc<AtomicBool>,
    start: Instant,
    ears: Ears,
}

impl<O: FnMut(&WatchEvent)> Watch<O> {
    fn run(mut self) {
        let Some(directory) = self.engine.directory().map(Path::to_owned) else { return };
        self.engine.set_watch(WatchMode::Scan);
        let mut plan = Plan::new(self.options.period, self.start.elapsed());
        if self.options.events {
            self.ears.listen(&directory);
        }
        while !self.stop.load(Ordering::Acquire) {
            self.hear(&directory);
            if self.ears.take_heard() {
                plan.heard(self.start.elapsed());
            }
            match plan.next(self.start.elapsed()) {
                // An event ends the wait.
                Step::Wait(time) => thread::park_timeout(time),
                Step::Look => {
                    let again_soon = turn(&self.engine, &self.engine.look(&directory), |outcome| {
                        tell(&mut self.observer, &WatchEvent::Reloaded(outcome));
                    });
                    plan.looked(self.start.elapsed(), again_soon);
                    if self.options.events && self.ears.should_listen(&directory) {
                        self.ears.listen(&directory);
                    }
                }
            }
        }
        self.engine.set_watch(WatchMode::Off);
    }

    /// Takes up what has become of listening.
    fn hear(&mut self, directory: &Path) {
        match self.ears.news() {
            None => {}
            Some(Ok(())) => {
                self.engine.set_watch(WatchMode::Events);
                tracing::info!(directory = %directory.display(), "faultbook.watch.events");
                tell(&mut self.observer, &WatchEvent::Listening);
            }
            Some(Err(why)) => {
                self.engine.set_watch(WatchMode::Scan);
                if !std::mem::replace(&mut self.ears.has_complained, true) {
                    tracing::warn!(directory = %directory.display(), why, "faultbook.watch.scan_only");
                    tell(&mut self.observer, &WatchEvent::ScanOnly(why));
                }
            }
        }
    }
}

/// Loads files that are others than those that were tried last; whether they have to be looked at again soon.
fn turn(engine: &Engine, seen: &Seen, told: impl FnOnce(ReloadOutcome)) -> bool {
    if !engine.is_news(seen) {
        engine.reap();
        return false;
    }
    told(engine.reload());
    !engine.has_settled()
}

fn tell<O: FnMut(&WatchEvent)>(observer: &mut Option<O>, event: &WatchEvent) {
    let Some(listener) = observer else { return };
    if catch_unwind(AssertUnwindSafe(|| listener(event))).is_err() {
        *observer = None;
    }
}
