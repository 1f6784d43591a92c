//! The exceptions of the package.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::report::Finding;

create_exception!(faultbook, FaultbookError, PyException, "Something could not be done.");
create_exception!(faultbook, RulesRejected, FaultbookError, "The rules do not load; `findings` says what is wrong.");
create_exception!(faultbook, InternalError, PyRuntimeError, "A fault of faultbook itself.");

/// The error of the engine as a Python exception.
pub(crate) fn raised(py: Python<'_>, error: &faultbook::Error) -> PyErr {
    match (error.kind(), error.report()) {
        (faultbook::ErrorKind::Rejected, report) => {
            let rejected = RulesRejected::new_err(error.to_string());
            let findings = report.map(Finding::all).unwrap_or_default();
            // An exception without its findings still says what is wrong with the rules.
            let _ = rejected.value(py).setattr("findings", findings);
            rejected
        }
        (faultbook::ErrorKind::Io, _) => PyOSError::new_err(error.to_string()),
        (faultbook::ErrorKind::InvalidOptions, _) => PyValueError::new_err(error.to_string()),
        _ => FaultbookError::new_err(error.to_string()),
    }
}
