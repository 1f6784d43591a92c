//! The engine as Python sees it.

use std::path::PathBuf;
use std::sync::Arc;

use faultbook::{EngineOptions, Failure, Generation, WatchOptions, Watcher};
use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString, PyType};

use crate::capture::{Context, failure};
use crate::decision::{Decision, line, parsed};
use crate::errors::{FaultbookError, raised};
use crate::report::{Finding, ReloadOutcome};
use crate::table::{self, DecisionTable};
use crate::value::{is_mapping, record};
use crate::without_gil;

/// Failures that are looked at before they are answered together without the GIL.
const CHUNK: usize = 256;

/// Answers failures with the rules in force; used by any number of threads at once.
#[pyclass(frozen, module = "faultbook")]
pub(crate) struct Engine {
    inner: Arc<faultbook::Engine>,
    /// Watches until the engine is gone.
    _watcher: Option<Watcher>,
    /// The process that opened the engine. A forked one has neither its threads nor an owner for their locks.
    process: u32,
}

/// A failure as it was given, with nothing of Python left in it.
enum Given {
    Failure(Box<Failure<'static>>),
    Record(Vec<u8>),
    Unreadable(String),
}

impl Given {
    /// Looks at whatever was given.
    ///
    /// # Errors
    /// Ctrl-C alone.
    fn of(given: &Bound<'_, PyAny>, context: &Context) -> PyResult<Self> {
        if let Ok(exception) = given.cast::<PyBaseException>() {
            return Ok(Self::Failure(Box::new(failure(exception, context)?)));
        }
        if is_mapping(given) {
            return Ok(match record(given, context)? {
                Ok(record) => Self::Record(record),
                Err(error) => Self::Unreadable(error),
            });
        }
        if let Ok(text) = given.cast::<PyString>() {
            let owned = |value: &Option<String>| value.clone().map(Into::into);
            return Ok(Self::Failure(Box::new(Failure {
                connector: owned(&context.connector),
                operation: owned(&context.operation),
                phase: owned(&context.phase),
                text: Some(text.to_string_lossy().into_owned().into()),
                ..Failure::default()
            })));
        }
        let kind = given.get_type().name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let hint = if given.is_instance_of::<PyType>() { " (a class, not an exception that was raised)" } else { "" };
        Ok(Self::Unreadable(format!("expected an exception, a mapping or a text, found `{kind}`{hint}")))
    }

    fn answer<'g>(&self, generation: &'g Generation) -> faultbook::Decision<'g> {
        match self {
            Self::Failure(failure) => generation.classify(failure),
            Self::Record(record) => generation.classify_record(record),
            Self::Unreadable(error) => generation.unreadable(error),
        }
    }
}

impl Engine {
    fn new(engine: Arc<faultbook::Engine>, watcher: Option<Watcher>) -> Self {
        Self { inner: engine, _watcher: watcher, process: std::process::id() }
    }

    fn same_process(&self, what: &str) -> PyResult<()> {
        if self.process == std::process::id() {
            return Ok(());
        }
        let why = format!("{what} is not possible in a forked process; open an engine of its own there");
        Err(FaultbookError::new_err(why))
    }
}

