//! Why something could not be done at all. What is wrong inside of rule files is a finding, not an error.

use std::error::Error as StdError;

/// Something could not run.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", source.as_ref().map_or_else(String::new, |source| format!(": {source}")))]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file or directory cannot be read or written.
    Io,
    /// A rule set has errors; [`crate::Rejected`] carries the report.
    Rejected,
    /// An option is out of its limits.
    InvalidOptions,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What could not be done.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
