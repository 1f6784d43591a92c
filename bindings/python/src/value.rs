//! Mappings as our own JSON: what Python objects say, in the words that every other way uses.
//!
//! Everything becomes something: what JSON has no words for is read as text, what cannot even be read is absent. So the
//! engine sees it and says what was odd, and nobody's `__str__` can raise out of here.

use std::cell::Cell;

use faultbook::limits;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString, PyTuple,
};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use crate::capture::Context;

/// Levels of lists and mappings inside each other; a failure needs four.
const DEPTH: usize = 64;

/// A mapping as one record of our own JSON.
///
/// # Errors
/// When the mapping holds more than a record may; the text says what. The outer error is Ctrl-C alone.
pub(crate) fn record(mapping: &Bound<'_, PyAny>, context: &Context) -> PyResult<Result<Vec<u8>, String>> {
    let walk = Walk { values: Cell::new(0), interrupted: Cell::new(None) };
    let record = serde_json::to_vec(&Failure { mapping, context, walk: &walk }).map_err(|error| error.to_string());
    match walk.interrupted.take() {
        Some(interrupt) => Err(interrupt),
        None => Ok(record),
    }
}

/// What `result` gives; none for an exception of somebody else's code. Ctrl-C is nobody's failure and comes out.
pub(crate) fn tried<T>(py: Python<'_>, result: PyResult<T>) -> PyResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => Err(error),
        Err(_) => Ok(None),
    }
}

/// What is shared on the way through one mapping.
struct Walk {
    values: Cell<usize>,
    interrupted: Cell<Option<PyErr>>,
}

impl Walk {
    /// Like [`tried`], for code that cannot give a Python error on.
    fn tried<T>(&self, py: Python<'_>, result: PyResult<T>) -> Option<T> {
        tried(py, result).unwrap_or_else(|interrupt| {
            self.interrupted.set(Some(interrupt));
            None
        })
    }
}

struct Failure<'a, 'py> {
    mapping: &'a Bound<'py, PyAny>,
    context: &'a Context,
    walk: &'a Walk,
}

impl Serialize for Failure<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut missing = [
            ("connector", self.context.connector.as_deref()),
            ("operation", self.context.operation.as_deref()),
            ("phase", self.context.phase.as_deref()),
        ];
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in items(self.mapping, self.walk) {
            let name = text(&name, self.walk);
            let given = missing.iter_mut().find(|(known, _)| *known == name);
            if let Some((_, fallback)) = given {
                let is_blank = value.is_none()
                    || value.cast::<PyString>().is_ok_and(|text| text.to_string_lossy().trim().is_empty());
                if fallback.is_some() && is_blank {
                    continue;
                }
                *fallback = None;
            }
            map.serialize_entry(&name, &Any { value: &value, depth: 1, walk: self.walk })?;
        }
        for (name, value) in missing {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

struct Any<'a, 'py> {
    value: &'a Bound<'py, PyAny>,
    depth: usize,
    walk: &'a Walk,
}

impl Serialize for Any<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (value, walk) = (self.value, self.walk);
        let values = walk.values.get() + 1;
        walk.values.set(values);
        if values > limits::RECORD_VALUES {
            return Err(S::Error::custom(format!("the failure has more than {} values", limits::RECORD_VALUES)));
        }
        if value.is_none() || self.depth > DEPTH {
            return serializer.serialize_unit();
        }
        if let Ok(text) = value.cast::<PyString>() {
            return serializer.serialize_str(&text.to_string_lossy());
        }
        if let Ok(value) = value.cast::<PyBool>() {
            return serializer.serialize_bool(value.is_true());
        }
        if value.is_instance_of::<PyInt>() {
            if let Ok(number) = value.extract::<i64>() {
                return serializer.serialize_i64(number);
            }
            // With all its digits: what a number beyond these limits is, is the reader's to say.
            let digits = text(value, walk);
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            return match RawValue::from_string(digits) {
                Ok(number) if is_number => number.serialize(serializer),
                _ => serializer.serialize_unit(),
            };
        }
        if value.is_instance_of::<PyFloat>() {
            // Not a number is how tables say that there is none.
            return match value.extract::<f64>() {
                Ok(number) if number.is_finite() => serializer.serialize_f64(number),
                _ => serializer.serialize_unit(),
            };
        }
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return serializer.serialize_str(&String::from_utf8_lossy(bytes.as_bytes()));
        }
        if let Ok(bytes) = value.cast::<PyByteArray>() {
            return serializer.serialize_str(&String::from_utf8_lossy(&bytes.to_vec()));
        }
        let is_sequence = value.is_instance_of::<PyList>()
            || value.is_instance_of::<PyTuple>()
            || value.is_instance_of::<PySet>()
            || value.is_instance_of::<PyFrozenSet>();
        if is_sequence {
            let mut sequence = serializer.serialize_seq(None)?;
            let items = walk.tried(value.py(), value.try_iter());
            for item in items.into_iter().flatten() {
                let Some(item) = walk.tried(value.py(), item) else { break };
                sequence.serialize_element(&Any { value: &item, depth: self.depth + 1, walk })?;
            }
            return sequence.end();
        }
        if is_mapping(value) {
            let mut map = serializer.serialize_map(None)?;
            for (name, value) in items(value, walk) {
                let name = text(&name, walk);
                map.serialize_entry(&name, &Any { value: &value, depth: self.depth + 1, walk })?;
            }
            return map.end();
        }
        // Numbers of other libraries and of the standard library are numbers, too.
        if let Some(number) = walk.tried(value.py(), value.extract::<i64>()) {
            return serializer.serialize_i64(number);
        }
        serializer.serialize_str(&text(value, walk))
    }
}

/// Whether a value is a mapping.
pub(crate) fn is_mapping(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyDict>() || value.cast::<PyMapping>().is_ok()
}

/// The fields of a mapping as they are now: whatever is called meanwhile may change it.
fn items<'py>(mapping: &Bound<'py, PyAny>, walk: &Walk) -> Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let py = mapping.py();
    let list = match mapping.cast_exact::<PyDict>() {
        Ok(dict) => Some(dict.items()),
        Err(_) => walk.tried(py, mapping.call_method0("items").and_then(|items| list_of(&items))),
    };
    let pair = |item: Bound<'py, PyAny>| item.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>().ok();
    list.map(|list| list.iter().filter_map(pair).collect()).unwrap_or_default()
}

/// What is iterated over, as a list of bounded length.
fn list_of<'py>(items: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(items.py());
    for item in items.try_iter()?.take(limits::RECORD_VALUES + 1) {
        list.append(item?)?;
    }
    Ok(list)
}

/// `str(value)`; empty when that raises.
fn text(value: &Bound<'_, PyAny>, walk: &Walk) -> String {
    match value.cast::<PyString>() {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => {
            walk.tried(value.py(), value.str()).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
        }
    }
}
