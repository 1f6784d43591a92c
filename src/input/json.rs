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
use std::panic::catch_unwind;

use serde::de::{MapAccess, SeqAccess};

use crate::diagnostic::nearest;
use crate::model::{Attribute, Exception, Failure, excerpt, is_status, limits};

use super::loose::{self, Any, Items, Loose, Members, Read, twice};

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
    let mut reader = Reader::default();
    let failure = loose::read(text, WholeRecord(&mut reader)).map_err(|error| describe(&error, text))?;
    reader.finish(failure)
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

/// The names that an object gave.
#[derive(Default)]
struct Given<'r> {
    /// A bit for each known one.
    known: u32,
    known_twice: Option<&'static str>,
    unknown: Vec<Cow<'r, str>>,
    count: usize,
}

impl<'r> Given<'r> {
    /// The known name that this one is.
    fn known(&mut self, known: &'static [&'static str], name: Cow<'r, str>) -> Option<&'static str> {
        self.count += 1;
        let Some(index) = known.iter().position(|known| *known == name) else {
            self.unknown.push(name);
            return None;
        };
        if self.known & 1 << index != 0 {
            self.known_twice = Some(self.known_twice.map_or(known[index], |other| other.min(known[index])));
        }
        self.known |= 1 << index;
        Some(known[index])
    }

    /// Refuses names that are given twice: taking either value would be a guess.
    fn refused(&self) -> Option<String> {
        let unknown = twice(self.unknown.iter().map(AsRef::as_ref));
        self.known_twice.into_iter().chain(unknown).min().map(duplicate)
    }
}

fn duplicate(name: &str) -> String {
    format!("duplicate field `{}`", shown(name))
}

/// Reads loosely typed values and notes what was odd.
#[derive(Default)]
struct Reader<'r> {
    notes: Vec<String>,
    more_notes: usize,
    unknown: Vec<Cow<'r, str>>,
    unknown_in_exceptions: Vec<Cow<'r, str>>,
    /// Why this is no record; said when the rest is known to be JSON.
    refused: Option<String>,
}

impl<'r> Reader<'r> {
    /// The record, once everything was read.
    fn finish(mut self, failure: Failure<'r>) -> Result<Record<'r>, String> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        if !self.unknown.is_empty() {
            self.note(unknown_fields(&self.unknown, "", &FIELDS));
        }
        self.unknown_in_exceptions.sort_unstable();
        self.unknown_in_exceptions.dedup();
        if !self.unknown_in_exceptions.is_empty() {
            self.note(unknown_fields(&self.unknown_in_exceptions, " of exceptions", &EXCEPTION_FIELDS));
        }
        if self.more_notes > 0 {
            self.notes.push(format!("and {} more", self.more_notes));
        }
        Ok(Record { failure, notes: self.notes })
    }

