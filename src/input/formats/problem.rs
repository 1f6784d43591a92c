//! Problem details of RFC 9457. `type` is the address of a description, never the type of an exception.

use crate::input::draft::Draft;
use crate::input::format::Format;
use crate::input::text::body::code_word;
use crate::input::value::Value;

use super::{Adapter, as_it_is};

/// Names that make an object something else.
const OTHERS: [&str; 6] = ["error", "level", "exception", "event_id", "ClassName", "message"];

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::Problem,
    expected: "problem details, an object with `title`, `detail` or `status`",
    tells: |value| {
        let has = |name: &str| value.exact(name).is_some();
        let is_reference =
            value.exact("type").and_then(Value::text).is_some_and(|text| text.contains([':', '/']) || text.is_empty());
        let is_told = has("title") || has("detail");
        let is_problem = is_reference || has("instance") || has("traceId");
        is_told && has("status") && is_problem && !OTHERS.iter().any(|name| has(name))
    },
    shape: as_it_is,
    read,
};

fn read(problem: &Value, _: &str, draft: &mut Draft) -> bool {
    let told = ["title", "detail"].map(|name| problem.exact(name).and_then(Value::said));
    let status = problem.exact("status");
    if told.iter().all(Option::is_none) && status.and_then(Value::number).is_none() {
        return false;
    }
    for text in told.into_iter().flatten() {
        draft.say(text);
    }
    if let Some(status) = status {
        draft.status(status);
    }
    if let Some(errors) = problem.exact("errors") {
        // ASP.NET lists what is wrong with each field; the specification's own example a list of details.
        for (field, texts) in errors.members() {
            for text in texts.items().iter().filter_map(Value::said) {
                draft.say(&format!("{field}: {text}"));
            }
        }
        for text in errors.items().iter().filter_map(|error| error.exact("detail")?.said()) {
            draft.say(text);
        }
    }
    // Extension members in which services put their code.
    for name in ["code", "errorCode", "error_code"] {
        if let Some(code) = problem.exact(name).and_then(Value::text).and_then(code_word) {
            draft.code(code);
        }
    }
    true
}
