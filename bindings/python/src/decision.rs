//! A decision as Python sees it.

use std::hash::{DefaultHasher, Hash, Hasher};

use faultbook::render;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde::Serialize;

/// What the engine says about a failure.
#[pyclass(frozen, module = "faultbook")]
pub(crate) struct Decision(faultbook::Decision<'static>);

impl Decision {
    pub(crate) fn new(decision: faultbook::Decision<'static>) -> Self {
        Self(decision)
    }

    fn line(&self) -> Vec<u8> {
        line(&self.0)
    }
}

/// A decision as the command line writes it, without a line end.
pub(crate) fn line(decision: &faultbook::Decision<'_>) -> Vec<u8> {
    let mut line = Vec::with_capacity(512);
    // Writing to memory cannot fail.
    let _ = render::json_line(decision, &mut line);
    line
}

/// A value as the Python objects that its JSON stands for.
pub(crate) fn parsed<'py, T>(py: Python<'py>, value: &(impl Serialize + ?Sized)) -> PyResult<Bound<'py, T>>
where
    T: pyo3::type_object::PyTypeInfo,
{
    loads(py, &serde_json::to_string(value).map_err(|error| super::errors::InternalError::new_err(error.to_string()))?)
}

fn loads<'py, T>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, T>>
where
    T: pyo3::type_object::PyTypeInfo,
{
    let value = py.import(intern!(py, "json"))?.call_method1(intern!(py, "loads"), (json,))?;
    value.cast_into().map_err(PyErr::from)
}

#[pymethods]
impl Decision {
    /// The failure's own id, when it was sent and is fit to be echoed.
    #[getter]
    fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// The stable code.
    #[getter]
    fn code(&self) -> &str {
        self.0.code.as_str()
    }

    /// The code's title.
    #[getter]
    fn title(&self) -> &str {
        &self.0.title
    }

    /// The transaction status.
    #[getter]
    fn status(&self) -> &str {
        &self.0.status
    }

    /// What the retry job does.
    #[getter]
    fn retry(&self) -> &str {
        self.0.retry.as_str()
    }

    /// What a person has to do.
    #[getter]
    fn action(&self) -> &str {
        self.0.action.as_str()
    }

    /// The message for the transaction, with the code in front.
    #[getter]
    fn message(&self) -> &str {
        &self.0.message
    }

    /// The rule that won; `fallback` when none did.
    #[getter]
    fn rule(&self) -> &str {
        &self.0.rule
    }

    /// What the rule's captures found.
    #[getter]
    fn captures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let captures = PyDict::new(py);
        for (name, value) in &self.0.captures {
            captures.set_item(name.as_ref(), value)?;
        }
        Ok(captures)
    }

    /// What made each condition of the rule hold.
    #[getter]
    fn evidence<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let evidence = PyList::empty(py);
        for found in &self.0.evidence {
            let item = PyDict::new(py);
            item.set_item(intern!(py, "condition"), found.condition.as_ref())?;
            item.set_item(intern!(py, "matched"), &found.matched)?;
            item.set_item(intern!(py, "cause"), found.cause)?;
            evidence.append(item)?;
        }
        Ok(evidence)
    }

    /// Why the failure is undiagnosed; none when a rule won.
    #[getter]
    fn unknown_reason(&self) -> Option<&'static str> {
        self.0.unknown_reason.map(faultbook::UnknownReason::as_str)
    }

    /// Whether the full stack trace belongs into the operational log.
    #[getter]
    fn log_stack_trace(&self) -> bool {
        self.0.log.stack_trace
    }

    /// Digest of the rules that decided.
    #[getter]
    fn ruleset(&self) -> &str {
        &self.0.ruleset
    }

    /// Whether a part of the failure was too long to be looked at.
    #[getter]
    fn truncated(&self) -> bool {
        self.0.truncated
    }

    /// What was odd about the failure.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    /// Why the failure could not be read.
    #[getter]
    fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// The decision as the command line writes it: one line of JSON, without its end.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(py, &self.line())
    }

    /// The decision as a dictionary, with the fields of its JSON.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        parsed(py, &self.0)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.code(), self.message(), self.rule(), self.id(), self.ruleset()).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        let decision = &self.0;
        format!(
            "<Decision {} {} retry={} rule={}: {}>",
            decision.code,
            decision.status,
            decision.retry.as_str(),
            decision.rule,
            faultbook::render::escaped(&decision.message)
        )
    }

    fn __str__(&self) -> &str {
        self.message()
    }
}
