//! JSON of others as a tree: what pasted bodies and records of other formats are read into.
//!
//! Plain values; knows no format. Sizes are bounded where the tree is read.

use std::borrow::Cow;

use super::loose::{self, Any, Loose, twice};

/// A value, with objects in the order of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A string, escapes undone.
    Text(String),
    /// A number or a bare word, as written.
    Bare(String),
    /// An object.
    Object(Vec<(String, Value)>),
    /// An array.
    Array(Vec<Value>),
}

impl Value {
    /// Reads JSON within the limits of a record.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let value =
            loose::read(text, Any).map_err(|error| error.to_string().replace(" at line 1 column ", " at column "))?;
        Ok(value.into())
    }

    /// A name that an object has twice.
    pub(super) fn twice(&self) -> Option<&str> {
        twice(self.members().iter().map(|(name, _)| name.as_str()))
    }

    /// The member with this name, case ignored.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members().iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The member with exactly this name.
    pub(super) fn exact(&self, name: &str) -> Option<&Value> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number, also when it was written as a string.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Value::Text(text) | Value::Bare(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The members of an object, none of anything else.
    pub(super) fn members(&self) -> &[(String, Value)] {
        match self {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of an array, none of anything else; also those that `ReferenceHandler.Preserve` wraps in an object.
    pub(super) fn items(&self) -> &[Value] {
        match self {
            Value::Array(items) => items,
            Value::Object(_) => self.exact("$values").map_or(&[], Value::items),
            _ => &[],
        }
    }

    /// The text of a string that says something.
    pub(super) fn said(&self) -> Option<&str> {
        self.text().filter(|text| !text.trim().is_empty())
    }

    /// A string, number or word as text; nothing of `null`.
    pub(super) fn shown(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Bare(word) if word == "null" => None,
            Value::Bare(word) => Some(Cow::Borrowed(word)),
            _ => None,
        }
    }

    /// Whether it holds nothing: `null`, a blank string, an empty object or array.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Value::Text(text) => text.trim().is_empty(),
            Value::Bare(word) => word == "null",
            Value::Object(members) => members.is_empty(),
            Value::Array(items) => items.is_empty(),
        }
    }
}

impl From<Loose<'_>> for Value {
    fn from(loose: Loose<'_>) -> Self {
        match loose {
            Loose::Null => Value::Bare("null".to_owned()),
            Loose::Bool(value) => Value::Bare(value.to_string()),
            Loose::Integer(number) => Value::Bare(number.to_string()),
            Loose::Float(number) => Value::Bare(number.to_string()),
            Loose::Text(text) => Value::Text(text.into_owned()),
            Loose::List(items) => Value::Array(items.into_iter().map(Value::from).collect()),
            Loose::Map(fields) => {
                Value::Object(fields.into_iter().map(|(name, value)| (name.into_owned(), value.into())).collect())
            }
        }
    }
}
