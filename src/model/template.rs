//! Message templates: text with `{{ variable | filter('…') }}` in it, and nothing else.
//!
//! Templates mean what they mean to minijinja; what it could do beyond expressions and filters is refused here, so that a
//! rule file can neither loop nor call. Variables and defaults are known without rendering.
//!
//! Everything is prepared when a template is read: its texts, its variables and the common filters on texts. Only what is
//! rare (`title`, `first`, numbers as arguments) is left to an expression of minijinja, which is compiled then as well.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use minijinja::{Environment, Expression, Value};
use regex::Regex;

use super::limits;
use crate::diagnostic::{did_you_mean, floor_char_boundary};

/// A checked message template.
#[derive(Debug)]
pub struct Template {
    pieces: Vec<Piece>,
    variables: Vec<Variable>,
    /// Bytes of the template as written: about what a message takes.
    bytes: usize,
}

/// A part of a template. A variable is named by its place in the list of variables.
#[derive(Debug)]
enum Piece {
    Text(String),
    Value { variable: usize, filters: Vec<Filter> },
    Expression { variable: usize, expression: Expression<'static, 'static> },
}

/// A filter from a text to a text.
#[derive(Debug)]
enum Filter {
    Default { text: String, also_empty: bool },
    Trim(Option<Vec<char>>),
    Replace(String, String),
    Upper,
    Lower,
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
static FILTER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(r"\|\s*([a-z_]+)(?:\(\s*((?:{ARGUMENT}(?:\s*,\s*{ARGUMENT})*)?)\s*\))?")).ok()
});

/// One of the arguments.
static ARGUMENTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ARGUMENT).ok());

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

/// The template language, without the functions that it brings: a missing variable is nothing, whatever its name.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    let functions: Vec<String> = environment.globals().map(|(name, _)| name.to_owned()).collect();
    for name in functions {
        environment.remove_global(&name);
    }
    environment
});

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
        let mut pieces = Vec::new();
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
            let behind = found.get(1).map_or(0, |name| name.end());
            let filters: Vec<(&str, Option<&str>)> = FILTER.as_ref().map_or_else(Vec::new, |filter| {
                filter
                    .captures_iter(&inner[behind..])
                    .filter_map(|f| Some((f.get(1)?.as_str(), f.get(2).map(|arguments| arguments.as_str()))))
                    .collect()
            });
            if Self::WORDS.contains(&&found[1]) {
                return Err(fault(
                    format!("`{}` is a word of the template language", &found[1]),
                    open..close + 2,
                    "Write the text itself, without braces.",
                ));
            }
            if let Some(unknown) = filters.iter().map(|(name, _)| name).find(|name| !FILTERS.contains(name)) {
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
            pieces.push(Piece::Text(source[at..open].to_owned()));
            let variable = variables.len();
            let prepared: Option<Vec<Filter>> = filters.iter().map(|(name, given)| Filter::new(name, *given)).collect();
            pieces.push(match prepared {
                Some(filters) => Piece::Value { variable, filters },
                None => {
                    let expression = ENVIRONMENT.compile_expression_owned(inner.to_owned());
                    let expression = expression.map_err(|error| refused(&reason(&error), source))?;
                    Piece::Expression { variable, expression }
                }
            });
            variables.push(Variable {
                name: found[1].to_owned(),
                has_default: filters.iter().any(|(name, _)| matches!(*name, "default" | "d")),
            });
            at = close + 2;
        }
        if let Some(stray) = source[at..].find("}}").map(|found| at + found) {
            return Err(fault("`}}` without `{{`".to_owned(), stray..stray + 2, "Open it with `{{`."));
        }
        // The last line end is not shown.
        let last = &source[at..];
        let last = last.strip_suffix('\n').unwrap_or(last);
        pieces.push(Piece::Text(last.strip_suffix('\r').unwrap_or(last).to_owned()));
        // The language itself has the last word on arguments.
        ENVIRONMENT.render_str(source, ()).map_err(|error| refused(&reason(&error), source))?;
        Ok(Self { pieces, variables, bytes: source.len() })
    }

    /// The variables in the order of the text.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Fills in the variables, each of which is asked for when its place comes; a missing one renders as nothing.
    ///
    /// # Errors
    /// When a filter refuses its value.
    pub fn render<'v>(&self, value_of: impl Fn(&str) -> Option<Cow<'v, str>>) -> Result<String, String> {
        let value_of =
            |variable: usize| -> Option<Cow<'v, str>> { value_of(&self.variables[variable].name).map(shown) };
        let mut out = String::with_capacity(self.bytes + 64);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value { variable, filters } => {
                    let value = filters.iter().fold(value_of(*variable), |value, filter| filter.apply(value));
                    out.push_str(value.as_deref().unwrap_or_default());
                }
                Piece::Expression { variable, expression } => {
                    let name = self.variables[*variable].name.as_str();
                    let value = value_of(*variable).map(|value| (name, value.into_owned()));
                    let value = expression.eval(Value::from_pairs(value)).map_err(|error| reason(&error))?;
                    // Writing to a text cannot fail.
                    let _ = write!(out, "{value}");
                }
            }
        }
        Ok(out)
    }
}

