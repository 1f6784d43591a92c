//! All findings of one load, with the sources they point into.

use std::collections::HashMap;

use super::{Diagnostic, Severity, SourceId, Sources, lints};

/// The findings of one load, sorted by file and position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
    /// Errors that are left out of the findings.
    hidden_errors: usize,
    accepted: Vec<Accepted>,
}

/// A finding that somebody has looked at and lets stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The finding.
    pub finding: Diagnostic,
    /// Why it may stand.
    pub reason: String,
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
        cut(&mut diagnostics);
        Self { sources, diagnostics, hidden_errors: 0, accepted: Vec::new() }
    }

    /// The same report with some of its findings. Errors that are left out are counted, and the set still does not load.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&Diagnostic) -> bool) -> Self {
        let before = self.count(Severity::Error);
        self.diagnostics.retain(keep);
        self.hidden_errors += before - self.count(Severity::Error);
        self
    }

    /// How many errors are left out of the findings.
    #[must_use]
    pub fn hidden_errors(&self) -> usize {
        self.hidden_errors
    }

    /// Keeps what somebody lets stand.
    pub(crate) fn with_accepted(mut self, mut accepted: Vec<Accepted>) -> Self {
        accepted.sort_by_key(|accepted| {
            let span = &accepted.finding.primary.span;
            (span.source, span.range.start, accepted.finding.lint.name)
        });
        self.accepted = accepted;
        self
    }

    /// Findings that somebody lets stand, sorted by file and position; they count for nothing.
    #[must_use]
    pub fn accepted(&self) -> &[Accepted] {
        &self.accepted
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
        self.count(Severity::Error) + self.hidden_errors > 0
    }
}

/// Errors of one file that a report shows; nobody reads more, and a hostile file has as many as it has bytes.
const SHOWN: usize = 200;

/// Keeps the first errors of each file and says how many follow.
fn cut(diagnostics: &mut Vec<Diagnostic>) {
    let mut errors: HashMap<SourceId, usize> = HashMap::new();
    let mut rest: Vec<Diagnostic> = Vec::new();
    diagnostics.retain(|finding| {
        if finding.lint.severity != Severity::Error {
            return true;
        }
        let count = errors.entry(finding.primary.span.source).or_default();
        *count += 1;
        if *count == SHOWN + 1 {
            rest.push(Diagnostic::new(lints::LIMIT_EXCEEDED, finding.primary.span.clone(), ""));
        }
        *count <= SHOWN
    });
    for mut finding in rest {
        let more = errors.get(&finding.primary.span.source).map_or(0, |count| count - SHOWN);
        finding.message = format!(
            "{more} more error{} of this file {} not shown, from here on",
            if more == 1 { "" } else { "s" },
            if more == 1 { "is" } else { "are" }
        );
        let at = diagnostics
            .iter()
            .rposition(|other| other.primary.span.source <= finding.primary.span.source)
            .map_or(0, |at| at + 1);
        diagnostics.insert(at, finding.help("Correct those in front of it first; one slip often makes many."));
    }
}
