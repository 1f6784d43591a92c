//! Typed access to TOML tables: values with their places, and a finding for whatever does not fit.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Fix, Lint, SourceId, Span, Spanned, did_you_mean, lints, only_near};
use crate::model::{Pattern, PatternError, PatternErrorKind, limits};

use super::accept::AcceptEntry;
use super::keys::{self, Key};

/// Where the reader is, and what it has found so far.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) source: SourceId,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Whether patterns are known to compile, so that it can wait until they are used.
    pub(super) is_proven: bool,
    /// Patterns, globs and literals of the set so far.
    pub(super) patterns: usize,
    /// Patterns that wait to be compiled.
    pub(super) uncompiled: Vec<Spanned<Pattern>>,
    /// Findings that may stand.
    pub(super) accepted: Vec<AcceptEntry>,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            source: SourceId(0),
            diagnostics: Vec::new(),
            is_proven: false,
            patterns: 0,
            uncompiled: Vec::new(),
            accepted: Vec::new(),
        }
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

    pub(super) fn report(
        &mut self,
        lint: &'static Lint,
        range: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let finding = Diagnostic::new(lint, self.span(range), message).help(help);
        self.diagnostics.push(finding);
    }

    /// Says what settles the finding that was reported last.
    pub(super) fn fix(&mut self, range: Range<usize>, text: impl Into<String>) {
        let span = self.span(range);
        if let Some(finding) = self.diagnostics.last_mut() {
            finding.fix = Some(Fix::replace(span, text));
        }
    }

    pub(super) fn wrong_type(&mut self, value: &Value<'_>, key: &str, expected: &str) {
        let found = found(value);
        let (help, fix) = instead(value, expected);
        self.report(lints::WRONG_TYPE, value.span(), format!("`{key}` takes {expected}, found {found}"), help);
        if let Some(fix) = fix {
            self.fix(value.span(), fix);
        }
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
        if error.kind == PatternErrorKind::ControlCharacter
            && let Some(literal) = text.get(value.span()).and_then(literal)
        {
            self.fix(value.span(), literal);
        }
    }

    /// A pattern, to be compiled with all others when the files are read.
    pub(super) fn pattern(
        &mut self,
        value: &Value<'_>,
        key: &str,
        text: &str,
        parse: impl Fn(&str) -> Result<Pattern, PatternError>,
    ) -> Option<Spanned<Pattern>> {
        let parsed = self.parsed(value, key, text, parse)?;
        self.uncompiled.push(parsed.clone());
        Some(parsed)
    }

    /// A value that is parsed from a text, with its place.
    pub(super) fn parsed<T>(
        &mut self,
        value: &Value<'_>,
        key: &str,
        text: &str,
        parse: impl Fn(&str) -> Result<T, PatternError>,
    ) -> Option<Spanned<T>> {
        let Some(source) = value.get_ref().as_str() else {
            self.wrong_type(value, key, TEXT);
            return None;
        };
        self.patterns += 1;
        if self.patterns > limits::PATTERNS {
            if self.patterns == limits::PATTERNS + 1 {
                let message = format!("the set has more than {} patterns", limits::PATTERNS);
                self.report(
                    lints::LIMIT_EXCEEDED,
                    value.span(),
                    message,
                    "Tell failures apart by types and codes with globs instead of long lists.",
                );
            }
            return None;
        }
        match parse(source) {
            Ok(parsed) => Some(Spanned { value: parsed, span: self.span(value.span()) }),
            Err(error) => {
                self.pattern_error(value, text, error);
                None
            }
        }
    }
}

const TEXT: &str = "a text in quotes";
const TEXTS: &str = "a list of texts";
const WHOLE_NUMBER: &str = "a whole number";

