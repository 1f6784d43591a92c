//! A record of another format while it is being read: facts as they are found.
//!
//! Knows what becomes a fact, not where a format writes it. A fact that was found first stays.

use std::borrow::Cow;

use crate::model::{Attribute, Exception, Failure, is_status, limits};

use super::exception::{self, Found};
use super::json::{shown, whole_number};
use super::level::Level;
use super::mapping::Fact;
use super::value::Value;

/// Properties of log records that are facts of ours, in every format that has properties: our own names as we spell
/// them, and the names of OpenTelemetry's conventions. Other names may mean anything.
pub(super) const PROPERTIES: [&str; 5] =
    ["connector", "operation", "phase", "http.response.status_code", "http.status_code"];

/// What a record of another format says so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) failure: Failure<'static>,
    pub(super) level: Option<Level>,
    pub(super) notes: Vec<String>,
}

impl Draft {
    /// What is said outside of any exception; a further text goes on in the next line.
    pub(super) fn say(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        match &mut self.failure.message {
            Some(said) if said.lines().any(|line| line == text.trim()) => {}
            Some(said) => {
                let said = said.to_mut();
                if said.len() < limits::TEXT_HEAD_BYTES {
                    said.push('\n');
                    said.push_str(text);
                }
            }
            none => *none = Some(Cow::Owned(text.to_owned())),
        }
    }

    /// A text that a runtime or a logger wrote about an exception, to be read as pasted text is.
    pub(super) fn paste(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        match &mut self.failure.text {
            Some(pasted) => {
                let pasted = pasted.to_mut();
                if pasted.len() < limits::TEXT_HEAD_BYTES {
                    pasted.push('\n');
                    pasted.push_str(text);
                }
            }
            none => *none = Some(Cow::Owned(text.to_owned())),
        }
    }

