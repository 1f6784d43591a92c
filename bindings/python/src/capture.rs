//! Exceptions as failures.
//!
//! States what an exception says about itself, and what well-known libraries put on theirs; guesses nothing. Attributes of
//! exceptions may be anybody's code: what raises is absent, what is of another type is absent, and nothing is followed in
//! circles or without end.

use std::collections::HashSet;

use faultbook::{Exception, Failure, limits};
use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBoolMethods, PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};

use crate::decision::parsed;
use crate::value::tried;

/// Exceptions of one failure that are visited; those beyond the limit of the engine only to find the innermost one.
const VISITED: usize = 1_000;
/// Bytes of a reply's body that are looked at.
const BODY_BYTES: usize = limits::TEXT_HEAD_BYTES;

/// What the caller knows beside the failure itself; counts where the failure does not say it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    pub(crate) connector: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) phase: Option<String>,
}

/// An exception in the JSON form of failures, as a dictionary.
///
/// This is what `Engine.classify` looks at: to be completed with facts that only the caller knows, or sent to another
/// engine.
#[pyfunction]
#[pyo3(signature = (exception, /))]
pub(crate) fn failure_from_exception<'py>(exception: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    match exception.cast::<PyBaseException>() {
        Ok(exception) => parsed(exception.py(), &failure(exception, &Context::default())?),
        Err(_) => Err(PyTypeError::new_err("`failure_from_exception` takes an exception")),
    }
}

/// An exception with everything that it was raised from.
///
/// # Errors
/// Ctrl-C alone.
pub(crate) fn failure(exception: &Bound<'_, PyBaseException>, context: &Context) -> PyResult<Failure<'static>> {
    let mut chain = Chain::default();
    chain.walk(exception.as_any())?;
    let Chain { exceptions, provider_codes, reply, contradicting, .. } = chain;
    let reply = reply.filter(|_| !contradicting);
    let owned = |value: &Option<String>| value.clone().map(Into::into);
    Ok(Failure {
        connector: owned(&context.connector),
        operation: owned(&context.operation),
        phase: owned(&context.phase),
        exceptions,
        http_status: reply.as_ref().map(|reply| reply.status),
        provider_codes: provider_codes.into_iter().map(Into::into).collect(),
        text: reply.and_then(|reply| reply.body).map(Into::into),
        ..Failure::default()
    })
}

/// What a remote side replied, as an exception of a client library holds it.
struct Reply {
    status: u16,
    body: Option<String>,
    /// The exception that holds it.
    index: usize,
}

/// The exceptions of one failure, while they are walked through.
#[derive(Default)]
struct Chain {
    exceptions: Vec<Exception<'static>>,
    /// For each exception visited, the one that wraps it.
    parents: Vec<Option<usize>>,
    seen: HashSet<usize>,
    provider_codes: Vec<String>,
    reply: Option<Reply>,
    /// Whether branches of a group hold replies with different statuses: then none of them is that of the failure.
    contradicting: bool,
}

impl Chain {
    fn walk<'py>(&mut self, outermost: &Bound<'py, PyAny>) -> PyResult<()> {
        let mut waiting: Vec<(Bound<'py, PyAny>, Option<usize>)> = vec![(outermost.clone(), None)];
        // Held, so that no other exception can take the address of one that was seen.
        let mut held = Vec::new();
        while let Some((exception, parent)) = waiting.pop() {
            if self.parents.len() == VISITED {
                break;
            }
            if !self.seen.insert(exception.as_ptr() as usize) {
                continue;
            }
            let index = self.parents.len();
            self.parents.push(parent);
            let types = Types::of(&exception)?;
            let read = self.read(&exception, &types, index, parent)?;
            // As everywhere: beyond the limit only the innermost one counts, and one too many says that some are missing.
            if self.exceptions.len() > limits::CAUSES {
                self.exceptions.pop();
                self.exceptions.push(Exception { parent: None, ..read });
            } else {
                self.exceptions.push(read);
            }
            let mut inner = Vec::new();
            if types.is_group() {
                inner.extend(members(&exception)?);
            }
            inner.extend(cause(&exception)?);
            waiting.extend(inner.into_iter().rev().map(|inner| (inner, Some(index))));
            held.push(exception);
        }
        Ok(())
    }

    fn read(
        &mut self,
        exception: &Bound<'_, PyAny>,
        types: &Types,
        index: usize,
        parent: Option<usize>,
    ) -> PyResult<Exception<'static>> {
        let py = exception.py();
        let mut message = tried(py, exception.str())?.map(|text| text.to_string_lossy().into_owned());
        let mut error_numbers = Vec::new();
        if types.has("OSError")
            && let Some(number) = number(exception, intern!(py, "errno"))?
        {
            error_numbers.push(number);
        }
        if types.has("msal.exceptions.MsalServiceError") {
            let code = text(exception, intern!(py, "_error"))?;
            if message.as_deref().is_none_or(|message| message.trim().is_empty()) {
                message = text(exception, intern!(py, "_error_description"))?;
            }
            self.code(code);
        }
        if types.has("azure.core.exceptions.HttpResponseError") || types.has("kiota_abstractions.api_error.APIError") {
            if let Some(error) = attribute(exception, intern!(py, "error"))? {
                self.code(text(&error, intern!(py, "code"))?);
            }
        } else if types.has("oauthlib.oauth2.rfc6749.errors.OAuth2Error") {
            self.code(text(exception, intern!(py, "error"))?);
        }
        if let Some((status, body)) = reply(exception, types)? {
            self.replied(Reply { status, body, index });
        }
        Ok(Exception {
            type_name: types.names.first().cloned().map(Into::into),
            message: message.filter(|message| !message.is_empty()).map(Into::into),
            ancestors: types.names.iter().skip(1).cloned().map(Into::into).collect(),
            error_numbers,
            parent: parent.filter(|&parent| parent + 1 != index),
        })
    }

    fn code(&mut self, code: Option<String>) {
        let is_new = |code: &String| !code.trim().is_empty() && !self.provider_codes.contains(code);
        if let Some(code) = code.filter(is_new)
            && self.provider_codes.len() < limits::FACTS
        {
            self.provider_codes.push(code);
        }
    }

    /// The outermost reply counts: it is the last one. Replies of different branches have no order.
    fn replied(&mut self, reply: Reply) {
        match &self.reply {
            None => self.reply = Some(reply),
            Some(first) => {
                let is_below = std::iter::successors(Some(reply.index), |&index| self.parents[index])
                    .any(|index| index == first.index);
                self.contradicting |= !is_below && first.status != reply.status;
            }
        }
    }
}