/// No more of a value is looked at than a message can show.
fn shown(value: Cow<'_, str>) -> Cow<'_, str> {
    let end = floor_char_boundary(&value, limits::RENDERED_BYTES);
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

fn trimmed<'t>(text: &'t str, chars: Option<&[char]>) -> &'t str {
    match chars {
        Some(chars) => text.trim_matches(chars),
        None => text.trim(),
    }
}

fn reason(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.to_string(), str::to_owned)
}

/// What the language says about a whole template.
fn refused(message: &str, source: &str) -> TemplateError {
    TemplateError {
        message: message.replace(" (in <string>:1)", ""),
        range: Some(0..source.len()),
        help: "Check the filters: `default('…')`, `trim('…')` and `replace('…', '…')` take texts.".to_owned(),
        is_limit: false,
    }
}

impl Filter {
    /// A filter on texts with arguments as written; `None` for every other one.
    fn new(name: &str, given: Option<&str>) -> Option<Self> {
        let given: Vec<&str> = match (ARGUMENTS.as_ref(), given) {
            (Some(argument), Some(given)) => argument.find_iter(given).map(|found| found.as_str()).collect(),
            (_, None) => Vec::new(),
            (None, _) => return None,
        };
        let text = |argument: &str| {
            let bare = argument.strip_prefix(['\'', '"'])?;
            bare.strip_suffix(['\'', '"']).map(str::to_owned)
        };
        Some(match (name, given.as_slice()) {
            ("default" | "d", []) => Self::Default { text: String::new(), also_empty: false },
            ("default" | "d", [other] | [other, "false"]) => Self::Default { text: text(other)?, also_empty: false },
            ("default" | "d", [other, "true"]) => Self::Default { text: text(other)?, also_empty: true },
            ("trim", []) => Self::Trim(None),
            ("trim", [chars]) => Self::Trim(Some(text(chars)?.chars().collect())),
            ("replace", [from, to]) => Self::Replace(text(from)?, text(to)?),
            ("upper", []) => Self::Upper,
            ("lower", []) => Self::Lower,
            _ => return None,
        })
    }

