//! Exceptions that a program wrote as JSON: Newtonsoft, ASP.NET, Serilog, Application Insights, OpenTelemetry, Sentry, MSAL.
//!
//! An object is one only when it names its type; an error body of a remote side never does.

use super::body::{self, Body, Stated};
use super::bounds::EXCEPTION_LIMIT;
use super::json::Value;
use super::types;

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

/// Reads a value that is an exception as a whole; `false` when it is none.
pub(super) fn read(value: &Value, body: &mut Body) -> bool {
    match value {
        Value::Array(items) => read_rows(items, body),
        Value::Object(_) => read_object(value, body),
        _ => false,
    }
}

/// Reads a member that holds an exception: `exception`, `error`, `details`.
pub(super) fn read_member(norm: &str, member: &Value, body: &mut Body) -> bool {
    match norm {
        "exception" | "exceptions" | "exceptioninfo" | "exceptiondetail" | "exceptiondetails" | "innerexception" => {
            let values = member.get("values").unwrap_or(member);
            if let Value::Array(items) = values
                && items.iter().any(|item| item.get("value").is_some() && item.get("type").is_some())
            {
                return read_sentry(items, body);
            }
            read(member, body)
        }
        "details" | "parsedexceptions" | "rawexception" => matches!(member, Value::Array(_)) && read(member, body),
        _ => false,
    }
}

fn read_object(object: &Value, body: &mut Body) -> bool {
    if read_telemetry_row(object, body) {
        return true;
    }
    let Some(type_name) = type_of(object) else {
        return false;
    };
    if let Some(code) = object.get("error_code").and_then(Value::text) {
        body::push_code(code, body);
    }
    if object.get("ExceptionMessage").is_some()
        && let Some(outer) = object.get("Message").and_then(Value::text)
    {
        body.said.push(outer.to_owned());
    }
    push_chain(object, &type_name, None, 0, body);
    true
}

fn push_chain(object: &Value, type_name: &str, parent: Option<usize>, depth: usize, body: &mut Body) {
    if depth > EXCEPTION_LIMIT || body.exceptions.len() >= EXCEPTION_LIMIT {
        return;
    }
    let index = body.exceptions.len();
    body.exceptions.push(Stated {
        type_name: Some(type_name.to_owned()),
        message: message_of(object),
        numbers: numbers_of(object),
        parent,
    });
    let many = object.get("InnerExceptions").or_else(|| object.get("inner_exceptions"));
    if let Some(Value::Array(items)) = many
        && !items.is_empty()
    {
        for item in items {
            if let Some(inner) = type_of(item) {
                push_chain(item, &inner, Some(index), depth + 1, body);
            }
        }
        return;
    }
    for key in INNER {
        if let Some(item) = object.get(key)
            && let Some(inner) = type_of(item)
        {
            push_chain(item, &inner, Some(index), depth + 1, body);
            return;
        }
    }
}

fn type_of(object: &Value) -> Option<String> {
    let sure =
        TYPE.iter().find_map(|key| object.get(key)?.text()).filter(|name| !name.contains(' ') || name.contains(','));
    let maybe = || {
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

fn is_exception(name: &str) -> bool {
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

/// `details` of Application Insights: a flat list in which `outerId` names the exception that wraps.
fn read_rows(items: &[Value], body: &mut Body) -> bool {
    let rows: Vec<(&Value, String)> = items
        .iter()
        .filter(|item| ["outerId", "parsedStack", "id"].iter().any(|key| item.get(key).is_some()))
        .filter_map(|item| Some((item, item.get("type")?.text()?.to_owned())))
        .take(EXCEPTION_LIMIT)
        .collect();
    let first = body.exceptions.len();
    for (index, (item, type_name)) in rows.iter().enumerate() {
        let outer = item.get("outerId").and_then(Value::number);
        let parent = rows[..index]
            .iter()
            .position(|(other, _)| outer.is_some() && other.get("id").and_then(Value::number) == outer);
        body.exceptions.push(Stated {
            type_name: Some(type_name.clone()),
            message: message_of(item),
            numbers: Vec::new(),
            parent: parent.or(index.checked_sub(1)).map(|p| p + first),
        });
    }
    !rows.is_empty()
}

/// A row of the table of exceptions of Application Insights: only the two ends of the chain are columns.
fn read_telemetry_row(object: &Value, body: &mut Body) -> bool {
    let pair = |kind: &str| {
        let name = object.get(&format!("{kind}Type"))?.text().filter(|name| !name.is_empty())?;
        Some((
            name.to_owned(),
            object.get(&format!("{kind}Message")).and_then(Value::text).unwrap_or_default().to_owned(),
        ))
    };
    let (Some(outer), Some(inner)) = (pair("Outer"), pair("Innermost")) else {
        return false;
    };
    let ends = if outer == inner { vec![outer] } else { vec![outer, inner] };
    for (index, (type_name, message)) in ends.into_iter().enumerate() {
        body.exceptions.push(Stated {
            type_name: Some(type_name),
            message,
            numbers: Vec::new(),
            parent: index.checked_sub(1),
        });
    }
    true
}

/// Sentry lists the innermost exception first.
fn read_sentry(items: &[Value], body: &mut Body) -> bool {
    for item in items.iter().rev().take(EXCEPTION_LIMIT) {
        let Some(name) = item.get("type").and_then(Value::text) else {
            continue;
        };
        let module = item.get("module").and_then(Value::text).filter(|_| !name.contains('.'));
        let type_name = module.map_or_else(|| name.to_owned(), |module| format!("{module}.{name}"));
        let parent = body.exceptions.len().checked_sub(1);
        body.exceptions.push(Stated {
            type_name: Some(type_name),
            message: message_of(item),
            numbers: Vec::new(),
            parent,
        });
    }
    !body.exceptions.is_empty()
}