/// Base types of `urllib3.exceptions.NewConnectionError` in name only.
const NO_TIMEOUT: [&str; 2] = ["urllib3.exceptions.ConnectTimeoutError", "urllib3.exceptions.TimeoutError"];

/// The names of an exception's type and of its base types, nearest first, as tracebacks print them.
struct Types {
    names: Vec<String>,
}

impl Types {
    fn of(exception: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = exception.py();
        let own = exception.get_type();
        let bases = attribute(own.as_any(), intern!(py, "__mro__"))?;
        let mut names = Vec::new();
        match bases.as_ref().and_then(|bases| bases.cast::<PyTuple>().ok()) {
            Some(bases) => {
                for base in bases.iter().take(limits::ANCESTORS + 1) {
                    names.extend(name(&base)?.filter(|name| name != "object"));
                }
            }
            None => names.extend(name(own.as_any())?),
        }
        // Of urllib3 a connection that was refused is a time-out by its base types, kept for old callers; it is none.
        if names.iter().any(|name| name == "urllib3.exceptions.NewConnectionError") {
            names.retain(|name| !NO_TIMEOUT.contains(&name.as_str()));
        }
        Ok(Self { names })
    }

    fn has(&self, known: &str) -> bool {
        self.names.iter().any(|name| name == known)
    }

    fn is_group(&self) -> bool {
        self.has("BaseExceptionGroup") || self.has("exceptiongroup.BaseExceptionGroup")
    }
}

/// The name of a type as tracebacks print it: without the modules `builtins` and `__main__`.
fn name(class: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = class.py();
    let Some(name) = text(class, intern!(py, "__qualname__"))? else { return Ok(None) };
    Ok(Some(match text(class, intern!(py, "__module__"))? {
        Some(module) if module != "builtins" && module != "__main__" => format!("{module}.{name}"),
        _ => name,
    }))
}

