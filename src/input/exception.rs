//! Exceptions that a program wrote as JSON: Newtonsoft, ASP.NET, Serilog, NLog, Application Insights, Sentry, MSAL.
//!
//! Serves pasted text and records of other formats. In a text an object is an exception only when it names its type; an
//! error body of a remote side never does. Where a format says that an exception stands here (`read_known`), one without
//! a type is an exception of unknown type.
//!
//! References of `ReferenceHandler.Preserve` and Newtonsoft (`$id`, `$ref`) are followed; one that leads back to an
//! exception around it is cut.

use std::collections::HashMap;

use super::text::bounds::EXCEPTION_LIMIT;
use super::text::{body as codes, http, types};
use super::value::Value;

/// An exception as it was stated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stated {
    /// The type, when it is named.
    pub(super) type_name: Option<String>,
    /// The message.
    pub(super) message: String,
    /// SQL and socket numbers.
    pub(super) numbers: Vec<i64>,
    /// The index of the exception that wraps it, among those stated together.
    pub(super) parent: Option<usize>,
}

/// What JSON states about exceptions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Found {
    /// The exceptions, from the outermost to the innermost.
    pub(super) exceptions: Vec<Stated>,
    /// What is said outside of them.
    pub(super) said: Vec<String>,
    /// Codes of the remote side.
    pub(super) codes: Vec<String>,
    /// The HTTP status of the reply that they are about.
    pub(super) status: Option<u16>,
    /// Whether a chain led back to itself and was cut.
    pub(super) is_cut: bool,
}

/// Keys that always hold the type of an exception.
const TYPE: &[&str] = &[
    "ClassName",
    "ExceptionType",
    "exception_type",
    "exception.type",
    "Exception.Type",
    "typeName",
    "$type",
    "error.type",
    "exceptionClass",
];
/// Keys that hold the type of many things, and so count only when the value ends like an exception.
const MAYBE_TYPE: &[&str] = &["type", "exception", "name"];
const MESSAGE: &[&str] = &[
    "ExceptionMessage",
    "exception_message",
    "exception.message",
    "error.message",
    "Message",
    "value",
    "error_description",
];
const INNER: &[&str] = &["InnerException", "inner_exception", "inner", "cause"];
const INNERS: &[&str] = &["InnerExceptions", "inner_exceptions"];

/// Exceptions that are looked at, also when references lead to the same one again and again.
const VISITS: usize = 4096;
/// How deep exceptions are followed; what is parsed has no more levels, but references may lead on.
const DEPTH: usize = 128;

/// Reads a value that is an exception as a whole; `false` when it is none.
pub(super) fn read(value: &Value, found: &mut Found) -> bool {
    match value {
        Value::Array(items) => read_rows(items, found),
        Value::Object(_) => read_object(value, found),
        _ => false,
    }
}

/// Reads an exception where a format says that there is one: an object, or a list of them from the outermost to the
/// innermost; `false` when it says nothing.
pub(super) fn read_known(value: &Value, found: &mut Found) -> bool {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let first = found.exceptions.len();
            if read_rows(items, found) {
                return true;
            }
            for item in items.iter().take(VISITS) {
                let parent = found.exceptions.len().checked_sub(1).filter(|last| *last >= first);
                Walk::new(item, true).push(item, parent, found);
            }
            found.exceptions.len() > first
        }
        Value::Object(_) => read_telemetry_row(value, found) || Walk::new(value, true).push(value, None, found),
        _ => false,
    }
}

/// Reads a member that holds an exception: `exception`, `error`, `details`.
pub(super) fn read_member(norm: &str, member: &Value, found: &mut Found) -> bool {
    match norm {
        "exception" | "exceptions" | "exceptioninfo" | "exceptiondetail" | "exceptiondetails" | "innerexception" => {
            let values = member.get("values").unwrap_or(member);
            if let Value::Array(items) = values
                && items.iter().any(|item| item.get("value").is_some() && item.get("type").is_some())
            {
                return read_sentry(items, found);
            }
            read(member, found)
        }
        "details" | "parsedexceptions" | "rawexception" => matches!(member, Value::Array(_)) && read(member, found),
        _ => false,
    }
}

fn read_object(object: &Value, found: &mut Found) -> bool {
    if read_telemetry_row(object, found) {
        return true;
    }
    if type_of(object, false).is_none() {
        return false;
    }
    if object.get("ExceptionMessage").is_some()
        && let Some(outer) = object.get("Message").and_then(Value::text)
    {
        found.said.push(outer.to_owned());
    }
    Walk::new(object, false).push(object, None, found)
}

