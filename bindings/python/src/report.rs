//! What is wrong with rules, and what came of a reload.

use faultbook::Report;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::decision::parsed;

/// One finding in a rule file.
#[pyclass(frozen, eq, get_all, module = "faultbook")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The kind of finding.
    lint: &'static str,
    /// `error`, `warning` or `note`.
    severity: &'static str,
    /// The file, below the rules directory as it was given.
    file: String,
    /// The line, from 1.
    line: usize,
    /// The column in characters, from 1.
    column: usize,
    /// What is wrong.
    message: String,
    /// What to type instead.
    help: Option<String>,
}

impl Finding {
    /// The findings of a report, in its order.
    pub(crate) fn all(report: &Report) -> Vec<Self> {
        report.diagnostics().iter().map(|finding| Self::of(report, finding)).collect()
    }

    fn of(report: &Report, finding: &faultbook::Diagnostic) -> Self {
        let span = &finding.primary.span;
        let position = report.sources().position(span.source, span.range.start);
        Self {
            lint: finding.lint.name,
            severity: finding.lint.severity.as_str(),
            file: report.sources().path(span.source),
            line: position.line,
            column: position.column,
            message: finding.message.clone(),
            help: finding.help.clone(),
        }
    }
}

#[pymethods]
impl Finding {
    fn __str__(&self) -> String {
        let Self { lint, severity, file, line, column, message, .. } = self;
        format!("{file}:{line}:{column}: {severity}[{lint}]: {message}")
    }

    fn __repr__(&self) -> String {
        format!("<Finding {self}>", self = self.__str__())
    }
}

/// How a reload ended.
#[pyclass(frozen, module = "faultbook")]
pub(crate) struct ReloadOutcome(faultbook::ReloadOutcome);

impl ReloadOutcome {
    pub(crate) fn new(outcome: faultbook::ReloadOutcome) -> Self {
        Self(outcome)
    }
}

#[pymethods]
impl ReloadOutcome {
    /// `swapped`, `unchanged` or `rejected`.
    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.as_str()
    }

    /// Number of the set in force; none when the rules were rejected.
    #[getter]
    fn generation(&self) -> Option<u64> {
        match &self.0 {
            faultbook::ReloadOutcome::Swapped { generation, .. }
            | faultbook::ReloadOutcome::Unchanged { generation, .. } => Some(*generation),
            faultbook::ReloadOutcome::Rejected(_) => None,
        }
    }

    /// Digest of the set in force; none when the rules were rejected.
    #[getter]
    fn ruleset(&self) -> Option<&str> {
        match &self.0 {
            faultbook::ReloadOutcome::Swapped { ruleset, .. } | faultbook::ReloadOutcome::Unchanged { ruleset, .. } => {
                Some(ruleset)
            }
            faultbook::ReloadOutcome::Rejected(_) => None,
        }
    }

    /// What a new set changes; none unless one was taken into use.
    #[getter]
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        match &self.0 {
            faultbook::ReloadOutcome::Swapped { changes, .. } => parsed(py, changes.as_ref()).map(Some),
            _ => Ok(None),
        }
    }

    /// What is wrong with rules that were rejected.
    #[getter]
    fn findings(&self) -> Vec<Finding> {
        match &self.0 {
            faultbook::ReloadOutcome::Rejected(rejected) => Finding::all(rejected.report()),
            _ => Vec::new(),
        }
    }

    fn __repr__(&self) -> String {
        match &self.0 {
            faultbook::ReloadOutcome::Swapped { generation, .. } => {
                format!("<ReloadOutcome swapped, set {generation}>")
            }
            faultbook::ReloadOutcome::Unchanged { generation, .. } => {
                format!("<ReloadOutcome unchanged, set {generation}>")
            }
            faultbook::ReloadOutcome::Rejected(rejected) => format!("<ReloadOutcome rejected: {rejected}>"),
        }
    }
}
