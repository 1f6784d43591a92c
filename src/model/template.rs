//! Message templates: text with `{{ variable | filter('…') }}` in it, and nothing else.
//!
//! Templates are rendered by minijinja; what it could do beyond expressions and filters is refused here, so that a rule
//! file can neither loop nor call. Variables and defaults are known without rendering.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::limits;
use crate::diagnostic::{did_you_mean, floor_char_boundary};

/// A checked message template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    variables: Vec<Variable>,
}

/// A variable of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether the template says what to show without it.
    pub has_default: bool,
}

/// Why a template is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// What is wrong.
    pub message: String,
    /// The part that is wrong, in bytes.
    pub range: Option<Range<usize>>,
    /// What to type instead.
    pub help: String,
    /// Whether the template is only too long.
    pub is_limit: bool,
}

const FILTERS: &[&str] =
    &["default", "d", "trim", "upper", "lower", "replace", "title", "capitalize", "first", "last", "length"];

/// An argument of a filter: a text without escapes, a number or a truth value.
const ARGUMENT: &str = r#"(?:'[^'\\]*'|"[^"\\]*"|[0-9]+|true|false)"#;

/// A filter with its name and its arguments.
static FILTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"\|\s*([a-z_]+)(?:\(\s*(?:{ARGUMENT}(?:\s*,\s*{ARGUMENT})*)?\s*\))?")).ok());

/// One expression: a name and filters.
static EXPRESSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^\s*([a-z_][a-z0-9_]*)(?:\s*\|\s*[a-z_]+(?:\(\s*(?:{ARGUMENT}(?:\s*,\s*{ARGUMENT})*)?\s*\))?)*\s*$"
    ))
    .ok()
});

/// `replace` with both of its arguments.
static REPLACE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"replace\(\s*({ARGUMENT})\s*,\s*({ARGUMENT})")).ok());

/// Whether a replacement is longer than what it replaces: a chain of them would multiply the text.
fn grows(found: &regex::Captures<'_>) -> bool {
    found[2].len() > found[1].len() || found[1].len() <= 2
}

impl Template {
    /// The failure fields that every template may use; those that a failure does not have render as nothing.
    pub const FIELDS: [&'static str; 11] = [
        "id",
        "connector",
        "operation",
        "phase",
        "http_status",
        "exception",
        "message",
        "inner_message",
        "provider_code",
        "error_number",
        "title",
    ];