    /// Every filter but `default` takes a missing value for an empty text.
    fn apply<'v>(&'v self, value: Option<Cow<'v, str>>) -> Option<Cow<'v, str>> {
        if let Self::Default { text, also_empty } = self {
            return value.filter(|value| !(*also_empty && value.is_empty())).or(Some(Cow::Borrowed(text)));
        }
        let value = value.unwrap_or_default();
        Some(match self {
            Self::Default { .. } => value,
            Self::Trim(chars) => match value {
                Cow::Borrowed(text) => Cow::Borrowed(trimmed(text, chars.as_deref())),
                Cow::Owned(text) => Cow::Owned(trimmed(&text, chars.as_deref()).to_owned()),
            },
            Self::Replace(from, to) => {
                // Most values hold nothing of it, which is told faster than a replacement is begun.
                match memchr::memmem::find(value.as_bytes(), from.as_bytes()) {
                    Some(_) if !value.is_empty() => Cow::Owned(value.replace(from.as_str(), to)),
                    _ => value,
                }
            }
            Self::Upper => Cow::Owned(value.to_uppercase()),
            Self::Lower => Cow::Owned(value.to_lowercase()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    use super::{Template, limits};

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
        let render = |text: &str| {
            Template::parse(text).map(|template| template.render(|name| (name == "a").then(|| "<&>".into())))
        };
        let rendered = render("{{ a }}|{{ b }}|{{ b | default('c') }}");
        assert_eq!(rendered, Ok(Ok("<&>||c".to_owned())));
    }

    /// As the whole template is rendered by the language itself.
    fn rendered_by_minijinja(source: &str, values: &[(String, Option<String>)]) -> Result<String, String> {
        let values = values.iter().filter_map(|(name, value)| Some((name.as_str(), value.clone()?)));
        let rendered = minijinja::Environment::new().render_str(source, minijinja::Value::from_pairs(values));
        rendered.map_err(|error| super::reason(&error))
    }

    #[test]
    fn templates_mean_what_they_mean_to_minijinja() {
        let value = || "([ -~éß\u{1F600}\n\r\t'\"{}|]{0,12}|  x\\. |<&>|«é»|\u{0130}I|)";
        let argument = || r#"('[ -&(-\[\]-~é]{0,4}'|"[ !#-\[\]-~ß]{0,4}"|'x'|'\.'|[0-9]{1,3}|true|false)"#;
        let filter = (
            proptest::sample::select(super::FILTERS),
            proptest::collection::vec(argument(), 0..3),
            proptest::sample::select(&["|", " | ", " |  ", "\n| "][..]),
            proptest::sample::select(&[",", ", ", " , "][..]),
        );
        let filter = filter.prop_map(|(name, given, bar, comma)| {
            if given.is_empty() { format!("{bar}{name}") } else { format!("{bar}{name}({})", given.join(comma)) }
        });
        let texts =
            (proptest::sample::select(&["a", "b", "c"][..]), 0..4_u8, 0..4_u8).prop_map(|(name, first, last)| {
                let filter = |number| {
                    ["", " | default('(unknown)')", " | trim('. ')", " | replace('no', '-') | d('x', true)"]
                        [usize::from(number)]
                };
                format!("{{{{ {name}{}{} }}}}", filter(first), filter(last))
            });
        let any = (proptest::sample::select(&["a", "b", "c"][..]), proptest::collection::vec(filter, 0..4));
        let any = any.prop_map(|(name, filters)| format!("{{{{ {name}{} }}}}", filters.concat()));
        let piece = proptest::prop_oneof![texts, any, "[ -~é\n\r]{0,6}", proptest::prelude::Just("\r\n".to_owned())];
        let template = proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
        let values = proptest::array::uniform3(proptest::option::of(value()));
        let accepted = std::cell::Cell::new(0_u32);
        let config = Config { cases: 3000, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&(template, values), |(source, values)| {
            let Ok(template) = Template::parse(&source) else { return Ok(()) };
            accepted.set(accepted.get() + 1);
            let values: Vec<(String, Option<String>)> =
                ["a", "b", "c"].map(str::to_owned).into_iter().zip(values).collect();
            let value = |name: &str| values.iter().find(|(known, _)| known == name)?.1.as_deref().map(Cow::Borrowed);
            prop_assert_eq!(template.render(value), rendered_by_minijinja(&source, &values), "{:?}", template);
            Ok(())
        });
        assert_eq!(outcome, Ok(()));
        assert!(accepted.get() > 1000, "only {} templates were accepted", accepted.get());
    }

    #[test]
    fn a_long_value_is_cut_and_a_name_of_the_language_is_a_variable() {
        let render = |text: &str, value: &str| {
            Template::parse(text).map(|template| template.render(|_| Some(Cow::Borrowed(value))))
        };
        let long = "é".repeat(limits::RENDERED_BYTES);
        for text in ["{{ a }}", "{{ a | title | lower }}"] {
            assert_eq!(render(text, &long), Ok(Ok("é".repeat(limits::RENDERED_BYTES / 2))), "{text}");
        }
        for text in ["{{ range }}", "{{ range | first | d('') }}"] {
            let missing = Template::parse(text).map(|template| template.render(|_| None));
            assert!(missing.is_err() || missing == Ok(Ok(String::new())), "{text}");
        }
    }

    #[test]
    fn a_blank_that_is_not_ascii_does_not_shift_the_filters() {
        assert!(Template::parse("{{\u{a0}a | nope }}").is_err());
        assert!(Template::parse("{{\u{2003}\u{2003}a }}").is_err());
    }
}
