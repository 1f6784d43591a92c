//! The system's events about files, as hints that something may have changed.
//!
//! Nothing depends on them: many changes make no event (a link that is pointed elsewhere, a mount, a write through
//! another name), queues overflow, and the watching thread may die. The library that reads them panics once its thread
//! is dead, also when it is dropped (notify 8.2, `src/inotify.rs`); so every call into it is caught, and a watcher
//! whose thread is dead is never dropped.

use std::fs;
use std::io;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

/// Listens to a directory while it lives.
pub(super) struct Hints {
    watcher: Option<RecommendedWatcher>,
    flags: Arc<Flags>,
    /// The directory that is listened to, whatever stands under its name later.
    directory: Identity,
}

/// What the thread of the events says: flags and nothing else.
#[derive(Debug, Default)]
struct Flags {
    /// Something has happened since this was last asked for.
    heard: AtomicBool,
    /// Nothing will be heard any more.
    deaf: AtomicBool,
}

/// Dropped with the handler, that is when the thread of the events ends, however it ends.
struct Ears(Arc<Flags>);

impl Drop for Ears {
    fn drop(&mut self) {
        self.0.deaf.store(true, Ordering::Release);
    }
}

impl Hints {
    /// Listens to a directory; `wake` is called when something may have happened.
    ///
    /// # Errors
    /// Why nothing can be heard there.
    pub(super) fn new(directory: &Path, wake: impl Fn() + Send + 'static) -> Result<Self, String> {
        let identity = Identity::of(directory).map_err(|error| error.to_string())?;
        let flags = Arc::new(Flags::default());
        let ears = Ears(Arc::clone(&flags));
        let handler = move |event: notify::Result<notify::Event>| {
            // Reading the files makes events of its own; following those would never end.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                ears.0.heard.store(true, Ordering::Release);
                wake();
            }
        };
        let made = catch_unwind(AssertUnwindSafe(|| notify::recommended_watcher(handler)));
        let watcher = made.map_err(|_| PANICKED)?.map_err(|error| said(&error))?;
        let mut hints = Self { watcher: Some(watcher), flags, directory: identity };
        let watch = || match &mut hints.watcher {
            Some(watcher) => watcher.watch(&hints.directory.path, RecursiveMode::Recursive),
            None => Ok(()),
        };
        match catch_unwind(AssertUnwindSafe(watch)) {
            Ok(Ok(())) => Ok(hints),
            Ok(Err(error)) => Err(said(&error)),
            Err(_) => Err(PANICKED.to_owned()),
        }
    }

    /// Whether something has happened since this was last asked.
    pub(super) fn take_heard(&self) -> bool {
        self.flags.heard.swap(false, Ordering::AcqRel)
    }

    /// Whether nothing will be heard any more.
    pub(super) fn is_deaf(&self) -> bool {
        self.flags.deaf.load(Ordering::Acquire)
    }

    /// Whether the path still leads to the directory that is listened to.
    pub(super) fn is_of(&self, directory: &Path) -> bool {
        Identity::of(directory).is_ok_and(|now| now == self.directory)
    }
}

const PANICKED: &str = "the system's events failed in an unexpected way";

fn said(error: &notify::Error) -> String {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => "the system's limit of watched directories is reached".to_owned(),
        _ => error.to_string(),
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        let watcher = self.watcher.take();
        if self.is_deaf() {
            forget(watcher);
        } else {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(watcher)));
        }
    }
}

/// A directory itself, not its name.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    path: PathBuf,
    /// Device and number of the directory, where the system has them.
    number: Option<(u64, u64)>,
}

impl Identity {
    fn of(directory: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(directory)?;
        let number = number(&fs::metadata(&path)?);
        Ok(Self { path, number })
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not every system has such numbers")]
fn number(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}