    /// Names that the template language takes for itself.
    pub const WORDS: [&'static str; 11] =
        ["true", "false", "none", "and", "or", "not", "in", "is", "if", "else", "loop"];

    /// Reads a template.
    ///
    /// # Errors
    /// When a brace is not closed, or when it uses more than variables and filters.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.len() > limits::TEMPLATE_BYTES {
            let message = format!("template has {} bytes, more than {}", source.len(), limits::TEMPLATE_BYTES);
            return Err(TemplateError {
                message,
                range: None,
                help: "Put the explanation into `meaning`.".to_owned(),
                is_limit: true,
            });
        }
        let fault = |message: String, range: Range<usize>, help: &str| TemplateError {
            message,
            range: Some(range),
            help: help.to_owned(),
            is_limit: false,
        };
        for (marker, what) in [("{%", "statements"), ("{#", "comments")] {
            if let Some(at) = source.find(marker) {
                return Err(fault(
                    format!("templates have no {what}"),
                    at..at + 2,
                    "Only `{{ variable | filter }}` can stand in a message.",
                ));
            }
        }
        let mut variables = Vec::new();
        let mut at = 0;
        while let Some(open) = source[at..].find("{{").map(|found| at + found) {
            let Some(close) = source[open..].find("}}").map(|found| open + found) else {
                return Err(fault("`{{` is never closed".to_owned(), open..open + 2, "Close it with `}}`."));
            };
            let inner = &source[open + 2..close];
            let Some(found) = EXPRESSION.as_ref().and_then(|expression| expression.captures(inner)) else {
                let message = format!("`{{{{{inner}}}}}` is no variable with filters");
                return Err(fault(message, open..close + 2, "Write `{{ name }}` or `{{ name | default('…') }}`."));
            };
            let filters: Vec<&str> = FILTER.as_ref().map_or_else(Vec::new, |filter| {
                filter
                    .captures_iter(&inner[found[1].len()..])
                    .filter_map(|f| f.get(1))
                    .map(|name| name.as_str())
                    .collect()
            });
            if Self::WORDS.contains(&&found[1]) {
                return Err(fault(
                    format!("`{}` is a word of the template language", &found[1]),
                    open..close + 2,
                    "Write the text itself, without braces.",
                ));
            }
            if let Some(unknown) = filters.iter().find(|filter| !FILTERS.contains(filter)) {
                let at = open + 2 + inner.find(*unknown).unwrap_or_default();
                return Err(fault(
                    format!("unknown filter `{unknown}`"),
                    at..at + unknown.len(),
                    &did_you_mean(unknown, FILTERS.iter().copied()),
                ));
            }
            if let Some(growing) =
                REPLACE.as_ref().and_then(|replace| replace.captures_iter(inner).find(|found| grows(found)))
            {
                let range = growing.get(0).map_or(0..0, |part| open + 2 + part.start()..open + 2 + part.end());
                return Err(fault(
                    "`replace` puts in more than it takes out".to_owned(),
                    range,
                    "Replace by something shorter; several of these could blow the message up.",
                ));
            }
            variables.push(Variable {
                name: found[1].to_owned(),
                has_default: filters.iter().any(|filter| matches!(*filter, "default" | "d")),
            });
            at = close + 2;
        }
        if let Some(stray) = source[at..].find("}}").map(|found| at + found) {
            return Err(fault("`}}` without `{{`".to_owned(), stray..stray + 2, "Open it with `{{`."));
        }
        let template = Self { source: source.to_owned(), variables };
        // The renderer has the last word on arguments.
        let rendered = template.render(&[]);
        rendered.map_err(|message| {
            fault(
                message.replace(" (in <string>:1)", ""),
                0..source.len(),
                "Check the filters: `default('…')`, `trim('…')` and `replace('…', '…')` take texts.",
            )
        })?;
        Ok(template)
    }

    /// The variables in the order of the text.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Fills in the variables; a missing one renders as nothing.
    ///
    /// # Errors
    /// When a filter refuses its value.
    pub fn render(&self, variables: &[(&str, Cow<'_, str>)]) -> Result<String, String> {
        static ENVIRONMENT: LazyLock<minijinja::Environment<'static>> = LazyLock::new(minijinja::Environment::new);
        // No more of a value is looked at than a message can show.
        let shown = |value: &'_ str| value[..floor_char_boundary(value, limits::RENDERED_BYTES)].to_owned();
        let variables = minijinja::Value::from_pairs(variables.iter().map(|(name, value)| (*name, shown(value))));
        let rendered = ENVIRONMENT.render_str(&self.source, variables);
        rendered.map_err(|error| error.detail().map_or_else(|| error.to_string(), str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn only_variables_and_filters() {
        for good in [
            "plain",
            "{{ a }}",
            "{{a|default('x')}} and {{ b | trim('.') | upper }}",
            "{ a } {0} 50%",
            "{{ a | replace('x', \"y\") }}",
        ] {
            assert!(Template::parse(good).is_ok(), "{good}: {:?}", Template::parse(good));
        }
        for bad in [
            "{{ a",
            "a }}",
            "{% for x in y %}",
            "{# x #}",
            "{{ range(9) }}",
            "{{ a * 9 }}",
            "{{ a.b }}",
            "{{ a | nope }}",
            "{{ a | nope('x') }}",
            "{{ a | default('|') | nope }}",
            "{{}}",
            "{{ true }}",
            "{{ a | replace('', 'x') }}",
            "{{ a | replace('x', 'yy') }}",
        ] {
            assert!(Template::parse(bad).is_err(), "{bad} is accepted");
        }
    }

    #[test]
    fn missing_variables_render_as_nothing() {
        let render = |text: &str| Template::parse(text).map(|template| template.render(&[("a", "<&>".into())]));
        let rendered = render("{{ a }}|{{ b }}|{{ b | default('c') }}");
        assert_eq!(rendered, Ok(Ok("<&>||c".to_owned())));
    }
}