    /// What a field holds that is for an exception: its text, or the exception as an object or a list.
    pub(super) fn exception(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.paste(text),
            Value::Bare(_) => {}
            Value::Object(_) | Value::Array(_) => {
                let mut found = Found::default();
                let values = value.exact("values").map_or(&[][..], Value::items);
                if !values.is_empty() && exception::read_sentry(values, &mut found)
                    || exception::read_known(value, &mut found)
                {
                    self.found(found);
                    self.stack(value);
                }
            }
        }
    }

    /// An exception of which a record names type and message. One of them alone is worth as much as it says.
    pub(super) fn state(&mut self, type_name: Option<&str>, message: Option<&str>) {
        let filled =
            |text: Option<&str>| text.filter(|text| !text.trim().is_empty()).map(|text| Cow::Owned(text.to_owned()));
        let exception =
            Exception { type_name: filled(type_name.map(str::trim)), message: filled(message), ..Exception::default() };
        if !exception.is_empty() {
            self.failure.exceptions.push(exception);
        }
    }

    /// The exceptions of an event of Sentry, the innermost first.
    pub(super) fn sentry(&mut self, values: &[Value]) {
        let mut found = Found::default();
        if exception::read_sentry(values, &mut found) {
            self.found(found);
        }
    }

    /// Facts whose meaning was said; each takes the place of what was read before.
    pub(super) fn facts<'v>(&mut self, facts: impl Iterator<Item = (Fact, &'v Value)>) {
        let mut named = [const { None }; 4];
        for (fact, value) in facts.filter(|(_, value)| !value.is_empty()) {
            match fact {
                Fact::ExceptionType => named[0] = value.said(),
                Fact::ExceptionMessage => named[1] = value.said(),
                Fact::InnerType => named[2] = value.said(),
                Fact::InnerMessage => named[3] = value.said(),
                other => self.fact(other, value),
            }
        }
        let [type_name, message, inner_type, inner_message] = named;
        let is_empty = self.failure.exceptions.is_empty();
        self.name(0, type_name, message);
        // What wraps it may be known as a text alone.
        let inner = if is_empty { self.failure.exceptions.len() } else { self.failure.exceptions.len().max(2) - 1 };
        self.name(inner, inner_type, inner_message);
    }

    /// Names type and message of one exception.
    fn name(&mut self, index: usize, type_name: Option<&str>, message: Option<&str>) {
        if type_name.is_none() && message.is_none() {
            return;
        }
        let exceptions = &mut self.failure.exceptions;
        if exceptions.len() <= index {
            exceptions.resize_with(index + 1, Exception::default);
        }
        let own = |text: &str| Cow::Owned(text.to_owned());
        if let Some(exception) = exceptions.get_mut(index) {
            exception.type_name = type_name.map(own).or(exception.type_name.take());
            exception.message = message.map(own).or(exception.message.take());
        }
    }

    fn fact(&mut self, fact: Fact, value: &Value) {
        let failure = &mut self.failure;
        let field = match fact {
            Fact::Id => &mut failure.id,
            Fact::Connector => &mut failure.connector,
            Fact::Operation => &mut failure.operation,
            Fact::Phase => &mut failure.phase,
            Fact::Message => &mut failure.message,
            Fact::Text => &mut failure.text,
            Fact::StackTrace => &mut failure.stack_trace,
            Fact::Exception => {
                failure.text = None;
                failure.exceptions.clear();
                return self.exception(value);
            }
            Fact::HttpStatus => return self.stated_status(value),
            Fact::ProviderCodes => {
                failure.provider_codes.clear();
                for code in words(value) {
                    self.code(&code);
                }
                return;
            }
            Fact::ErrorNumbers => {
                let words = words(value);
                failure.error_numbers =
                    words.iter().filter_map(|word| whole_number(word)).take(limits::FACTS).collect();
                if failure.error_numbers.len() < words.len() {
                    self.note("a value of `error_numbers` is no whole number; read as absent");
                }
                return;
            }
            Fact::Level => {
                self.level = Level::of(value);
                return;
            }
            Fact::Attribute(name) => return self.attribute(name, value),
            // Named together with what they belong to.
            Fact::ExceptionType | Fact::ExceptionMessage | Fact::InnerType | Fact::InnerMessage => return,
        };
        let text = value.shown().map(Cow::into_owned).or_else(|| {
            let texts: Vec<_> = value.items().iter().filter_map(Value::shown).collect();
            (!texts.is_empty()).then(|| texts.join("\n"))
        });
        if let Some(text) = text {
            *field = Some(Cow::Owned(text));
        }
    }

    /// A status that was said to be one, also by its name and with its phrase behind it.
    fn stated_status(&mut self, value: &Value) {
        let said = value.shown().unwrap_or_default();
        let said = said.trim();
        let first = said.split(' ').next().unwrap_or_default();
        let number = first.strip_suffix(".0").unwrap_or(first);
        let status = exception::status_of(&Value::Bare(number.to_owned()));
        let status = status.or_else(|| exception::status_of(&Value::Text(said.to_owned())));
        if status.is_none() {
            self.note(format!("`http_status` `{}` is not 100 to 599; read as absent", shown(said)));
        }
        self.failure.http_status = status;
    }

    fn attribute(&mut self, name: String, value: &Value) {
        let Some(word) = value.shown().filter(|_| self.failure.attributes.len() < limits::FACTS) else { return };
        let attribute = match word.as_ref() {
            "true" | "True" => Attribute::Bool(true),
            "false" | "False" => Attribute::Bool(false),
            word => match word.parse::<i64>() {
                // `007` is a word.
                Ok(number) if number.to_string() == word => Attribute::Number(number),
                _ => Attribute::Text(Cow::Owned(word.to_owned())),
            },
        };
        self.failure.attributes.insert(Cow::Owned(name), attribute);
    }

    /// Takes over what was found about exceptions.
    pub(super) fn found(&mut self, found: Found) {
        let failure = &mut self.failure;
        let first = failure.exceptions.len();
        failure.exceptions.extend(found.exceptions.into_iter().enumerate().map(|(index, stated)| {
            let at = first + index;
            let parent = stated.parent.map(|parent| parent + first);
            Exception {
                type_name: stated.type_name.map(Cow::Owned),
                message: Some(stated.message).filter(|message| !message.is_empty()).map(Cow::Owned),
                error_numbers: stated.numbers,
                // The one before is what is meant without a word.
                parent: parent.filter(|parent| parent + 1 != at),
                ..Exception::default()
            }
        }));
        for said in found.said {
            self.say(&said);
        }
        for code in found.codes {
            self.code(&code);
        }
        self.failure.http_status = self.failure.http_status.or(found.status);
        if found.is_cut {
            self.note("an exception that leads back to itself was cut");
        }
    }

    /// The stack of an exception, for people.
    fn stack(&mut self, exception: &Value) {
        let stack = ["StackTraceString", "StackTrace", "stack_trace"].iter().find_map(|key| exception.get(key)?.said());
        if let Some(stack) = stack {
            self.failure.stack_trace.get_or_insert_with(|| Cow::Owned(stack.to_owned()));
        }
    }

    /// Adds a code of the remote side.
    pub(super) fn code(&mut self, code: &str) {
        let codes = &mut self.failure.provider_codes;
        if codes.len() < limits::FACTS && !codes.iter().any(|known| known == code) {
            codes.push(Cow::Owned(code.to_owned()));
        }
    }

    /// The status, unless one was found before.
    pub(super) fn status(&mut self, value: &Value) {
        let status = value.number().and_then(|number| u16::try_from(number).ok()).filter(|status| is_status(*status));
        self.failure.http_status = self.failure.http_status.or(status);
    }

    /// The record's own name.
    pub(super) fn id(&mut self, value: Option<&Value>) {
        if let Some(id) = value.and_then(Value::shown).filter(|id| !id.trim().is_empty()) {
            self.failure.id.get_or_insert_with(|| Cow::Owned(id.into_owned()));
        }
    }

    /// Looks through the properties of a log record for facts of ours.
    pub(super) fn properties(&mut self, properties: Option<&Value>) {
        for (name, value) in properties.map_or(&[][..], Value::members) {
            if PROPERTIES.contains(&name.as_str()) {
                self.property(name, value);
            }
        }
    }

    fn property(&mut self, name: &str, value: &Value) {
        let field = match name {
            "connector" => &mut self.failure.connector,
            "operation" => &mut self.failure.operation,
            "phase" => &mut self.failure.phase,
            _ => return self.status(value),
        };
        if let Some(word) = value.said() {
            field.get_or_insert_with(|| Cow::Owned(word.trim().to_owned()));
        }
    }

    /// What was odd, for people.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        if self.notes.len() < limits::NOTES {
            self.notes.push(note.into());
        }
    }

    /// Whether the record says anything about an exception.
    pub(super) fn has_exception(&self) -> bool {
        !self.failure.exceptions.is_empty() || self.failure.text.is_some() || self.failure.stack_trace.is_some()
    }
}

/// The words of a field that holds several: a list, or a text with separators.
fn words(value: &Value) -> Vec<String> {
    let texts = value.items().iter().chain(std::slice::from_ref(value)).filter_map(Value::shown);
    let words = texts.flat_map(|text| {
        text.split([',', ';', '|', ' ', '\n', '\t'])
            .map(str::to_owned)
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
    });
    words.take(limits::FACTS).collect()
}
