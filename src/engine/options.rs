//! How an engine is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;

use super::Engine;
use super::settle::Patience;

/// How an [`Engine`] is opened: where its rules are, and what it does when they do not load.
///
/// ```no_run
/// use faultbook::EngineOptions;
///
/// let engine = EngineOptions::new("rules").state("/var/lib/faultbook").open()?;
/// # Ok::<(), faultbook::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EngineOptions {
    pub(super) directory: PathBuf,
    pub(super) state: Option<PathBuf>,
    pub(super) allow_fallback_only: bool,
    pub(super) patience: Patience,
    is_patient_at_start: bool,
}

impl EngineOptions {
    /// An engine on the rule files of a directory. The path is resolved anew for every load, so that a link may be
    /// pointed elsewhere.
    pub fn new(directory: impl AsRef<Path>) -> Self {
        Self {
            directory: directory.as_ref().to_owned(),
            state: None,
            allow_fallback_only: false,
            patience: Patience { quiet: Duration::from_millis(200), longest: Duration::from_secs(2) },
            is_patient_at_start: true,
        }
    }

    /// Keeps every set that was taken into use in this directory, and serves the last one when the rules do not load
    /// at the start. One engine at a time may use it.
    #[must_use]
    pub fn state(mut self, directory: impl AsRef<Path>) -> Self {
        self.state = Some(directory.as_ref().to_owned());
        self
    }

    /// Starts with nothing but the fallback code when neither the rules nor a last good set load.
    #[must_use]
    pub fn allow_fallback_only(mut self, allow: bool) -> Self {
        self.allow_fallback_only = allow;
        self
    }

    /// How long rule files without a lock must stay the same before they are taken (200 ms unless told), and how long
    /// one load waits for that (2 s unless told).
    #[must_use]
    pub fn quiet(mut self, quiet: Duration, longest_wait: Duration) -> Self {
        self.patience = Patience { quiet, longest: longest_wait };
        self
    }

    /// Whether the first load waits for quiet files as the later ones do; it does unless told otherwise. A command that
    /// runs once reads the files twice without a pause instead.
    #[must_use]
    pub fn wait_at_start(mut self, wait: bool) -> Self {
        self.is_patient_at_start = wait;
        self
    }

    pub(super) fn first_patience(&self) -> Patience {
        let quiet = if self.is_patient_at_start { self.patience.quiet } else { Duration::ZERO };
        Patience { quiet, ..self.patience }
    }

    /// Loads the rules and proves them.
    ///
    /// # Errors
    /// When no set can be served: [`Error::report`] then says what is wrong with the rules. Also when the state
    /// directory cannot be used.
    pub fn open(self) -> Result<Engine, Error> {
        Engine::with_options(self)
    }
}