#[pymethods]
impl Engine {
    /// An engine on the rule files of a directory.
    #[staticmethod]
    #[pyo3(signature = (path, *, state=None, watch=false, allow_fallback_only=false))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        state: Option<PathBuf>,
        watch: bool,
        allow_fallback_only: bool,
    ) -> PyResult<Self> {
        let mut options = EngineOptions::new(path).allow_fallback_only(allow_fallback_only);
        if let Some(state) = state {
            options = options.state(state);
        }
        let opened = without_gil(py, || {
            let engine = Arc::new(options.open()?);
            let watcher =
                watch.then(|| Watcher::spawn(Arc::clone(&engine), WatchOptions::default(), |_| {})).transpose()?;
            Ok((engine, watcher))
        })?;
        let (engine, watcher) = opened.map_err(|error| raised(py, &error))?;
        Ok(Self::new(engine, watcher))
    }

    /// An engine on the rules that are built in.
    #[staticmethod]
    fn builtin(py: Python<'_>) -> PyResult<Self> {
        let engine = without_gil(py, || Arc::new(faultbook::Engine::builtin()))?;
        Ok(Self::new(engine, None))
    }

    /// Says what a failure is.
    #[pyo3(signature = (failure, /, *, connector=None, operation=None, phase=None))]
    fn classify(
        &self,
        py: Python<'_>,
        failure: &Bound<'_, PyAny>,
        connector: Option<String>,
        operation: Option<String>,
        phase: Option<String>,
    ) -> PyResult<Decision> {
        let given = Given::of(failure, &Context { connector, operation, phase })?;
        without_gil(py, || Decision::new(given.answer(&self.inner.current()).into_owned()))
    }

    /// Says what one failure in our own JSON is, as the command line does: one line, without its end.
    #[pyo3(signature = (failure, /))]
    fn classify_json<'py>(&self, py: Python<'py>, failure: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let answer = |record: &[u8]| without_gil(py, || line(&self.inner.current().classify_record(record)));
        let answered = if let Ok(bytes) = failure.cast::<PyBytes>() {
            answer(bytes.as_bytes())?
        } else if let Ok(bytes) = failure.cast::<PyByteArray>() {
            // Somebody else may change it meanwhile.
            answer(&bytes.to_vec())?
        } else if let Ok(text) = failure.cast::<PyString>() {
            answer(text.to_string_lossy().as_bytes())?
        } else {
            return Err(PyTypeError::new_err("`classify_json` takes bytes or str"));
        };
        Ok(PyBytes::new(py, &answered))
    }

    /// Says what each of many failures is, in their order; all of them with the same rules.
    #[pyo3(signature = (failures, /, *, connector=None, operation=None, phase=None))]
    fn classify_many<'py>(
        &self,
        py: Python<'py>,
        failures: &Bound<'py, PyAny>,
        connector: Option<String>,
        operation: Option<String>,
        phase: Option<String>,
    ) -> PyResult<Bound<'py, PyList>> {
        let context = Context { connector, operation, phase };
        let generation = self.inner.current();
        let decisions = PyList::empty(py);
        let mut failures = failures.try_iter()?;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            for failure in failures.by_ref().take(CHUNK) {
                chunk.push(Given::of(&failure?, &context)?);
            }
            let count = chunk.len();
            let answered: Vec<Decision> = without_gil(py, || {
                chunk.iter().map(|given| Decision::new(given.answer(&generation).into_owned())).collect()
            })?;
            for decision in answered {
                decisions.append(decision)?;
            }
            if count < CHUNK {
                return Ok(decisions);
            }
            py.check_signals()?;
        }
    }

    /// Says what the failure in each row of a table is. Nothing is read before the result is.
    #[pyo3(signature = (table, /, columns=None, *, connector=None, operation=None, phase=None))]
    fn classify_table(
        &self,
        py: Python<'_>,
        table: &Bound<'_, PyAny>,
        columns: Option<&Bound<'_, PyAny>>,
        connector: Option<String>,
        operation: Option<String>,
        phase: Option<String>,
    ) -> PyResult<DecisionTable> {
        let context = Context { connector, operation, phase };
        table::classify(py, self.inner.current(), table, columns, context)
    }

    /// Loads the rules again and says what came of it.
    fn reload(&self, py: Python<'_>) -> PyResult<ReloadOutcome> {
        self.same_process("a reload")?;
        without_gil(py, || ReloadOutcome::new(self.inner.reload()))
    }

    /// How the engine stands.
    #[getter]
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.same_process("a status")?;
        let status = without_gil(py, || self.inner.status())?;
        parsed(py, &status)
    }

    /// Warnings and notes on the rules in force.
    #[getter]
    fn report(&self) -> Vec<Finding> {
        Finding::all(self.inner.current().report())
    }

    /// Digest of the rules in force.
    #[getter]
    fn ruleset(&self) -> String {
        self.inner.current().rules().digest().to_owned()
    }

    fn __repr__(&self) -> String {
        let current = self.inner.current();
        let place =
            self.inner.directory().map_or_else(|| "built-in rules".to_owned(), |path| path.display().to_string());
        format!("<Engine {place}, set {}, {} rules>", current.number(), current.rules().rules().len())
    }
}
