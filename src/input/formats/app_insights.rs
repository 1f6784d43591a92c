//! Exceptions of Application Insights: rows of both spellings of its tables, and telemetry as it is sent.
//!
//! The columns hold the two ends of a chain; the middle stands in `Details`.

use crate::input::draft::Draft;
use crate::input::format::Format;
use crate::input::level::Level;
use crate::input::value::Value;

use super::{Adapter, first};

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::AppInsights,
    expected: "a row of Application Insights, an object with `ExceptionType`, `OuterType` or `Details`",
    tells: |value| {
        if let Value::Array(items) = value {
            return is_details(items);
        }
        let has = |name: &str| value.get(name).is_some_and(|value| !value.is_empty());
        let is_row = has("ProblemId") && (has("ExceptionType") || has("type") || has("OuterType"));
        let is_telemetry = value.exact("data").and_then(|data| data.exact("baseData")?.exact("exceptions")).is_some();
        is_row || has("OuterType") && has("InnermostType") || is_telemetry
    },
    shape,
    read,
};

/// Whether a list is the exceptions of one failure rather than a list of rows.
pub(in crate::input) fn is_details(items: &[Value]) -> bool {
    items.first().is_some_and(|item| {
        ["parsedStack", "outerId", "rawStack"].iter().any(|name| item.get(name).is_some())
            && ["type", "typeName", "message"].iter().any(|name| item.get(name).is_some())
            && item.get("problemId").is_none()
    })
}

/// Columns that hold JSON, which exports write as text.
const JSON: [&str; 4] = ["details", "properties", "customDimensions", "measurements"];

fn shape(row: Value) -> Value {
    match row {
        // A list of what stands in `Details`.
        Value::Array(items) => Value::Object(vec![("details".to_owned(), Value::Array(items))]),
        Value::Object(members) => {
            let parsed = telemetry(members).into_iter().map(|(name, value)| {
                let is_json = JSON.iter().any(|column| column.eq_ignore_ascii_case(&name));
                let parsed = value.text().filter(|_| is_json).and_then(|text| Value::read(text.as_bytes()).ok());
                (name, parsed.unwrap_or(value))
            });
            Value::Object(parsed.collect())
        }
        other => other,
    }
}

/// The fields of telemetry as it is sent, `{"data": {"baseData": {…}}}`; those of anything else stay.
fn telemetry(mut members: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let data = members.iter_mut().find(|(name, _)| name == "data").map(|(_, data)| data);
    if let Some(Value::Object(data)) = data
        && let Some((_, Value::Object(base))) = data.iter_mut().find(|(name, _)| name == "baseData")
    {
        let mut base = std::mem::take(base);
        for (name, _) in base.iter_mut().filter(|(name, _)| name == "exceptions") {
            "details".clone_into(name);
        }
        return base;
    }
    members
}

fn read(row: &Value, _: &str, draft: &mut Draft) -> bool {
    draft.id(first(row, &["itemId", "_ItemId"]));
    draft.level = row.get("severityLevel").and_then(Level::of_telemetry);
    let message = first(row, &["message"]).and_then(Value::said);
    if let Some(details) = first(row, &["details"]) {
        if details.text().is_some() {
            draft.note("`Details` is cut off or no JSON; the middle of the chain is unknown");
        }
        draft.exception(details);
    }
    if draft.failure.exceptions.is_empty()
        && first(row, &["outerType"]).is_some()
        && first(row, &["innermostType"]).is_some()
    {
        draft.exception(row);
    }
    if draft.failure.exceptions.is_empty() {
        let pairs = [
            (["outerType"], ["outerMessage"]),
            (["innermostType"], ["innermostMessage"]),
            (["exceptionType"], ["message"]),
            (["type"], ["message"]),
        ];
        let stated = pairs.iter().find_map(|(name, text)| {
            let said = first(row, text).and_then(Value::said).or(message);
            Some((first(row, name)?.said()?, said))
        });
        if let Some((name, said)) = stated {
            draft.state(Some(name), said);
        }
    }
    if draft.failure.exceptions.is_empty() {
        // A row of traces.
        draft.say(message.unwrap_or_default());
    }
    let is_row = !draft.failure.is_empty() || row.get("problemId").is_some() || row.get("severityLevel").is_some();
    for name in ["properties", "customDimensions"] {
        draft.properties(row.get(name));
    }
    is_row
}