/// How a value of the wrong type becomes one of the right type: in words, and what to put in its place if that is sure.
fn instead(value: &Value<'_>, expected: &str) -> (String, Option<String>) {
    let quoted = match (value.get_ref(), expected) {
        (DeValue::Integer(number), TEXT) => format!("\"{number}\""),
        (DeValue::Float(number), TEXT) => format!("\"{number}\""),
        (DeValue::Datetime(date), TEXT) => format!("\"{date}\""),
        (DeValue::String(text), WHOLE_NUMBER) => match text.parse::<i64>() {
            Ok(number) => return (format!("Leave the quotes out: `{number}`."), Some(number.to_string())),
            Err(_) => return (format!("Write {expected}."), None),
        },
        (DeValue::String(_), TEXTS) => return ("Put it in brackets: `[\"…\"]`.".to_owned(), None),
        (DeValue::Integer(_), WHOLE_NUMBER) => {
            return (format!("Whole numbers go from {} to {}.", i64::MIN, i64::MAX), None);
        }
        _ => return (format!("Write {expected}."), None),
    };
    (format!("Put it in quotes: `{quoted}`."), Some(quoted))
}

/// What a value is, for messages.
pub(super) fn found(value: &Value<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) if text.chars().count() <= 40 => format!("the text \"{text}\""),
        DeValue::String(_) => "a text".to_owned(),
        DeValue::Integer(number) if number.as_str().len() <= 40 => format!("the number {number}"),
        DeValue::Float(number) if number.as_str().len() <= 40 => format!("the number {number}"),
        DeValue::Integer(_) | DeValue::Float(_) => "a number".to_owned(),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(value) => format!("the date {value}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A text in double quotes as the same characters in single quotes, where backslashes are backslashes.
pub(super) fn literal(written: &str) -> Option<String> {
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.starts_with('"') && !inner.contains(['\'', '\n', '"'])).then(|| format!("'{inner}'"))
}

/// The place of a part of a text, when it is written without escapes.
fn inside(text: &str, value: Range<usize>, part: &Range<usize>) -> Option<Range<usize>> {
    let written = text.get(value.clone())?;
    let skip = if written.starts_with("'''") || written.starts_with("\"\"\"") {
        3 + if written[3..].starts_with("\r\n") { 2 } else { usize::from(written[3..].starts_with('\n')) }
    } else {
        1
    };
    let escaped = written.starts_with('"') && written.contains('\\');
    let range = value.start + skip + part.start..value.start + skip + part.end;
    (!escaped && range.end <= value.end && range.start < range.end && text.get(range.clone()).is_some())
        .then_some(range)
}

impl<'t> Table<'t> {
    /// Opens a table and reports keys that it does not know and keys that are missing.
    pub(super) fn open(
        ctx: &mut Context,
        value: &'t Value<'t>,
        text: &'t str,
        keys: &[Key],
        what: &'static str,
    ) -> Option<Self> {
        let Some(map) = value.get_ref().as_table() else {
            let found = found(value);
            let header = text.get(value.span()).and_then(|header| header.strip_prefix("[["));
            let help = match header.and_then(|header| header.split(']').next()) {
                Some(name) => format!("Write the header in single brackets: `[{name}]`."),
                None => "Write `{ key = value }`, or a `[table]` header.".to_owned(),
            };
            ctx.report(lints::WRONG_TYPE, value.span(), format!("{what} is a table, found {found}"), help);
            return None;
        };
        Some(Self::with_map(ctx, map, value.span(), text, keys, what))
    }

