//! Log records of OpenTelemetry: as OTLP writes them in JSON, or with their attributes as fields.

use std::borrow::Cow;

use crate::input::draft::Draft;
use crate::input::exception::is_exception;
use crate::input::format::Format;
use crate::input::level::Level;
use crate::input::value::Value;

use super::{Adapter, first};

const EXCEPTION: [&str; 3] = ["exception.type", "exception.message", "exception.stacktrace"];

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::Otlp,
    expected: "a log record of OpenTelemetry, an object with `body`, `severityText` or `attributes`",
    tells: |value| {
        let has = |name: &str| value.exact(name).is_some();
        has("resourceLogs")
            || has("timeUnixNano")
            || has("observedTimeUnixNano")
            || value.get("body").is_some()
                && (value.get("severityText").is_some() || value.get("severityNumber").is_some())
            || EXCEPTION.iter().any(|name| has(name))
    },
    shape,
    read,
};

/// Values that are written with their kind, inside each other.
const DEPTH: usize = 16;

/// The record with its attributes as plain objects: those of the record, and those of its resource and scope.
fn shape(value: Value) -> Value {
    let (record, around) = match value {
        Value::Object(members) if members.iter().any(|(name, _)| name == "logRecord") => {
            let (record, around): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| name == "logRecord");
            (record.into_iter().next().map_or(Value::Array(Vec::new()), |(_, record)| record), around)
        }
        value => (value, Vec::new()),
    };
    let Value::Object(members) = record else { return record };
    let mut shaped: Vec<(String, Value)> = members.into_iter().map(|(name, value)| shaped(name, value)).collect();
    for (name, value) in around {
        if let Value::Object(members) = value {
            let members = members.into_iter().map(|(name, value)| self::shaped(name, value)).collect();
            shaped.push((name, Value::Object(members)));
        }
    }
    Value::Object(shaped)
}

fn shaped(name: String, value: Value) -> (String, Value) {
    let value = match name.to_ascii_lowercase().as_str() {
        "attributes" | "logattributes" | "resourceattributes" => attributes(value, 0),
        "body" => plain(value, 0),
        "resource" | "scope" => match value {
            Value::Object(members) => {
                Value::Object(members.into_iter().map(|(name, value)| shaped(name, value)).collect())
            }
            other => other,
        },
        _ => value,
    };
    (name, value)
}

/// `[{"key": …, "value": {"stringValue": …}}]` as an object; an object stays one.
fn attributes(value: Value, depth: usize) -> Value {
    let Value::Array(items) = value else { return value };
    let pairs = items.into_iter().filter_map(|item| {
        let Value::Object(members) = item else { return None };
        let mut named = (None, None);
        for (name, value) in members {
            match name.as_str() {
                "key" => named.0 = value.text().map(str::to_owned),
                "value" => named.1 = Some(plain(value, depth + 1)),
                _ => {}
            }
        }
        Some((named.0?, named.1?))
    });
    Value::Object(pairs.collect())
}

/// A value without its kind.
fn plain(value: Value, depth: usize) -> Value {
    let Value::Object(members) = value else { return value };
    let is_kind = members.len() == 1 && members.iter().all(|(name, _)| name.ends_with("Value"));
    if !is_kind || depth > DEPTH {
        return Value::Object(members);
    }
    let Some((kind, value)) = members.into_iter().next() else { return Value::Object(Vec::new()) };
    match (kind.as_str(), value) {
        // 64 bits are written as a string.
        ("intValue", Value::Text(number)) => Value::Bare(number),
        ("arrayValue", Value::Object(members)) => {
            let values = members.into_iter().find(|(name, _)| name == "values").map(|(_, values)| values);
            let Some(Value::Array(items)) = values else { return Value::Array(Vec::new()) };
            Value::Array(items.into_iter().map(|item| plain(item, depth + 1)).collect())
        }
        ("kvlistValue", Value::Object(members)) => {
            let values = members.into_iter().find(|(name, _)| name == "values").map(|(_, values)| values);
            attributes(values.unwrap_or(Value::Array(Vec::new())), depth + 1)
        }
        (_, value) => value,
    }
}

fn read(record: &Value, _: &str, draft: &mut Draft) -> bool {
    let attributes = first(record, &["attributes", "LogAttributes"]);
    let body = record.get("body");
    let severity = (record.get("severityNumber").and_then(Value::number), first(record, &["severityText"]));
    let is_flat = EXCEPTION.iter().any(|name| record.exact(name).is_some());
    if !record.members().iter().any(|(name, _)| name.eq_ignore_ascii_case("timeUnixNano"))
        && attributes.is_none()
        && body.is_none()
        && severity == (None, None)
        && !is_flat
    {
        return false;
    }
    draft.level = severity.0.and_then(Level::of_severity).or_else(|| severity.1.and_then(Level::of));
    if let Some(body) = body {
        let message = body.said().or_else(|| first(body, &["message", "msg", "Message"])?.said());
        draft.say(message.unwrap_or_default());
        draft.properties(Some(body));
    }
    let attributes = if is_flat { record } else { attributes.unwrap_or(record) };
    exception(attributes, draft);
    draft.properties(Some(attributes));
    let resource = record.exact("resource").and_then(|resource| resource.exact("attributes"));
    draft.properties(resource);
    draft.properties(record.get("ResourceAttributes"));
    true
}

/// `exception.type`, `exception.message` and `exception.stacktrace`, of which the last one mostly is all of the exception as
/// its runtime prints it, with those inside of it.
fn exception(attributes: &Value, draft: &mut Draft) {
    let [type_name, message, stack] = EXCEPTION.map(|name| attributes.exact(name).and_then(Value::said));
    let type_name = type_name.map(str::trim);
    let type_name =
        type_name.or_else(|| attributes.exact("error.type").and_then(Value::said).filter(|name| is_exception(name)));
    if let Some(stack) = stack {
        if type_name.is_none_or(|name| is_printed(stack, name)) {
            draft.paste(stack);
            return;
        }
        draft.failure.stack_trace = Some(Cow::Owned(stack.to_owned()));
    }
    draft.state(type_name, message);
}

/// Whether a stack trace names its exception: in front, or behind as Python does.
fn is_printed(stack: &str, type_name: &str) -> bool {
    let stack = stack.trim();
    stack.starts_with(type_name)
        || stack.starts_with("Traceback") && stack.lines().last().is_some_and(|last| last.trim().starts_with(type_name))
}