/// What an exception was raised from, or while it was handled, unless that is said not to matter.
fn cause<'py>(exception: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = exception.py();
    let is_exception = |value: &Bound<'py, PyAny>| value.is_instance_of::<PyBaseException>();
    if let Some(cause) = attribute(exception, intern!(py, "__cause__"))?.filter(is_exception) {
        return Ok(Some(cause));
    }
    let suppressed = attribute(exception, intern!(py, "__suppress_context__"))?;
    if suppressed.is_some_and(|value| value.cast::<PyBool>().is_ok_and(PyBoolMethods::is_true)) {
        return Ok(None);
    }
    Ok(attribute(exception, intern!(py, "__context__"))?.filter(is_exception))
}

/// The exceptions of a group.
fn members<'py>(group: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let Some(members) = attribute(group, intern!(group.py(), "exceptions"))? else { return Ok(Vec::new()) };
    let is_exception = |value: &Bound<'py, PyAny>| value.is_instance_of::<PyBaseException>();
    Ok(match (members.cast::<PyTuple>(), members.cast::<PyList>()) {
        (Ok(members), _) => members.iter().filter(is_exception).take(VISITED).collect(),
        (_, Ok(members)) => members.iter().filter(is_exception).take(VISITED).collect(),
        _ => Vec::new(),
    })
}

/// The status of a reply that an exception holds, and its body where that is in memory and says what went wrong.
fn reply(exception: &Bound<'_, PyAny>, types: &Types) -> PyResult<Option<(u16, Option<String>)>> {
    let py = exception.py();
    let own = [
        ("urllib.error.HTTPError", intern!(py, "code")),
        ("aiohttp.client_exceptions.ClientResponseError", intern!(py, "status")),
        ("azure.core.exceptions.HttpResponseError", intern!(py, "status_code")),
        ("kiota_abstractions.api_error.APIError", intern!(py, "response_status_code")),
    ];
    for (known, field) in own {
        if types.has(known) {
            return Ok(status(exception, field)?.map(|status| (status, None)));
        }
    }
    let Some(response) = attribute(exception, intern!(py, "response"))? else { return Ok(None) };
    let Some(status) = status(&response, intern!(py, "status_code"))? else { return Ok(None) };
    // `requests` would read the rest of a stream for `content`; `httpx` raises where there is a rest.
    let loaded = if types.has("requests.exceptions.RequestException") {
        Some(intern!(py, "_content"))
    } else if types.has("httpx.HTTPStatusError") {
        Some(intern!(py, "content"))
    } else {
        None
    };
    let body = match loaded.filter(|_| status >= 400) {
        Some(field) => attribute(&response, field)?,
        None => None,
    };
    let body = body.as_ref().and_then(|body| body.cast::<PyBytes>().ok()).map(|body| {
        let bytes = body.as_bytes();
        String::from_utf8_lossy(&bytes[..bytes.len().min(BODY_BYTES)]).into_owned()
    });
    Ok(Some((status, body.filter(|body| !body.trim().is_empty()))))
}

/// An HTTP status; none of a value that is not 100 to 599.
fn status(value: &Bound<'_, PyAny>, field: &Bound<'_, PyString>) -> PyResult<Option<u16>> {
    let status = number(value, field)?.and_then(|number| u16::try_from(number).ok());
    Ok(status.filter(|status| (100..600).contains(status)))
}

fn number(value: &Bound<'_, PyAny>, field: &Bound<'_, PyString>) -> PyResult<Option<i64>> {
    let number = attribute(value, field)?;
    let is_number = |value: &Bound<'_, PyAny>| value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>();
    Ok(number.filter(is_number).and_then(|number| number.extract().ok()))
}

fn text(value: &Bound<'_, PyAny>, field: &Bound<'_, PyString>) -> PyResult<Option<String>> {
    let text = attribute(value, field)?;
    Ok(text.and_then(|text| text.cast::<PyString>().ok().map(|text| text.to_string_lossy().into_owned())))
}

/// An attribute; none where there is none or where asking for it raises.
fn attribute<'py>(value: &Bound<'py, PyAny>, field: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(tried(value.py(), value.getattr(field))?.filter(|value| !value.is_none()))
}