/// A walk along an exception and those inside of it.
struct Walk<'v> {
    /// The objects that have an `$id`.
    named: HashMap<&'v str, &'v Value>,
    /// The exceptions around the next one.
    path: Vec<*const Value>,
    /// Whether an exception is known to stand here.
    is_known: bool,
    visits: usize,
}

impl<'v> Walk<'v> {
    fn new(root: &'v Value, is_known: bool) -> Self {
        let mut named = HashMap::new();
        if root.exact("$id").is_some() {
            name(root, &mut named, 0);
        }
        Self { named, path: Vec::new(), is_known, visits: 0 }
    }

    /// Pushes an exception and those inside of it; `false` when the value is none.
    fn push(&mut self, value: &'v Value, parent: Option<usize>, found: &mut Found) -> bool {
        let Some(object) = self.resolved(value) else {
            return false;
        };
        let type_name = type_of(object, self.is_known);
        let message = message_of(object);
        if type_name.is_none() && (!self.is_known || message.is_empty() && !has_inner(object)) {
            return false;
        }
        if self.path.contains(&std::ptr::from_ref(object)) || self.path.len() >= DEPTH {
            found.is_cut = true;
            return false;
        }
        self.visits += 1;
        if self.visits > VISITS {
            return false;
        }
        // Beyond the limit only the innermost one counts; one too many says that some are missing.
        if found.exceptions.len() > EXCEPTION_LIMIT {
            found.exceptions.pop();
        }
        let index = found.exceptions.len();
        let parent = parent.filter(|parent| *parent < index);
        found.exceptions.push(Stated { type_name, message, numbers: numbers_of(object), parent });
        facts_of(object, found);
        self.path.push(std::ptr::from_ref(object));
        let many = INNERS.iter().find_map(|key| object.get(key)).map_or(&[][..], Value::items);
        if many.is_empty() {
            for key in INNER {
                if object.get(key).is_some_and(|inner| self.push(inner, Some(index), found)) {
                    break;
                }
            }
        } else {
            for inner in many {
                self.push(inner, Some(index), found);
            }
        }
        self.path.pop();
        true
    }

    /// What a reference stands for; anything else stands for itself.
    fn resolved(&self, value: &'v Value) -> Option<&'v Value> {
        match value.exact("$ref") {
            Some(id) => self.named.get(id.text()?).copied(),
            None => Some(value),
        }
    }
}

/// Lists the objects that have an `$id`.
fn name<'v>(value: &'v Value, named: &mut HashMap<&'v str, &'v Value>, depth: usize) {
    if let Some(id) = value.exact("$id").and_then(Value::text) {
        named.entry(id).or_insert(value);
    }
    if depth < DEPTH {
        for (_, member) in value.members() {
            name(member, named, depth + 1);
        }
        if let Value::Array(items) = value {
            for item in items {
                name(item, named, depth + 1);
            }
        }
    }
}

fn has_inner(object: &Value) -> bool {
    INNER
        .iter()
        .chain(INNERS)
        .any(|key| object.get(key).is_some_and(|inner| !inner.members().is_empty() || !inner.items().is_empty()))
}

/// The type of an exception. Where nothing says that the object is one, a name that many things have does not count.
fn type_of(object: &Value, is_known: bool) -> Option<String> {
    let sure =
        TYPE.iter().find_map(|key| object.get(key)?.text()).filter(|name| !name.contains(' ') || name.contains(','));
    let maybe = || {
        if is_known {
            return object.get("type").and_then(Value::said).filter(|name| !name.contains("://"));
        }
        // The type of a thing is an exception's only beside a message of it.
        MESSAGE.iter().find(|key| object.get(key).is_some())?;
        MAYBE_TYPE[..2].iter().find_map(|key| object.get(key)?.text()).filter(|name| is_exception(name))
    };
    let name = sure.or_else(maybe)?;
    let name = name.split(", ").next().unwrap_or(name).trim();
    if name.is_empty() || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    if name.starts_with("Msal") && !name.contains('.') {
        return Some(format!("Microsoft.Identity.Client.{name}"));
    }
    Some(name.to_owned())
}

/// Whether a word is the name of an exception type.
pub(super) fn is_exception(name: &str) -> bool {
    let name = name.split(", ").next().unwrap_or(name).trim();
    types::leading(name).is_some_and(|token| token.after == name.len() && !types::is_label(name))
        && (types::is_qualified(name) || types::is_camel(name))
}

fn message_of(object: &Value) -> String {
    MESSAGE.iter().find_map(|key| object.get(key)?.text()).unwrap_or_default().trim().to_owned()
}

fn numbers_of(object: &Value) -> Vec<i64> {
    let event = object.get("Data").and_then(|data| data.get("HelpLink.EvtID"));
    ["Number", "NativeErrorCode"]
        .iter()
        .filter_map(|key| object.get(key)?.number())
        .chain(event.and_then(Value::number))
        .fold(Vec::new(), |mut numbers, number| {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
            numbers
        })
}

