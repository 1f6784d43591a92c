//! Message templates: text with `{{ variable | filter('…') }}` in it, and nothing else.
//!
//! Templates are rendered by minijinja; what it could do beyond expressions and filters is refused here, so that a rule
//! file can neither loop nor call. Variables and defaults are known without rendering.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::limits;
use crate::diagnostic::did_you_mean;

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

const FILTERS: &[&str] = &["default", "d", "trim", "upper", "lower", "replace", "title", "capitalize", "first", "last", "length"];

/// An argument of a filter: a text without escapes, a number or a truth value.
const ARGUMENT: &str = r#"(?:'[^'\\]*'|"[^"\\]*"|[0-9]+|true|false)"#;

/// A filter with its name and its arguments.
static FILTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"\|\s*([a-z_]+)(?:\(\s*(?:{ARGUMENT}(?:\s*,\s*{ARGUMENT})*)?\s*\))?")).ok());

/// One expression: a name and filters.
static EXPRESSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(r"^\s*([a-z_][a-z0-9_]*)(?:\s*\|\s*[a-z_]+(?:\(\s*(?:{ARGUMENT}(?:\s*,\s*{ARGUMENT})*)?\s*\))?)*\s*$")).ok()
});

impl Template {
    /// The failure fields that every template may use; those that a failure does not have render as nothing.
    pub const FIELDS: [&'static str; 11] = [
        "id", "connector", "operation", "phase", "http_status", "exception", "message", "inner_message", "provider_code", "error_number", "title",
    ];

    /// Reads a template.
    ///
    /// # Errors
    /// When a brace is not closed, or when it uses more than variables and filters.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.len() > limits::TEMPLATE_BYTES {
            let message = format!("template has {} bytes, more than {}", source.len(), limits::TEMPLATE_BYTES);
            return Err(TemplateError { message, range: None, help: "Put the explanation into `meaning`.".to_owned(), is_limit: true });
        }
        let fault = |message: String, range: Range<usize>, help: &str| TemplateError { message, range: Some(range), help: help.to_owned(), is_limit: false };
        for (marker, what) in [("{%", "statements"), ("{#", "comments")] {
            if let Some(at) = source.find(marker) {
                return Err(fault(format!("templates have no {what}"), at..at + 2, "Only `{{ variable | filter }}` can stand in a message."));
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
            let filters: Vec<&str> = FILTER.as_ref().map_or_else(Vec::new, |filter| filter.captures_iter(&inner[found[1].len()..]).filter_map(|f| f.get(1)).map(|name| name.as_str()).collect());
            if let Some(unknown) = filters.iter().find(|filter| !FILTERS.contains(filter)) {
                return Err(fault(format!("unknown filter `{unknown}`"), open..close + 2, &did_you_mean(unknown, FILTERS.iter().copied())));
            }
            variables.push(Variable { name: found[1].to_owned(), has_default: filters.iter().any(|filter| matches!(*filter, "default" | "d")) });
            at = close + 2;
        }
        if let Some(stray) = source[at..].find("}}").map(|found| at + found) {
            return Err(fault("`}}` without `{{`".to_owned(), stray..stray + 2, "Open it with `{{`."));
        }
        let template = Self { source: source.to_owned(), variables };
        // The renderer has the last word on arguments.
        template.render(&[]).map_err(|message| fault(message, 0..source.len(), "Write `{{ name | default('…') }}`."))?;
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
        let variables = minijinja::Value::from_pairs(variables.iter().map(|(name, value)| (*name, value.as_ref())));
        let rendered = ENVIRONMENT.render_str(&self.source, variables);
        rendered.map_err(|error| error.detail().map_or_else(|| error.to_string(), str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn only_variables_and_filters() {
        for good in ["plain", "{{ a }}", "{{a|default('x')}} and {{ b | trim('.') | upper }}", "{ a } {0} 50%", "{{ a | replace('x', \"y\") }}"] {
            assert!(Template::parse(good).is_ok(), "{good}: {:?}", Template::parse(good));
        }
        for bad in ["{{ a", "a }}", "{% for x in y %}", "{# x #}", "{{ range(9) }}", "{{ a * 9 }}", "{{ a.b }}", "{{ a | nope }}", "{{ a | nope('x') }}", "{{ a | default('|') | nope }}", "{{}}"] {
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
