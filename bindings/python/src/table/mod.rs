//! Tables in, tables out, by the Arrow `PyCapsule` interface: nothing is copied but what the engine writes.
//!
//! A table is read batch by batch when the decisions are, so that memory does not grow with it.

mod columns;
mod stream;

use std::collections::HashMap;
use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::array::Array as _;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, Schema};
use faultbook::Generation;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::capture::Context;
use crate::errors::{FaultbookError, InternalError};
use crate::without_gil;
use columns::Plan;
use stream::Answers;

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

type Batches = Box<dyn RecordBatchReader + Send>;

/// The decisions on the rows of a table, in their order: an Arrow stream, read once.
#[pyclass(frozen, module = "faultbook")]
pub(crate) struct DecisionTable(Mutex<Option<Answers>>);

pub(crate) fn classify(
    py: Python<'_>,
    generation: Arc<Generation>,
    table: &Bound<'_, PyAny>,
    columns: Option<&Bound<'_, PyAny>>,
    context: Context,
) -> PyResult<DecisionTable> {
    let columns: HashMap<String, String> = match columns {
        Some(columns) => columns
            .extract()
            .map_err(|_| PyTypeError::new_err("`columns` takes a mapping of facts to columns, both texts"))?,
        None => HashMap::new(),
    };
    let batches = batches(py, table)?;
    let plan = Plan::new(&batches.schema(), columns).map_err(PyValueError::new_err)?;
    Ok(DecisionTable(Mutex::new(Some(Answers::new(batches, plan, generation, context)))))
}

/// The batches of whatever speaks Arrow.
fn batches(py: Python<'_>, table: &Bound<'_, PyAny>) -> PyResult<Batches> {
    if table.hasattr(intern!(py, "__arrow_c_stream__"))? {
        let capsule = table.call_method0(intern!(py, "__arrow_c_stream__"))?.cast_into::<PyCapsule>()?;
        let pointer: NonNull<FFI_ArrowArrayStream> = capsule.pointer_checked(Some(STREAM))?.cast();
        // SAFETY: a capsule of this name holds an initialized stream. Taking it leaves a released one in its place, which
        // the capsule's destructor knows.
        let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
        // Asking a stream for its schema may run somebody else's code, which may want the GIL.
        let reader = without_gil(py, || RecordBatchStreamReader::try_new(stream))?;
        return Ok(Box::new(reader.map_err(unreadable)?));
    }
    if table.hasattr(intern!(py, "__arrow_c_array__"))? {
        let pair = table.call_method0(intern!(py, "__arrow_c_array__"))?.cast_into::<PyTuple>()?;
        let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = pair.extract()?;
        let schema: NonNull<FFI_ArrowSchema> = schema.pointer_checked(Some(SCHEMA))?.cast();
        let array: NonNull<FFI_ArrowArray> = array.pointer_checked(Some(ARRAY))?.cast();
        // SAFETY: capsules of these names hold an initialized schema and array, kept alive by `pair`. The schema is only
        // looked at; taking the array leaves a released one in its place.
        let batch = unsafe {
            let array = FFI_ArrowArray::from_raw(array.as_ptr());
            let schema = schema.as_ref();
            guarded(|| batch(array, schema))?
        };
        let batch = batch.map_err(unreadable)?;
        let schema = batch.schema();
        return Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)));
    }
    let kind = table.get_type().name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Err(PyTypeError::new_err(format!(
        "`classify_table` takes a table that speaks Arrow (`__arrow_c_stream__`), found `{kind}`; \
         for a list of failures there is `classify_many`"
    )))
}

/// # Safety
/// Array and schema belong together and keep to the C data interface.
unsafe fn batch(array: FFI_ArrowArray, schema: &FFI_ArrowSchema) -> Result<RecordBatch, ArrowError> {
    let names = Schema::try_from(schema)?;
    // SAFETY: the caller's word.
    let rows = StructArray::from(unsafe { from_ffi(array, schema) }?);
    if rows.null_count() > 0 {
        return Err(ArrowError::CDataInterface("rows that are null as a whole".to_owned()));
    }
    let count = rows.len();
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(Arc::new(names), rows.into_parts().1, &options)
}

fn guarded<T>(work: impl FnOnce() -> T) -> PyResult<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .map_err(|_| InternalError::new_err("internal error while a table was read"))
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn unreadable(error: ArrowError) -> PyErr {
    PyValueError::new_err(format!("the table cannot be read: {error}"))
}

#[pymethods]
impl DecisionTable {
    /// The decisions as an Arrow stream; they can be read once.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // What is asked for is a wish: who gets another type converts it.
        let _ = requested_schema;
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(answers) = taken else {
            return Err(FaultbookError::new_err("the decisions have been read; call `classify_table` again"));
        };
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(answers)), STREAM)
    }

    /// The columns of the decisions.
    #[expect(clippy::unused_self, reason = "the interface asks an object")]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(stream::schema().as_ref()).map_err(unreadable)?;
        PyCapsule::new_with_value(py, schema, SCHEMA)
    }

    fn __repr__(&self) -> &'static str {
        let is_there = self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_there { "<DecisionTable, not read yet>" } else { "<DecisionTable, read>" }
    }
}
