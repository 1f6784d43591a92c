//! A serialized .NET exception: what Newtonsoft writes of `ISerializable` (`ClassName`, `Message`, `InnerException`, …), what
//! ASP.NET sends (`ExceptionType`, `ExceptionMessage`), and objects with `Type` and `Message`.

use crate::input::draft::Draft;
use crate::input::format::Format;
use crate::input::value::Value;

use super::{Adapter, as_it_is};

/// Fields that a serialized exception has beside its message.
const BESIDE: [&str; 8] = [
    "InnerException",
    "InnerExceptions",
    "StackTraceString",
    "RemoteStackTraceString",
    "HResult",
    "StackTrace",
    "ExceptionMethod",
    "Data",
];

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::Exception,
    expected: "a serialized exception, an object with `ClassName` (or `Type`) and `Message`",
    tells: |value| {
        let is_typed =
            ["ClassName", "ExceptionType"].iter().any(|name| value.exact(name).is_some_and(|v| v.said().is_some()));
        is_typed
            && ["Message", "ExceptionMessage"].iter().any(|name| value.exact(name).is_some())
            && BESIDE.iter().any(|name| value.exact(name).is_some())
    },
    shape: as_it_is,
    read,
};

fn read(value: &Value, _: &str, draft: &mut Draft) -> bool {
    if let (Some(_), Some(outer)) = (value.exact("ExceptionMessage"), value.exact("Message").and_then(Value::said)) {
        draft.say(outer);
    }
    draft.exception(value);
    !draft.failure.exceptions.is_empty()
}
