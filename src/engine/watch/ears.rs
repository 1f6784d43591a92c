//! Listening, kept apart from looking: setting it up may hang or fail, and looking goes on.

use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::hints::Hints;

/// How long after a failure listening is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// What there is to hear.
#[derive(Default)]
pub(super) struct Ears {
    /// Whether it was said that nothing can be heard; once is enough.
    pub(super) has_complained: bool,
    hints: Option<Hints>,
    /// Listening that is being set up by a thread of its own.
    coming: Option<Receiver<Result<Hints, String>>>,
    failed: Option<Instant>,
}

impl Ears {
    /// Begins to listen to a directory, in place of the one before.
    pub(super) fn listen(&mut self, directory: &Path) {
        if self.coming.is_some() {
            return;
        }
        let (sender, receiver) = channel();
        let of_failure = sender.clone();
        let (directory, looking) = (directory.to_owned(), thread::current());
        let listen = move || {
            let waking = looking.clone();
            let _ = sender.send(Hints::new(&directory, move || waking.unpark()));
            looking.unpark();
        };
        if let Err(error) = thread::Builder::new().name("faultbook-listen".to_owned()).spawn(listen) {
            let _ = of_failure.send(Err(error.to_string()));
        }
        self.coming = Some(receiver);
    }

    /// What has become of listening since this was last asked; none when nothing has.
    pub(super) fn news(&mut self) -> Option<Result<(), String>> {
        let came = match self.coming.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => {
                self.hints.as_ref().filter(|hints| hints.is_deaf())?;
                Err("the thread of the system's events has died".to_owned())
            }
            Some(Err(TryRecvError::Disconnected)) => Err("setting up the system's events failed".to_owned()),
            Some(Ok(came)) => came,
        };
        self.coming = None;
        self.failed = came.is_err().then(Instant::now);
        let news = came.as_ref().map(|_| ()).map_err(Clone::clone);
        self.hints = came.ok();
        Some(news)
    }

    /// Whether something was heard since this was last asked.
    pub(super) fn take_heard(&self) -> bool {
        self.hints.as_ref().is_some_and(Hints::take_heard)
    }

    /// Whether listening has to be set up: what the path leads to is not what is listened to. After a failure not at
    /// once; a path that leads nowhere is left alone.
    pub(super) fn should_listen(&self, directory: &Path) -> bool {
        directory.is_dir()
            && self.failed.is_none_or(|failed| failed.elapsed() >= RETRY)
            && !self.hints.as_ref().is_some_and(|hints| hints.is_of(directory))
    }
}
