//! All findings of one load, with the sources they point into.

use super::{Diagnostic, Severity, Sources};

/// The findings of one load, sorted by file and position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Sorts the findings and keeps them with their sources.
    #[must_use]
    pub fn new(sources: Sources, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.primary.span.source, d.primary.span.range.start, d.primary.span.range.end);
            key(a).cmp(&key(b)).then_with(|| a.lint.name.cmp(b.lint.name)).then_with(|| a.message.cmp(&b.message))
        });
        diagnostics.dedup();
        Self { sources, diagnostics }
    }

    /// The findings, sorted by file and position.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The texts that the findings point into.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// How many findings have the given severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.lint.severity == severity).count()
    }

    /// Whether anything keeps the set from loading.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }
}
