//! Why something could not be done at all. What is wrong inside of rule files is a finding, not an error.

use std::error::Error as StdError;

use crate::diagnostic::Report;

/// Something could not run.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", source.as_ref().map_or_else(String::new, |source| format!(": {source}")))]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    report: Option<Box<Report>>,
}

/// What could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file or directory cannot be read or written.
    Io,
    /// A rule set has errors; [`Error::report`] says which.
    Rejected,
    /// An option is out of its limits.
    InvalidOptions,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, report: None }
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    pub(crate) fn with_report(mut self, report: Report) -> Self {
        self.report = Some(Box::new(report));
        self
    }

    /// What is wrong with the rules, when they were rejected.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report.as_deref()
    }

    /// What could not be done.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
