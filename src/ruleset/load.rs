//! The one way to a rule set: read, check, compile, verify. What passes here cannot fail at run time.

use std::fmt;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Report, Severity, Source, Sources, lints};
use crate::error::{Error, ErrorKind};
use crate::rulefile::{self, Book};

use super::against::Other;
use super::{RuleSet, compile, cost, succession, trace, verify};

/// A rule set with errors: it is not used, the report says why.
#[derive(Debug, Clone)]
pub struct Rejected {
    report: Box<Report>,
}

impl Rejected {
    pub(crate) fn new(report: Report) -> Self {
        Self { report: Box::new(report) }
    }

    pub(crate) fn into_report(self) -> Report {
        *self.report
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.report.count(Severity::Error);
        write!(f, "rule set rejected with {errors} error{}", if errors == 1 { "" } else { "s" })?;
        let first = self.report.diagnostics().iter().find(|finding| finding.lint.severity == Severity::Error);
        let Some(first) = first else { return Ok(()) };
        let span = &first.primary.span;
        let line = self.report.sources().position(span.source, span.range.start).line;
        write!(f, ", the first in {}:{line}: {}", self.report.sources().path(span.source), first.message)
    }
}

impl std::error::Error for Rejected {}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::new(ErrorKind::Rejected, rejected.to_string()).with_report(rejected.into_report())
    }
}

impl RuleSet {
    /// Loads a rule set and proves every example. The report of a set that loads may hold warnings and notes.
    ///
    /// # Errors
    /// When anything is wrong with severity error; the report holds all findings of all files.
    pub fn load(sources: Sources) -> Result<(Self, Report), Rejected> {
        Self::take(inspect(sources, None))
    }

    /// Loads a rule set that is to take the place of this one while connectors go on asking: as [`RuleSet::load`], and
    /// no code of this set may be gone or mean something else, nor may an example of a rule that is gone be
    /// undiagnosed, unless a lock says that the set is published like that.
    ///
    /// # Errors
    /// When anything is wrong with severity error; the report holds all findings of all files.
    pub fn load_next(&self, sources: Sources) -> Result<(Self, Report), Rejected> {
        Self::take(inspect(sources, Some(self)))
    }

    /// Loads a rule set and compares it with another state of the rules: the report holds the findings of the load, and
    /// names every code whose status, retry class, action or wording moved, and every example of the other state that
    /// gets another code now. `docs/against.md` says how grave each is. The other state's files are part of the
    /// report's sources.
    ///
    /// # Errors
    /// When no code of the other state can be read.
    pub fn check_against(sources: Sources, other: Sources) -> Result<Report, Error> {
        Ok(compare(sources, other)?.1)
    }

    fn take((set, report, _): (Option<Self>, Report, Book)) -> Result<(Self, Report), Rejected> {
        match set {
            Some(set) => Ok((set, report)),
            None => Err(Rejected::new(report)),
        }
    }

    /// Reads the rule files of a directory; findings about single files are part of the load's report.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn discover(directory: &Path) -> Result<Sources, Error> {
        rulefile::discover::discover(directory)
    }
}

/// The stages of a load, with the entries for those who need them: the set (none with errors), the report, the book.
/// `before` is the set whose place it is to take.
pub(crate) fn inspect(sources: Sources, before: Option<&RuleSet>) -> (Option<RuleSet>, Report, Book) {
    let (set, report, book, loads) = stages(sources, before, None);
    (set.filter(|_| loads), report, book)
}

/// As [`inspect`], with what moved since another state of the rules. The set is there when it loads, whatever moved.
pub(crate) fn compare(sources: Sources, other: Sources) -> Result<(Option<RuleSet>, Report, Book), Error> {
    let (set, report, book, loads) = stages(sources, None, Some(&Other::read(other)?));
    Ok((set.filter(|_| loads), report, book))
}

/// As [`inspect`], with the set also when its examples fail. Such a set is for saying what fails, never for answers.
pub(super) fn unproven(sources: Sources) -> (Option<RuleSet>, Report, Book) {
    let (set, report, book, _) = stages(sources, None, None);
    (set, report, book)
}

/// The stages; the last value says whether the set loads.
fn stages(
    mut sources: Sources,
    before: Option<&RuleSet>,
    other: Option<&Other>,
) -> (Option<RuleSet>, Report, Book, bool) {
    if sources.iter().next().is_none() {
        // A finding needs a place, also in an empty directory.
        sources.push(Source { name: ".".to_owned(), text: String::new(), is_refused: true });
    }
    let (book, mut findings) = rulefile::read(&sources);
    findings.extend(sources.findings().iter().cloned());
    findings.extend(rulefile::check::check(&book, &sources));
    findings.retain(|finding| finding.lint == lints::TOML_SYNTAX || !book.is_guess(&finding.primary.span));
    let mut set = None;
    if !has_errors(&findings) {
        set = compile::compile(&book);
        if let Some(set) = &mut set {
            set.places = trace::places(&book, &sources);
        }
        if let Some(set) = set.as_ref().filter(|_| !sources.is_proven()) {
            findings.extend(verify::verify(set, &book));
            findings.extend(cost::tried_patterns(set, &book, &sources));
        }
        if let Some((before, set)) = before.zip(set.as_ref()) {
            findings.extend(succession::losses(before, set, &book, &sources));
        }
    }
    let loads = !has_errors(&findings);
    if let Some(other) = other {
        other.compare(set.as_ref(), &book, &mut sources, &mut findings);
    }
    let accepted = rulefile::settle_accepted(&book, &mut findings, !sources.is_proven());
    let report = Report::new(sources, findings).with_accepted(accepted);
    (set, report, book, loads)
}

fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.lint.severity == Severity::Error)
}
