//! Events of Sentry: `exception.values` runs from the innermost to the outermost.

use crate::input::draft::Draft;
use crate::input::format::Format;
use crate::input::level::Level;
use crate::input::value::Value;

use super::{Adapter, first};

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::Sentry,
    expected: "an event of Sentry, an object with `exception`, `logentry` or `message` and `event_id`",
    tells: |value| {
        let values = value.exact("exception").and_then(|exception| exception.exact("values"));
        matches!(values, Some(Value::Array(_)))
            || value.exact("event_id").is_some()
                && ["exception", "platform", "logentry"].iter().any(|name| value.exact(name).is_some())
    },
    shape,
    read,
};

/// Puts tags into an object; they are also written as a list of pairs.
fn shape(mut event: Value) -> Value {
    if let Value::Object(members) = &mut event {
        for (_, tags) in members.iter_mut().filter(|(name, tags)| name == "tags" && matches!(tags, Value::Array(_))) {
            let pairs = tags.items().iter().filter_map(|tag| match tag.items() {
                [name, value] => Some((name.text()?.to_owned(), value.clone())),
                _ => Some((tag.exact("key")?.text()?.to_owned(), tag.exact("value")?.clone())),
            });
            *tags = Value::Object(pairs.collect());
        }
    }
    event
}

fn read(event: &Value, _: &str, draft: &mut Draft) -> bool {
    let (exception, entry) = (event.exact("exception"), event.exact("logentry"));
    let message = entry.and_then(|entry| first(entry, &["formatted", "message"]));
    let message = message.or_else(|| {
        let message = event.exact("message")?;
        first(message, &["formatted", "message"]).or(Some(message))
    });
    if exception.is_none() && message.is_none() && event.exact("event_id").is_none() {
        return false;
    }
    draft.id(event.exact("event_id"));
    draft.level = event.exact("level").and_then(Level::of);
    draft.say(message.and_then(Value::said).unwrap_or_default());
    if let Some(exception) = exception {
        let values = exception.exact("values").unwrap_or(exception);
        let one = std::slice::from_ref(values);
        let values = if let Value::Array(values) = values { values } else { one };
        draft.sentry(values);
    }
    for name in ["tags", "extra"] {
        draft.properties(event.exact(name));
    }
    // What a client reported of the reply that it got.
    let response = event.exact("contexts").and_then(|contexts| contexts.exact("response"));
    if let Some(status) = response.and_then(|response| response.exact("status_code")) {
        draft.status(status);
    }
    true
}