    /// Opens a table that has no value of its own: a whole file.
    pub(super) fn with_map(
        ctx: &mut Context,
        map: &'t DeTable<'t>,
        range: Range<usize>,
        text: &'t str,
        keys: &[Key],
        what: &'static str,
    ) -> Self {
        let unknown =
            in_order(map).into_iter().filter(|(key, _)| !keys.iter().any(|known| known.name == key.get_ref().as_ref()));
        for (index, (key, _)) in unknown.enumerate() {
            let name = key.get_ref().as_ref();
            // Nobody sees the help of the thousandth one, but looking for near words has its price.
            let near = || did_you_mean(name, keys.iter().map(|known| known.name));
            let help = if index < 200 { keys::home(name, what).unwrap_or_else(near) } else { "Delete it.".to_owned() };
            ctx.report(lints::UNKNOWN_KEY, key.span(), format!("unknown key `{}` in {what}", clipped(name)), help);
            let missing = keys.iter().map(|known| known.name).filter(|known| !map.contains_key(*known));
            if let Some(near) = only_near(name, missing).filter(|_| index < 200 && keys::home(name, what).is_none()) {
                ctx.fix(key.span(), near);
            }
        }
        for key in keys.iter().filter(|key| key.required) {
            if !map.contains_key(key.name) && !is_misplaced(map, key.name) {
                let help = format!("Add `{}`. {}", key.sample(), key.about);
                let first_line = range.start
                    ..range.end.min(text[range.start..].find('\n').map_or(text.len(), |at| range.start + at));
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
            ctx.report(
                lints::EMPTY_VALUE,
                value.span(),
                format!("`{key}` of {} is empty", self.what),
                "Say something, or leave the key out.",
            );
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

    pub(super) fn word<T: Copy>(
        &self,
        ctx: &mut Context,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Option<Spanned<T>> {
        let text = text_value(ctx, self.get(key)?, key)?;
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let help = did_you_mean(&text.value, words.iter().map(|(word, _)| *word));
            ctx.report(
                lints::UNKNOWN_WORD,
                text.span.range.clone(),
                format!("unknown `{key}`: `{}`", text.value),
                help,
            );
            if let Some(near) = only_near(&text.value, words.iter().map(|(word, _)| *word)) {
                ctx.fix(text.span.range.clone(), format!("\"{near}\""));
            }
        }
        found.map(|(_, value)| Spanned { value: *value, span: text.span })
    }

    /// A list of texts; an empty list is reported.
    pub(super) fn texts(&self, ctx: &mut Context, key: &str) -> Vec<Spanned<String>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            ctx.wrong_type(value, key, TEXTS);
            return Vec::new();
        };
        if items.is_empty() {
            ctx.report(
                lints::EMPTY_VALUE,
                value.span(),
                format!("`{key}` of {} is an empty list", self.what),
                "List something, or leave the key out.",
            );
        }
        let texts: Vec<_> = items.iter().filter_map(|item| text_value(ctx, item, key)).collect();
        for text in texts.iter().filter(|text| text.value.trim().is_empty()) {
            ctx.report(
                lints::EMPTY_VALUE,
                text.span.range.clone(),
                format!("an item of `{key}` is empty"),
                "Say something, or leave the item out.",
            );
        }
        texts
    }

    /// One text or a list of them.
    pub(super) fn one_or_more(&self, ctx: &mut Context, key: &str) -> Vec<Spanned<String>> {
        match self.get(key) {
            Some(value) if value.get_ref().is_str() => self.text(ctx, key).into_iter().collect(),
            _ => self.texts(ctx, key),
        }
    }

    /// One pattern or a list of them.
    pub(super) fn patterns(&self, ctx: &mut Context, key: &str) -> Vec<Spanned<Pattern>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match value.get_ref().as_array() {
            Some(items) => {
                if items.is_empty() {
                    let message = format!("`{key}` of {} is an empty list", self.what);
                    ctx.report(lints::EMPTY_VALUE, value.span(), message, "List a pattern, or leave the key out.");
                }
                items.iter().filter_map(|item| ctx.pattern(item, key, self.text, Pattern::parse)).collect()
            }
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
            let found = found(value);
            let header = self
                .text
                .get(value.span())
                .and_then(|header| header.strip_prefix('['))
                .and_then(|header| header.split(']').next());
            let help = format!("Write the header in double brackets: `[[{}]]`.", header.unwrap_or(key));
            ctx.report(lints::WRONG_TYPE, value.span(), format!("`{key}` takes a list of tables, found {found}"), help);
            return Vec::new();
        };
        items.iter().collect()
    }

