//! Typed access to TOML tables: values with their places, and a finding for whatever does not fit.

use std::ops::Range;

use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Lint, SourceId, Span, Spanned, did_you_mean, lints};
use crate::model::{Pattern, PatternError, PatternErrorKind};

use super::keys::Key;

/// Where the reader is, and what it has found so far.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) source: SourceId,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Whether patterns are known to compile, so that it can wait until they are used.
    pub(super) is_proven: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self { source: SourceId(0), diagnostics: Vec::new(), is_proven: false }
    }
}

/// A value of a table.
pub(super) type Value<'t> = TomlSpanned<DeValue<'t>>;

/// A table of a known shape. What its keys hold is read key by key.
pub(super) struct Table<'t> {
    map: &'t DeTable<'t>,
    /// The text of the file, for places inside of quotes.
    pub(super) text: &'t str,
    /// What the table is, for messages: `a rule`.
    what: &'static str,
}

impl Context {
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        Span { source: self.source, range }
    }

    pub(super) fn report(&mut self, lint: &'static Lint, range: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let finding = Diagnostic::new(lint, self.span(range), message).help(help);
        self.diagnostics.push(finding);
    }

    pub(super) fn wrong_type(&mut self, value: &Value<'_>, key: &str, expected: &str) {
        let found = found(value);
        self.report(lints::WRONG_TYPE, value.span(), format!("`{key}` takes {expected}, found {found}"), format!("Write {expected}."));
    }

    /// Reports what is wrong with a pattern, at the part that is wrong where that can be told.
    pub(super) fn pattern_error(&mut self, value: &Value<'_>, text: &str, error: PatternError) {
        let lint = match error.kind {
            PatternErrorKind::Syntax => lints::PATTERN_SYNTAX,
            PatternErrorKind::ControlCharacter => lints::PATTERN_CONTROL_CHARACTER,
            PatternErrorKind::MatchesEmpty => lints::PATTERN_MATCHES_EMPTY,
            PatternErrorKind::NumberPrefix => lints::NUMBER_PREFIX,
            PatternErrorKind::Limit => lints::LIMIT_EXCEEDED,
            PatternErrorKind::Glob => lints::GLOB_SYNTAX,
            PatternErrorKind::Status => lints::STATUS_RANGE,
        };
        let range = error.range.and_then(|part| inside(text, value.span(), &part)).unwrap_or_else(|| value.span());
        let mut finding = Diagnostic::new(lint, self.span(range), error.message);
        finding.help = error.help;
        self.diagnostics.push(finding);
    }

    /// A pattern, compiled unless it is known to compile.
    pub(super) fn pattern(&mut self, value: &Value<'_>, key: &str, text: &str, parse: impl Fn(&str) -> Result<Pattern, PatternError>) -> Option<Spanned<Pattern>> {
        let is_proven = self.is_proven;
        self.parsed(value, key, text, |source| {
            let pattern = parse(source)?;
            if !is_proven {
                pattern.compile()?;
            }
            Ok(pattern)
        })
    }

    /// A value that is parsed from a text, with its place.
    pub(super) fn parsed<T>(&mut self, value: &Value<'_>, key: &str, text: &str, parse: impl Fn(&str) -> Result<T, PatternError>) -> Option<Spanned<T>> {
        let Some(source) = value.get_ref().as_str() else {
            self.wrong_type(value, key, "a text in quotes");
            return None;
        };
        match parse(source) {
            Ok(parsed) => Some(Spanned { value: parsed, span: self.span(value.span()) }),
            Err(error) => {
                self.pattern_error(value, text, error);
                None
            }
        }
    }
}

