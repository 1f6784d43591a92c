//! `faultbook` as a Python package: the module `faultbook._engine`.
//!
//! Nothing here decides: exceptions, mappings and tables become failures, and the engine answers them. Every call that
//! works for longer than it takes to look at Python objects does so without the GIL, and no lock of the engine is ever
//! held while the GIL is waited for. A fault of ours becomes `faultbook.InternalError`.

mod capture;
mod decision;
mod engine;
mod errors;
mod report;
mod table;
mod value;

use pyo3::prelude::*;

/// The module `faultbook._engine`.
#[pymodule]
mod _engine {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::capture::failure_from_exception;
    #[pymodule_export]
    use super::decision::Decision;
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::errors::{FaultbookError, InternalError, RulesRejected};
    #[pymodule_export]
    use super::report::{Finding, ReloadOutcome};
    #[pymodule_export]
    use super::table::DecisionTable;

    /// For the tests of the border alone: what becomes of a fault of ours.
    #[cfg(debug_assertions)]
    #[pyfunction]
    #[expect(clippy::panic, reason = "that is what it is for")]
    fn _panic(py: Python<'_>) -> PyResult<()> {
        super::without_gil(py, || panic!("asked for by a test"))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// Works without the GIL; a fault of ours becomes an exception.
fn without_gil<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)))
        .map_err(|_| errors::InternalError::new_err("internal error; please report what was asked"))
}
