//! JSON layouts of NLog, and other log lines as JSON: the names of fields are the user's, so the usual ones are known and
//! all others are given with `--map`.

use crate::input::draft::Draft;
use crate::input::exception::is_exception;
use crate::input::format::Format;
use crate::input::level::Level;
use crate::input::value::Value;

use super::{Adapter, as_it_is, first};

const LEVEL: [&str; 3] = ["level", "loglevel", "severity"];
const MESSAGE: [&str; 3] = ["message", "msg", "renderedMessage"];
const TIME: [&str; 7] = ["time", "timestamp", "@timestamp", "longdate", "date", "ts", "logger"];
const EXCEPTION: [&str; 3] = ["exception", "exceptions", "ex"];
const TYPE: [&str; 3] = ["exceptionType", "exception_type", "exception.type"];
const TYPE_MESSAGE: [&str; 3] = ["exceptionMessage", "exception_message", "exception.message"];
const STACK: [&str; 3] = ["stackTrace", "stack_trace", "exceptionStackTrace"];
const INNER: [&str; 2] = ["innerException", "inner_exception"];
/// Objects in which event properties stand when they do not stand beside the rest.
const PROPERTIES: [&str; 5] = ["properties", "eventProperties", "scopeProperties", "mdlc", "scope"];

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::Nlog,
    expected: "a log line as JSON, an object with `level`, `message` or `exception`",
    tells: |value| {
        first(value, &LEVEL).and_then(Level::of).is_some()
            && first(value, &MESSAGE).is_some()
            && TIME.iter().chain(&EXCEPTION).any(|name| value.get(name).is_some())
    },
    shape: as_it_is,
    read,
};

fn read(event: &Value, _: &str, draft: &mut Draft) -> bool {
    let (level, message) = (first(event, &LEVEL), first(event, &MESSAGE));
    let (exception, type_name) = (first(event, &EXCEPTION), first(event, &TYPE).and_then(Value::said));
    if level.is_none() && message.is_none() && exception.is_none() && type_name.is_none() {
        return false;
    }
    draft.level = level.and_then(Level::of);
    draft.say(message.and_then(Value::said).unwrap_or_default());
    let type_message = first(event, &TYPE_MESSAGE).and_then(Value::said);
    match (exception, type_name) {
        // `${exception:format=Message}`, with the type in a field of its own.
        (Some(Value::Text(text)), Some(name)) if !text.contains(name) => {
            draft.state(Some(name), type_message.or(Some(text)));
        }
        // `${exception:format=Type}`, with the message in a field of its own.
        (Some(Value::Text(name)), None) if type_message.is_some() && is_exception(name) => {
            draft.state(Some(name), type_message);
        }
        (Some(exception), _) => draft.exception(exception),
        (None, Some(name)) => draft.state(Some(name), type_message),
        (None, None) => {}
    }
    if let Some(Value::Text(inner)) = first(event, &INNER) {
        draft.paste(inner);
    }
    if let Some(stack) = first(event, &STACK).and_then(Value::said) {
        // A stack trace may be all of `ToString()`; one that has no header says nothing but frames.
        if draft.has_exception() || type_name.is_some() {
            draft.failure.stack_trace.get_or_insert_with(|| stack.to_owned().into());
        } else {
            draft.paste(stack);
        }
    }
    draft.properties(Some(event));
    for name in PROPERTIES {
        draft.properties(event.get(name));
    }
    true
}