    /// The entries of a table of tables, in the order of the file.
    pub(super) fn named(&self, ctx: &mut Context, key: &str) -> Vec<(Spanned<String>, &'t Value<'t>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(map) = value.get_ref().as_table() else {
            let found = found(value);
            ctx.report(
                lints::WRONG_TYPE,
                value.span(),
                format!("`{key}` takes names with values, found {found}"),
                format!("Write `{key}.NAME = …`, or a header `[{key}.NAME]`."),
            );
            return Vec::new();
        };
        let name = |key: &TomlSpanned<toml::de::DeString<'_>>| Spanned {
            value: key.get_ref().to_string(),
            span: ctx.span(key.span()),
        };
        in_order(map).into_iter().map(|(key, value)| (name(key), value)).collect()
    }

    /// Reports a format number that this version does not read.
    pub(super) fn check_format(&self, ctx: &mut Context) {
        let Some(value) = self.get("format") else { return };
        let number = value.get_ref().as_integer().and_then(parse_integer);
        if number != Some(super::FORMAT) {
            let found = found(value);
            let help = match number {
                Some(newer) if newer > super::FORMAT => {
                    "Update faultbook; this file was written for a later version.".to_owned()
                }
                _ => format!("Write `format = {}`.", super::FORMAT),
            };
            ctx.report(
                lints::UNSUPPORTED_FORMAT,
                value.span(),
                format!("this version reads format {}, found {found}", super::FORMAT),
                help,
            );
        }
    }
}

/// Whether a key stands in the wrong table, which is reported there: conditions without `when`, or a key of a rule
/// behind the header of its examples.
fn is_misplaced(map: &DeTable<'_>, key: &str) -> bool {
    let holds = |value: &Value<'_>| value.get_ref().as_table().is_some_and(|table| table.contains_key(key));
    let behind = ["examples", "counterexamples"].iter().filter_map(|name| map.get(*name)?.get_ref().as_array());
    let strays = keys::CONDITIONS.iter().any(|condition| map.contains_key(condition.name));
    let facts = keys::FAILURE.iter().any(|fact| fact.name != "message" && map.contains_key(fact.name));
    (key == "when" && strays)
        || (key == "failure" && facts)
        || (key != "failure" && key != "code" && behind.flat_map(|examples| examples.iter()).any(holds))
}

/// A name of the file in a message: as much of it as anybody reads.
pub(super) fn clipped(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(80) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}

/// Entries in the order of the table's keys: in which order the author wrote them changes neither evidence nor digest.
pub(super) fn in_key_order<'t>(mut entries: Vec<Entry<'t>>, keys: &[Key]) -> Vec<Entry<'t>> {
    entries.sort_by_key(|(key, _)| keys.iter().position(|known| known.name == key.get_ref().as_ref()));
    entries
}

/// A key with its value.
type Entry<'t> = (&'t TomlSpanned<toml::de::DeString<'t>>, &'t Value<'t>);

pub(super) fn in_order<'t>(map: &'t DeTable<'t>) -> Vec<(&'t TomlSpanned<toml::de::DeString<'t>>, &'t Value<'t>)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

pub(super) fn text_value(ctx: &mut Context, value: &Value<'_>, key: &str) -> Option<Spanned<String>> {
    match value.get_ref().as_str() {
        Some(text) => Some(Spanned { value: text.to_owned(), span: ctx.span(value.span()) }),
        None => {
            ctx.wrong_type(value, key, TEXT);
            None
        }
    }
}

pub(super) fn integer(ctx: &mut Context, value: &Value<'_>, key: &str) -> Option<i64> {
    let read = value.get_ref().as_integer().and_then(parse_integer);
    if read.is_none() {
        ctx.wrong_type(value, key, WHOLE_NUMBER);
    }
    read
}

fn parse_integer(integer: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