/// What an exception's own properties say about the reply that it stands for: those of MSAL, Microsoft Graph and
/// `HttpRequestException`.
fn facts_of(object: &Value, found: &mut Found) {
    let error = object.get("Error").and_then(|error| error.get("Code"));
    let own = ["error_code", "ErrorCode"].iter().filter_map(|key| object.get(key));
    for code in own.chain(error).filter_map(Value::text).filter_map(codes::code_word) {
        if !found.codes.iter().any(|known| known == code) {
            found.codes.push(code.to_owned());
        }
    }
    if found.status.is_none() {
        let status = ["StatusCode", "ResponseStatusCode"].iter().find_map(|key| object.get(key));
        found.status = status.and_then(status_of);
    }
}

/// A status as a number, or as the name that .NET has for it.
pub(super) fn status_of(value: &Value) -> Option<u16> {
    match value.number() {
        Some(number) => u16::try_from(number).ok().filter(|status| (100..600).contains(status)),
        None => http::named(value.said()?.trim()),
    }
}

/// `details` of Application Insights: a flat list in which `outerId` names the exception that wraps.
fn read_rows(items: &[Value], found: &mut Found) -> bool {
    let rows: Vec<(&Value, Option<&str>)> = items
        .iter()
        .filter(|item| ["outerId", "parsedStack", "id"].iter().any(|key| item.get(key).is_some()))
        .filter_map(|item| {
            let name = ["type", "typeName"].iter().find_map(|key| item.get(key)?.said());
            (name.is_some() || !message_of(item).is_empty()).then_some((item, name))
        })
        .take(EXCEPTION_LIMIT + 1)
        .collect();
    let first = found.exceptions.len();
    for (index, (item, type_name)) in rows.iter().enumerate() {
        let outer = item.get("outerId").and_then(Value::number);
        let parent = rows[..index]
            .iter()
            .position(|(other, _)| outer.is_some() && other.get("id").and_then(Value::number) == outer);
        found.exceptions.push(Stated {
            type_name: type_name.map(|name| name.trim().to_owned()),
            message: message_of(item),
            numbers: Vec::new(),
            parent: parent.or(index.checked_sub(1)).map(|p| p + first),
        });
    }
    !rows.is_empty()
}

/// A row of the table of exceptions of Application Insights: only the two ends of the chain are columns.
fn read_telemetry_row(object: &Value, found: &mut Found) -> bool {
    let pair = |kind: &str| {
        let name = object.get(&format!("{kind}Type"))?.said()?;
        let message = object.get(&format!("{kind}Message")).and_then(Value::text).unwrap_or_default();
        Some((name.trim().to_owned(), message.to_owned()))
    };
    let (Some(outer), Some(inner)) = (pair("Outer"), pair("Innermost")) else {
        return false;
    };
    let ends = if outer == inner { vec![outer] } else { vec![outer, inner] };
    let first = found.exceptions.len();
    for (index, (type_name, message)) in ends.into_iter().enumerate() {
        found.exceptions.push(Stated {
            type_name: Some(type_name),
            message,
            numbers: Vec::new(),
            parent: index.checked_sub(1).map(|parent| parent + first),
        });
    }
    true
}

/// Sentry lists the innermost exception first; those of a group name the one that wraps them.
pub(super) fn read_sentry(items: &[Value], found: &mut Found) -> bool {
    let first = found.exceptions.len();
    let mut ids = Vec::new();
    for item in items.iter().rev() {
        let name = item.get("type").and_then(Value::said).map(str::trim);
        let message = message_of(item);
        if name.is_none() && message.is_empty() {
            continue;
        }
        if found.exceptions.len() > first + EXCEPTION_LIMIT {
            found.exceptions.pop();
            ids.pop();
        }
        let module = item.get("module").and_then(Value::said).map(str::trim);
        let type_name = name.map(|name| match module.filter(|_| !name.contains('.')) {
            // The name of an assembly is no namespace.
            Some(module) if !module.contains(", ") => format!("{module}.{name}"),
            _ => name.to_owned(),
        });
        let mechanism = |key: &str| item.get("mechanism").and_then(|mechanism| mechanism.get(key)?.number());
        let named = mechanism("parent_id").and_then(|parent| ids.iter().position(|id| *id == Some(parent)));
        let parent = named.or(ids.len().checked_sub(1)).map(|parent| parent + first);
        ids.push(mechanism("exception_id"));
        found.exceptions.push(Stated { type_name, message, numbers: Vec::new(), parent });
    }
    found.exceptions.len() > first
}