/// What a value is, for messages.
pub(super) fn found(value: &Value<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) if text.chars().count() <= 40 => format!("the text \"{text}\""),
        DeValue::String(_) => "a text".to_owned(),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(value) => format!("the date {value}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// The place of a part of a text, when it is written without escapes.
fn inside(text: &str, value: Range<usize>, part: &Range<usize>) -> Option<Range<usize>> {
    let written = text.get(value.clone())?;
    let skip = if written.starts_with("'''") || written.starts_with("\"\"\"") {
        3 + usize::from(written[3..].starts_with('\n'))
    } else {
        1
    };
    let escaped = written.starts_with('"') && written.contains('\\');
    let range = value.start + skip + part.start..value.start + skip + part.end;
    (!escaped && range.end <= value.end && range.start < range.end && text.get(range.clone()).is_some()).then_some(range)
}

impl<'t> Table<'t> {
    /// Opens a table and reports keys that it does not know and keys that are missing.
    pub(super) fn open(ctx: &mut Context, value: &'t Value<'t>, text: &'t str, keys: &[Key], what: &'static str) -> Option<Self> {
        let Some(map) = value.get_ref().as_table() else {
            let found = found(value);
            ctx.report(lints::WRONG_TYPE, value.span(), format!("{what} is a table, found {found}"), "Write `{ key = value }`, or a `[table]` header.");
            return None;
        };
        Some(Self::with_map(ctx, map, value.span(), text, keys, what))
    }

    /// Opens a table that has no value of its own: a whole file.
    pub(super) fn with_map(ctx: &mut Context, map: &'t DeTable<'t>, range: Range<usize>, text: &'t str, keys: &[Key], what: &'static str) -> Self {
        for (key, _) in map {
            let name = key.get_ref().as_ref();
            if !keys.iter().any(|known| known.name == name) {
                let help = did_you_mean(name, keys.iter().map(|known| known.name));
                ctx.report(lints::UNKNOWN_KEY, key.span(), format!("unknown key `{name}` in {what}"), help);
            }
        }
        for key in keys.iter().filter(|key| key.required) {
            if !map.contains_key(key.name) {
                let help = format!("Add `{} = …`: {}", key.name, key.about);
                let first_line = range.start..range.end.min(text[range.start..].find('\n').map_or(text.len(), |at| range.start + at));
                ctx.report(lints::MISSING_KEY, first_line, format!("{what} has no `{}`", key.name), help);
            }
        }
        Self { map, text, what }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t Value<'t>> {
        self.map.get(key)
    }

    /// Entries in the order of the file.
    pub(super) fn entries(&self) -> Vec<(&'t TomlSpanned<toml::de::DeString<'t>>, &'t Value<'t>)> {
        in_order(self.map)
    }

    pub(super) fn text(&self, ctx: &mut Context, key: &str) -> Option<Spanned<String>> {
        let value = self.get(key)?;
        let text = text_value(ctx, value, key)?;
        if text.value.trim().is_empty() {
            ctx.report(lints::EMPTY_VALUE, value.span(), format!("`{key}` of {} is empty", self.what), "Say something, or leave the key out.");
        }
        Some(text)
    }

    pub(super) fn bool(&self, ctx: &mut Context, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            ctx.wrong_type(value, key, "`true` or `false`");
        }
        read
    }

    pub(super) fn word<T: Copy>(&self, ctx: &mut Context, key: &str, words: &[(&'static str, T)]) -> Option<Spanned<T>> {
        let text = text_value(ctx, self.get(key)?, key)?;
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let help = did_you_mean(&text.value, words.iter().map(|(word, _)| *word));
            ctx.report(lints::UNKNOWN_WORD, text.span.range.clone(), format!("unknown `{key}`: `{}`", text.value), help);
        }
        found.map(|(_, value)| Spanned { value: *value, span: text.span })
    }

    /// A list of texts; an empty list is reported.
    pub(super) fn texts(&self, ctx: &mut Context, key: &str) -> Vec<Spanned<String>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            ctx.wrong_type(value, key, "a list of texts");
            return Vec::new();
        };
        if items.is_empty() {
            ctx.report(lints::EMPTY_VALUE, value.span(), format!("`{key}` of {} is an empty list", self.what), "List something, or leave the key out.");
        }
        items.iter().filter_map(|item| text_value(ctx, item, key)).collect()
    }

    /// One text or a list of them.
    pub(super) fn one_or_more(&self, ctx: &mut Context, key: &str) -> Vec<Spanned<String>> {
        match self.get(key) {
            Some(value) if value.get_ref().is_str() => text_value(ctx, value, key).into_iter().collect(),
            _ => self.texts(ctx, key),
        }
    }

    /// One pattern or a list of them.
    pub(super) fn patterns(&self, ctx: &mut Context, key: &str) -> Vec<Spanned<Pattern>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match value.get_ref().as_array() {
            Some(items) => items.iter().filter_map(|item| ctx.pattern(item, key, self.text, Pattern::parse)).collect(),
            None => ctx.pattern(value, key, self.text, Pattern::parse).into_iter().collect(),
        }
    }

    /// Whole numbers.
    pub(super) fn integers(&self, ctx: &mut Context, key: &str) -> Vec<i64> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            ctx.wrong_type(value, key, "a list of whole numbers");
            return Vec::new();
        };
        items.iter().filter_map(|item| integer(ctx, item, key)).collect()
    }

    /// The tables of a list of tables.
    pub(super) fn tables(&self, ctx: &mut Context, key: &str) -> Vec<&'t Value<'t>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            ctx.wrong_type(value, key, "a list of tables");
            return Vec::new();
        };
        items.iter().collect()
    }

    /// The entries of a table of tables, in the order of the file.
    pub(super) fn named(&self, ctx: &mut Context, key: &str) -> Vec<(Spanned<String>, &'t Value<'t>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(map) = value.get_ref().as_table() else {
            ctx.wrong_type(value, key, "a table");
            return Vec::new();
        };
        let name = |key: &TomlSpanned<toml::de::DeString<'_>>| Spanned { value: key.get_ref().to_string(), span: ctx.span(key.span()) };
        in_order(map).into_iter().map(|(key, value)| (name(key), value)).collect()
    }

    /// Reports a format number that this version does not read.
    pub(super) fn check_format(&self, ctx: &mut Context) {
        let Some(value) = self.get("format") else { return };
        let number = value.get_ref().as_integer().and_then(parse_integer);
        if number != Some(super::FORMAT) {
            let found = found(value);
            ctx.report(lints::UNSUPPORTED_FORMAT, value.span(), format!("this version reads format {}, found {found}", super::FORMAT), format!("Write `format = {}`.", super::FORMAT));
        }
    }
}

fn in_order<'t>(map: &'t DeTable<'t>) -> Vec<(&'t TomlSpanned<toml::de::DeString<'t>>, &'t Value<'t>)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

pub(super) fn text_value(ctx: &mut Context, value: &Value<'_>, key: &str) -> Option<Spanned<String>> {
    match value.get_ref().as_str() {
        Some(text) => Some(Spanned { value: text.to_owned(), span: ctx.span(value.span()) }),
        None => {
            ctx.wrong_type(value, key, "a text in quotes");
            None
        }
    }
}

pub(super) fn integer(ctx: &mut Context, value: &Value<'_>, key: &str) -> Option<i64> {
    let read = value.get_ref().as_integer().and_then(parse_integer);
    if read.is_none() {
        ctx.wrong_type(value, key, "a whole number");
    }
    read
}

fn parse_integer(integer: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
