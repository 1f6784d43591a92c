//! Serilog's compact JSON, one event a line: `@t`, `@mt` or `@m`, `@l`, `@x`, and the properties beside them.

use std::borrow::Cow;

use crate::input::draft::Draft;
use crate::input::format::Format;
use crate::input::level::Level;
use crate::input::value::Value;

use super::{Adapter, as_it_is, template};

pub(super) const ADAPTER: Adapter = Adapter {
    format: Format::Clef,
    expected: "an event of Serilog's compact JSON, an object with `@t` and `@m`, `@mt` or `@x`",
    tells: |value| value.exact("@t").is_some(),
    shape: as_it_is,
    read,
};

fn read(event: &Value, _: &str, draft: &mut Draft) -> bool {
    if ["@t", "@m", "@mt", "@x"].iter().all(|name| event.exact(name).is_none()) {
        return false;
    }
    // An event without a level is an ordinary one.
    draft.level = event.exact("@l").map_or(Some(Level::Information), Level::of);
    if let Some(message) = event.exact("@m").and_then(Value::said) {
        draft.say(message);
    } else if let Some(text) = event.exact("@mt").and_then(Value::text) {
        let renderings: Vec<Cow<'_, str>> =
            event.exact("@r").map_or(&[][..], Value::items).iter().filter_map(Value::shown).collect();
        let mut renderings = renderings.into_iter();
        draft.say(&template::render(text, |hole| {
            // `@r` has one text for each hole with a format, in order.
            let rendered = if hole.has_format { renderings.next() } else { None };
            rendered.or_else(|| property(event, hole.name)?.shown())
        }));
    }
    match event.exact("@x") {
        Some(exception) => draft.exception(exception),
        // Serilog.Exceptions writes the exception as a property as well.
        None => {
            if let Some(detail) = event.exact("ExceptionDetail") {
                draft.exception(detail);
            }
        }
    }
    draft.properties(Some(event));
    true
}

/// A property; one whose name begins with `@` is written with two.
fn property<'v>(event: &'v Value, name: &str) -> Option<&'v Value> {
    match name.strip_prefix('@') {
        Some(_) => event.exact(&format!("@{name}")),
        None => event.exact(name),
    }
}