    /// Keeps the first reason against the record.
    fn refuse(&mut self, reason: Option<String>) {
        self.refused = self.refused.take().or(reason);
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < limits::NOTES {
            self.notes.push(note);
        } else {
            self.more_notes += 1;
        }
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

    fn status(&mut self, value: &Loose<'_>) -> Option<u16> {
        let number = match value {
            Loose::Null => return None,
            Loose::Text(text) if text.trim().is_empty() => return None,
            Loose::Integer(number) => Some(*number),
            Loose::Float(number) => integral(*number),
            Loose::Text(text) => leading_number(text),
            Loose::Bool(_) => None,
            Loose::List(_) | Loose::Map(_) => {
                self.refuse(Some(format!("`http_status` takes a number, found {}", value.kind())));
                return None;
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
        status
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

    fn attributes(&mut self, value: Loose<'r>) -> BTreeMap<Cow<'r, str>, Attribute<'r>> {
        let fields = match value {
            Loose::Null => Vec::new(),
            Loose::Map(fields) => fields,
            other => {
                self.odd("attributes", &other, "read as absent");
                Vec::new()
            }
        };
        self.refuse(twice(fields.iter().map(|(name, _)| name.as_ref())).map(duplicate));
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
        attributes
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

/// Reads the record itself.
struct WholeRecord<'a, 'r>(&'a mut Reader<'r>);

impl<'r> Read<'r> for WholeRecord<'_, 'r> {
    type Value = Failure<'r>;

    fn scalar(self, value: Loose<'r>) -> Failure<'r> {
        self.0.refuse(Some(format!("expected an object, found {}", value.kind())));
        Failure::default()
    }

    fn list<A: SeqAccess<'r>>(self, items: Items<'_, A>) -> Result<Failure<'r>, A::Error> {
        Ok(self.scalar(items.all()?))
    }

    fn object<A: MapAccess<'r>>(self, mut members: Members<'_, A>) -> Result<Failure<'r>, A::Error> {
        let reader = self.0;
        let mut failure = Failure::default();
        let mut given = Given::default();
        while let Some(name) = members.next()? {
            let name = given.known(&FIELDS, name).unwrap_or_default();
            if name == "exceptions" {
                failure.exceptions = members.value(Exceptions(reader))?;
                continue;
            }
            let value = members.value(Any)?;
            match name {
                "id" => failure.id = reader.text(name, value),
                "connector" => failure.connector = reader.text(name, value),
                "operation" => failure.operation = reader.text(name, value),
                "phase" => failure.phase = reader.text(name, value),
                "message" => failure.message = reader.text(name, value),
                "stack_trace" => failure.stack_trace = reader.text(name, value),
                "text" => failure.text = reader.text(name, value),
                "http_status" => failure.http_status = reader.status(&value),
                "provider_codes" => failure.provider_codes = reader.texts(name, value),
                "error_numbers" => failure.error_numbers = reader.numbers(name, value),
                "attributes" => failure.attributes = reader.attributes(value),
                _ => {}
            }
        }
        let too_many = given.count > limits::RECORD_FIELDS;
        let too_many =
            too_many.then(|| format!("the record has {} fields, more than {}", given.count, limits::RECORD_FIELDS));
        // What is wrong with the fields as such is said before what is wrong in one of them.
        reader.refused = too_many.or_else(|| given.refused()).or(reader.refused.take());
        reader.unknown = given.unknown;
        Ok(failure)
    }
}

/// Reads the list of exceptions; one exception is a list of one.
struct Exceptions<'a, 'r>(&'a mut Reader<'r>);

impl<'r> Read<'r> for Exceptions<'_, 'r> {
    type Value = Vec<Exception<'r>>;

    fn scalar(self, value: Loose<'r>) -> Vec<Exception<'r>> {
        if !matches!(value, Loose::Null) {
            self.0.odd("exceptions", &value, "read as absent");
        }
        Vec::new()
    }

    fn list<A: SeqAccess<'r>>(self, mut items: Items<'_, A>) -> Result<Vec<Exception<'r>>, A::Error> {
        let reader = self.0;
        let mut exceptions = Vec::new();
        let mut index = 0;
        while let Some(exception) = items.next(OneException { reader, index })? {
            // Beyond the limit only the innermost one counts; one too many says that some are missing.
            if exceptions.len() > limits::CAUSES {
                exceptions.pop();
            }
            exceptions.push(exception);
            index += 1;
        }
        Ok(exceptions)
    }

    fn object<A: MapAccess<'r>>(self, members: Members<'_, A>) -> Result<Vec<Exception<'r>>, A::Error> {
        Ok(vec![OneException { reader: self.0, index: 0 }.object(members)?])
    }
}

/// Reads one exception of the list.
struct OneException<'a, 'r> {
    reader: &'a mut Reader<'r>,
    index: usize,
}

impl<'r> Read<'r> for OneException<'_, 'r> {
    type Value = Exception<'r>;

    fn scalar(self, value: Loose<'r>) -> Exception<'r> {
        self.reader.note(format!("exception {} is {}; read as absent", self.index, value.kind()));
        // Keeps its place, so that the indices of `parent` still fit.
        Exception::default()
    }

    fn list<A: SeqAccess<'r>>(self, items: Items<'_, A>) -> Result<Exception<'r>, A::Error> {
        Ok(self.scalar(items.all()?))
    }

    fn object<A: MapAccess<'r>>(self, mut members: Members<'_, A>) -> Result<Exception<'r>, A::Error> {
        let Self { reader, index } = self;
        let mut exception = Exception::default();
        let mut given = Given::default();
        while let Some(name) = members.next()? {
            let name = given.known(&EXCEPTION_FIELDS, name).unwrap_or_default();
            let value = members.value(Any)?;
            match name {
                "type" => exception.type_name = reader.text(name, value),
                "message" => exception.message = reader.text(name, value),
                "ancestors" => exception.ancestors = reader.texts(name, value),
                "error_numbers" => exception.error_numbers = reader.numbers(name, value),
                "parent" => exception.parent = reader.parent(&value, index),
                _ => {}
            }
        }
        reader.refuse(given.refused());
        let room = limits::RECORD_FIELDS.saturating_sub(reader.unknown_in_exceptions.len());
        reader.unknown_in_exceptions.extend(given.unknown.into_iter().take(room));
        Ok(exception)
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
