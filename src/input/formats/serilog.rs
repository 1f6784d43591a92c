//! Serilog's `JsonFormatter`, and the structured exceptions of its sink for Loki.

use std::borrow::Cow;

use crate::input::draft::Draft;
use crate::input::format::Format;
use crate::input::level::Level;
use crate::input::value::Value;

use super::{Adapter, as_it_is, first, template};

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::Serilog,
    expected: "an event of Serilog's JSON formatter, an object with `MessageTemplate`, `RenderedMessage` or `Exception`",
    tells: |value| {
        value.exact("MessageTemplate").is_some()
            && ["Timestamp", "Level", "level"].iter().any(|name| value.exact(name).is_some())
    },
    shape: as_it_is,
    read,
};

fn read(event: &Value, _: &str, draft: &mut Draft) -> bool {
    let template = event.exact("MessageTemplate");
    let rendered = first(event, &["RenderedMessage", "Message"]);
    let exception = event.get("Exception");
    if template.is_none() && rendered.is_none() && exception.is_none() {
        return false;
    }
    draft.level = event.get("Level").and_then(Level::of);
    // The sink for Loki writes properties beside the rest.
    let properties = event.exact("Properties").unwrap_or(event);
    if let Some(message) = rendered.and_then(Value::said) {
        draft.say(message);
    } else if let Some(template) = template.and_then(Value::text) {
        draft.say(&template::render(template, |hole| {
            let rendering = hole.has_format.then(|| rendering(event, hole.name)).flatten();
            rendering.or_else(|| properties.exact(hole.name)?.shown())
        }));
    }
    match exception {
        Some(exception) => draft.exception(exception),
        None => {
            if let Some(detail) = properties.exact("ExceptionDetail") {
                draft.exception(detail);
            }
        }
    }
    draft.properties(Some(properties));
    true
}

/// How a property with a format was written: `"Renderings": {"Name": [{"Format": "…", "Rendering": "…"}]}`.
fn rendering<'v>(event: &'v Value, name: &str) -> Option<Cow<'v, str>> {
    event.exact("Renderings")?.exact(name)?.items().first()?.exact("Rendering")?.shown()
}
