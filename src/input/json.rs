//! Our own JSON: one object with the fields of a failure.
//!
//! Connectors are newer or older than the engine and written in many languages: what can be understood is, what
//! cannot is left out with a note, and only what makes the record as a whole unreadable is an error.
//!
//! * Unknown fields are ignored and named in a note, with the field that was probably meant; a field given twice is an
//!   error. Names of fields are compared as they are: `statusCode` is an unknown field.
//! * Texts that are `null` or blank are absent. Numbers and truth values are read as text, a list of texts is joined by
//!   line ends, anything else is absent; each with a note. A number as `id` is no oddity.
//! * A status may be a number, a whole number as text (`"503"`, `"503 Service Unavailable"`) or as a float (`503.0`);
//!   `null` and a blank text are absent; what is not 100 to 599, a name (`"ServiceUnavailable"`) and `"503,0"` are absent
//!   with a note. A list or an object as status is an error.
//! * Numbers may be whole numbers, whole numbers as text, or hexadecimal text with `0x`; eight hexadecimal digits are a
//!   signed HRESULT as .NET shows it, so that `0x80004005` is -2147467259. What is none of them is absent with a note.
//! * A `parent` that is not the index of an exception in front is absent with a note: the chain has no cycles.
//! * Texts longer than the engine looks at are cut to their head and tail when they are read. Of more than 32 exceptions
//!   the outermost ones and the innermost are kept.
//! * NaN, numbers beyond a double, half surrogate pairs, control characters in texts, comments, single quotes and trailing
//!   commas are no JSON and errors, as are 128 levels of nesting, 100,000 values and names longer than 1 KiB.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::catch_unwind;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::diagnostic::nearest;
use crate::model::{Attribute, Exception, Failure, excerpt, is_status, limits};

/// A failure as it was read, with what was odd about the record. The failure borrows the texts that stand in the record
/// without escapes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record<'r> {
    /// The failure.
    pub failure: Failure<'r>,
    /// What was odd, for people.
    pub notes: Vec<String>,
}

/// The fields of a failure.
pub(crate) const FIELDS: [&str; 12] = [
    "id",
    "connector",
    "operation",
    "phase",
    "exceptions",
    "message",
    "http_status",
    "provider_codes",
    "error_numbers",
    "attributes",
    "stack_trace",
    "text",
];

/// The fields of an exception.
const EXCEPTION_FIELDS: [&str; 5] = ["type", "message", "ancestors", "error_numbers", "parent"];

/// Reads one record: a JSON object with the fields of a failure.
///
/// # Errors
/// When the bytes are no JSON object, a field is given twice, or a limit is exceeded; the text says where.
pub fn read_record(bytes: &[u8]) -> Result<Record<'_>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
    match read_loose(text).map_err(|error| describe(&error, text))? {
        Loose::Map(fields) => record(fields),
        other => Err(format!("expected an object, found {}", other.kind())),
    }
}

/// Reads JSON of whatever type, within the limits of a record.
pub(super) fn read_loose(text: &str) -> serde_json::Result<Loose<'_>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut values = 0;
    AnyValue { values: &mut values, fields: FIELDS.len() }
        .deserialize(&mut json)
        .and_then(|value| json.end().map(|()| value))
}

/// Reads one record of a stream or a request; a fault of the reader itself is an error like any other.
pub(crate) fn read_guarded(bytes: &[u8]) -> Result<Record<'_>, String> {
    if bytes.trim_ascii().is_empty() {
        return Err("empty line".to_owned());
    }
    // A fault of the reader must cost one answer its code, not a connector its answers.
    catch_unwind(|| read_record(bytes)).unwrap_or_else(|_| Err("internal error; please report the record".to_owned()))
}

fn describe(error: &serde_json::Error, text: &str) -> String {
    let message = error.to_string().replace(" at line 1 column ", " at column ");
    let text = text.trim_start();
    if error.is_syntax() && !text.starts_with(['{', '"']) && text.chars().take(200).any(char::is_alphabetic) {
        format!("{message}; for text as it was pasted use `--input text`")
    } else {
        message
    }
}

/// The fields of an object, in order.
pub(super) type Fields<'r> = Vec<(Cow<'r, str>, Loose<'r>)>;

fn record(fields: Fields<'_>) -> Result<Record<'_>, String> {
    if fields.len() > limits::RECORD_FIELDS {
        return Err(format!("the record has {} fields, more than {}", fields.len(), limits::RECORD_FIELDS));
    }
    let mut reader = Reader::default();
    let mut failure = Failure::default();
    let mut unknown = Vec::new();
    for (name, value) in distinct(fields)? {
        match name.as_ref() {
            "id" => failure.id = reader.text(&name, value),
            "connector" => failure.connector = reader.text(&name, value),
            "operation" => failure.operation = reader.text(&name, value),
            "phase" => failure.phase = reader.text(&name, value),
            "message" => failure.message = reader.text(&name, value),
            "stack_trace" => failure.stack_trace = reader.text(&name, value),
            "text" => failure.text = reader.text(&name, value),
            "http_status" => failure.http_status = reader.status(&value)?,
            "provider_codes" => failure.provider_codes = reader.texts(&name, value),
            "error_numbers" => failure.error_numbers = reader.numbers(&name, value),
            "attributes" => failure.attributes = reader.attributes(value)?,
            "exceptions" => failure.exceptions = reader.exceptions(value)?,
            _ => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        reader.note(unknown_fields(&unknown, "", &FIELDS));
    }
    reader.unknown_in_exceptions.sort_unstable();
    reader.unknown_in_exceptions.dedup();
    if !reader.unknown_in_exceptions.is_empty() {
        let note = unknown_fields(&reader.unknown_in_exceptions, " of exceptions", &EXCEPTION_FIELDS);
        reader.note(note);
    }
    Ok(Record { failure, notes: reader.notes() })
}

/// Fields up to which each is compared with each: faster than sorting, and nearly every record has fewer.
const FEW_FIELDS: usize = 16;

/// Refuses fields that are given twice: taking either one would be a guess.
fn distinct(fields: Fields<'_>) -> Result<Fields<'_>, String> {
    let is_new = |(index, (name, _)): (usize, &(Cow<'_, str>, Loose<'_>))| {
        fields[..index].iter().all(|(before, _)| before != name)
    };
    if fields.len() <= FEW_FIELDS && fields.iter().enumerate().all(is_new) {
        return Ok(fields);
    }
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("duplicate field `{}`", shown(pair[0]))),
        None => Ok(fields),
    }
}

fn unknown_fields(names: &[Cow<'_, str>], place: &str, known: &'static [&'static str]) -> String {
    let listed = names.iter().take(5).map(|name| {
        let name = shown(name);
        let snake: String =
            name.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).collect();
        let near = nearest(snake.trim_start_matches('_'), known.iter().copied());
        match near.or((snake.ends_with("status_code") && known.contains(&"http_status")).then_some("http_status")) {
            Some(near) => format!("`{name}` (did you mean `{near}`?)"),
            None => format!("`{name}`"),
        }
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    let more = if names.len() > 5 { format!(" and {} more", names.len() - 5) } else { String::new() };
    format!("ignored {} unknown field{}{place}: {listed}{more}", names.len(), if names.len() == 1 { "" } else { "s" })
}

/// Characters of the record that a note shows.
const SHOWN_CHARS: usize = 40;

/// The start of a name from the record, for a note about it.
pub(super) fn shown(text: &str) -> String {
    let mut start: String = text.chars().take(SHOWN_CHARS).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// Reads loosely typed values and notes what was odd.
#[derive(Default)]
struct Reader<'r> {
    notes: Vec<String>,
    more_notes: usize,
    unknown_in_exceptions: Vec<Cow<'r, str>>,
}

impl<'r> Reader<'r> {
    fn note(&mut self, note: String) {
        if self.notes.len() < limits::NOTES {
            self.notes.push(note);
        } else {
            self.more_notes += 1;
        }
    }

    fn notes(mut self) -> Vec<String> {
        if self.more_notes > 0 {
            self.notes.push(format!("and {} more", self.more_notes));
        }
        self.notes
    }

    fn odd(&mut self, name: &str, value: &Loose<'_>, read: &str) {
        self.note(format!("`{name}` is {}; {read}", value.kind()));
    }

    fn text(&mut self, name: &str, value: Loose<'r>) -> Option<Cow<'r, str>> {
        match value {
            Loose::Null => None,
            Loose::Text(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Loose::Integer(_) | Loose::Float(_) if name == "id" => Some(Cow::Owned(value.scalar())),
            Loose::Integer(_) | Loose::Float(_) | Loose::Bool(_) => {
                self.odd(name, &value, "read as text");
                Some(Cow::Owned(value.scalar()))
            }
            Loose::List(items) if items.iter().all(|item| matches!(item, Loose::Text(_))) => {
                self.note(format!("`{name}` is a list; its texts were joined"));
                let joined = items.iter().map(Loose::scalar).collect::<Vec<_>>().join("\n");
                Some(excerpt(&joined).unwrap_or(joined)).filter(|text| !text.trim().is_empty()).map(Cow::Owned)
            }
            other => {
                self.odd(name, &other, "read as absent");
                None
            }
        }
    }

    fn status(&mut self, value: &Loose<'_>) -> Result<Option<u16>, String> {
        let number = match value {
            Loose::Null => return Ok(None),
            Loose::Text(text) if text.trim().is_empty() => return Ok(None),
            Loose::Integer(number) => Some(*number),
            Loose::Float(number) => integral(*number),
            Loose::Text(text) => leading_number(text),
            Loose::Bool(_) => None,
            Loose::List(_) | Loose::Map(_) => {
                return Err(format!("`http_status` takes a number, found {}", value.kind()));
            }
        };
        let status = number.and_then(|number| u16::try_from(number).ok()).filter(|&status| is_status(status));
        match (status, value) {
            (Some(_), Loose::Integer(_)) => {}
            (Some(status), _) => self.odd("http_status", value, &format!("read as {status}")),
            (None, _) => {
                let shown = Some(value.scalar())
                    .filter(|text| text.len() <= SHOWN_CHARS)
                    .map_or_else(|| value.kind().to_owned(), |text| format!("`{text}`"));
                self.note(format!("`http_status` {shown} is not 100 to 599; read as absent"));
            }
        }
        Ok(status)
    }

    /// A list of texts; one text is a list of one.
    fn texts(&mut self, name: &str, value: Loose<'r>) -> Vec<Cow<'r, str>> {
        let items = self.items(name, value);
        self.bounded(
            name,
            items.into_iter().filter_map(|item| match item {
                Loose::Text(text) => Some(text).filter(|text| !text.trim().is_empty()),
                Loose::Integer(number) => Some(Cow::Owned(number.to_string())),
                _ => None,
            }),
        )
    }

    fn numbers(&mut self, name: &str, value: Loose<'r>) -> Vec<i64> {
        let items = self.items(name, value);
        let count = items.len();
        let numbers: Vec<i64> = items.iter().filter_map(number).collect();
        if numbers.len() < count {
            self.note(format!(
                "{} of `{name}` is no whole number; read as absent",
                if count == 1 { "the value" } else { "a value" }
            ));
        }
        self.bounded(name, numbers.into_iter())
    }

    fn items(&mut self, name: &str, value: Loose<'r>) -> Vec<Loose<'r>> {
        match value {
            Loose::Null => Vec::new(),
            Loose::List(items) => items,
            Loose::Map(_) => {
                self.odd(name, &value, "read as absent");
                Vec::new()
            }
            one => {
                self.odd(name, &one, "read as a list of one");
                vec![one]
            }
        }
    }

    fn bounded<T>(&mut self, name: &str, items: impl Iterator<Item = T>) -> Vec<T> {
        let mut items: Vec<T> = items.take(limits::FACTS + 1).collect();
        if items.len() > limits::FACTS {
            items.truncate(limits::FACTS);
            self.note(format!("`{name}` has more than {} items; the rest is not looked at", limits::FACTS));
        }
        items
    }

    fn attributes(&mut self, value: Loose<'r>) -> Result<BTreeMap<Cow<'r, str>, Attribute<'r>>, String> {
        let fields = match value {
            Loose::Null => Vec::new(),
            Loose::Map(fields) => distinct(fields)?,
            other => {
                self.odd("attributes", &other, "read as absent");
                Vec::new()
            }
        };
        let mut attributes = BTreeMap::new();
        for (name, value) in self.bounded("attributes", fields.into_iter()) {
            let attribute = match value {
                Loose::Null => continue,
                Loose::Bool(value) => Attribute::Bool(value),
                Loose::Integer(number) => Attribute::Number(number),
                Loose::Text(text) => Attribute::Text(text),
                Loose::Float(number) => {
                    integral(number).map_or_else(|| Attribute::Text(Cow::Owned(number.to_string())), Attribute::Number)
                }
                other => {
                    self.odd(&format!("attributes.{}", shown(&name)), &other, "read as absent");
                    continue;
                }
            };
            attributes.insert(name, attribute);
        }
        Ok(attributes)
    }

    fn exceptions(&mut self, value: Loose<'r>) -> Result<Vec<Exception<'r>>, String> {
        let items = match value {
            Loose::Null => Vec::new(),
            Loose::List(items) => items,
            one @ Loose::Map(_) => vec![one],
            other => {
                self.odd("exceptions", &other, "read as absent");
                Vec::new()
            }
        };
        let mut exceptions = Vec::with_capacity(items.len().min(limits::CAUSES + 1));
        for (index, item) in items.into_iter().enumerate() {
            let exception = match item {
                Loose::Map(fields) => self.exception(fields, index)?,
                other => {
                    self.note(format!("exception {index} is {}; read as absent", other.kind()));
                    // Keeps its place, so that the indices of `parent` still fit.
                    Exception::default()
                }
            };
            // Beyond the limit only the innermost one counts; one too many says that some are missing.
            if exceptions.len() > limits::CAUSES {
                exceptions.pop();
            }
            exceptions.push(exception);
        }
        Ok(exceptions)
    }

    fn exception(&mut self, fields: Fields<'r>, index: usize) -> Result<Exception<'r>, String> {
        let mut exception = Exception::default();
        for (name, value) in distinct(fields)? {
            match name.as_ref() {
                "type" => exception.type_name = self.text("type", value),
                "message" => exception.message = self.text("message", value),
                "ancestors" => exception.ancestors = self.texts("ancestors", value),
                "error_numbers" => exception.error_numbers = self.numbers("error_numbers", value),
                "parent" => exception.parent = self.parent(&value, index),
                _ if self.unknown_in_exceptions.len() < limits::RECORD_FIELDS => self.unknown_in_exceptions.push(name),
                _ => {}
            }
        }
        Ok(exception)
    }

    /// The index of an exception in front of this one.
    fn parent(&mut self, value: &Loose<'_>, index: usize) -> Option<usize> {
        let parent = number(value).and_then(|parent| usize::try_from(parent).ok()).filter(|&parent| parent < index);
        if parent.is_none() && !matches!(value, Loose::Null) {
            self.note(format!("`parent` of exception {index} is no exception in front of it; read as absent"));
        }
        parent
    }
}

/// A whole number, also as decimal or hexadecimal text.
fn number(value: &Loose<'_>) -> Option<i64> {
    match value {
        Loose::Integer(number) => Some(*number),
        Loose::Float(number) => integral(*number),
        Loose::Text(text) => whole_number(text),
        _ => None,
    }
}

/// A whole number, decimal or hexadecimal.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    match text.trim().strip_prefix("0x").or_else(|| text.trim().strip_prefix("0X")) {
        Some(hex) if hex.len() == 8 => u32::from_str_radix(hex, 16).ok().map(|number| i64::from(number.cast_signed())),
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.trim().parse().ok(),
    }
}

fn integral(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and far below the limits of i64")]
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

/// `503` of `503` and `503 Service Unavailable`; nothing of `503,0` or `ServiceUnavailable`.
fn leading_number(text: &str) -> Option<i64> {
    text.trim().split(' ').next()?.parse().ok()
}

/// JSON of whatever type; objects keep their fields in order, also those given twice. Texts without escapes are borrowed.
#[derive(Debug, Clone)]
pub(super) enum Loose<'r> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'r, str>),
    List(Vec<Loose<'r>>),
    Map(Fields<'r>),
}

impl Loose<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    fn scalar(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => text.clone().into_owned(),
            other => other.kind().to_owned(),
        }
    }
}

/// Reads a value of whatever type; counts the values of the record.
struct AnyValue<'c> {
    values: &'c mut usize,
    /// Fields that an object is expected to have.
    fields: usize,
}

impl<'de> DeserializeSeed<'de> for AnyValue<'_> {
    type Value = Loose<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Loose<'de>, D::Error> {
        *self.values += 1;
        if *self.values > limits::RECORD_VALUES {
            return Err(de::Error::custom(format!("the record has more than {} values", limits::RECORD_VALUES)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Loose<'de>, E> {
        Ok(Loose::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose<'de>, E> {
        Ok(Loose::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Loose<'de>, E> {
        Ok(Loose::Integer(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "beyond i64 the number is only shown, never compared")]
    fn visit_u64<E>(self, value: u64) -> Result<Loose<'de>, E> {
        Ok(i64::try_from(value).map_or(Loose::Float(value as f64), Loose::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Loose<'de>, E> {
        Ok(Loose::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Owned(excerpt(value).unwrap_or_else(|| value.to_owned()))))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(excerpt(value).map_or(Cow::Borrowed(value), Cow::Owned)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Loose<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(AnyValue { values: &mut *self.values, fields: 0 })? {
            items.push(item);
        }
        Ok(Loose::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Loose<'de>, A::Error> {
        let mut fields = Vec::with_capacity(self.fields);
        while let Some(name) = access.next_key_seed(Name)? {
            if name.len() > limits::FIELD_NAME_BYTES {
                return Err(de::Error::custom(format!(
                    "a field name has {} bytes, more than {}",
                    name.len(),
                    limits::FIELD_NAME_BYTES
                )));
            }
            fields.push((name, access.next_value_seed(AnyValue { values: &mut *self.values, fields: 0 })?));
        }
        Ok(Loose::Map(fields))
    }
}

/// Reads the name of a field.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }
}

#[cfg(test)]
mod tests {
    use super::read_record;

    #[test]
    fn numbers_in_hexadecimal() {
        let record = read_record(br#"{"error_numbers":["0x80004005","0X80131500","0x4B5","-5"," 7 ",2.0]}"#);
        let numbers = record.map(|record| record.failure.error_numbers);
        assert_eq!(numbers, Ok(vec![-2_147_467_259, -2_146_233_088, 1205, -5, 7, 2]));
    }
}
