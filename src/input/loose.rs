//! JSON of whatever type, read within the limits of a record.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::model::{excerpt, limits};

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

/// The fields of an object, in order.
pub(super) type Fields<'r> = Vec<(Cow<'r, str>, Loose<'r>)>;

impl Loose<'_> {
    /// What it is, for a note.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    /// Its text; of a list or an object its kind.
    pub(super) fn scalar(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => text.clone().into_owned(),
            other => other.kind().to_owned(),
        }
    }
}

/// The first in the alphabet of names that are there twice.
pub(super) fn twice<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// Reads one value of JSON within the limits of a record, and nothing but white space behind it.
pub(super) fn read<'r, R: Read<'r>>(text: &'r str, read: R) -> serde_json::Result<R::Value> {
    let mut json = serde_json::Deserializer::from_str(text);
    Reading { values: &mut 0, read }.deserialize(&mut json).and_then(|value| json.end().map(|()| value))
}

/// What is made of a value: of a list or an object while its parts come in.
pub(super) trait Read<'r>: Sized {
    type Value;

    /// Of what is no list and no object.
    fn scalar(self, value: Loose<'r>) -> Self::Value;

    fn list<A: SeqAccess<'r>>(self, items: Items<'_, A>) -> Result<Self::Value, A::Error>;

    fn object<A: MapAccess<'r>>(self, members: Members<'_, A>) -> Result<Self::Value, A::Error>;
}

/// The items of a list that are still to come.
pub(super) struct Items<'v, A> {
    access: A,
    values: &'v mut usize,
}

impl<'r, A: SeqAccess<'r>> Items<'_, A> {
    pub(super) fn next<R: Read<'r>>(&mut self, read: R) -> Result<Option<R::Value>, A::Error> {
        self.access.next_element_seed(Reading { values: &mut *self.values, read })
    }

    /// All of them as one value.
    pub(super) fn all(mut self) -> Result<Loose<'r>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = self.next(Any)? {
            items.push(item);
        }
        Ok(Loose::List(items))
    }
}

/// The fields of an object that are still to come.
pub(super) struct Members<'v, A> {
    access: A,
    values: &'v mut usize,
}

impl<'r, A: MapAccess<'r>> Members<'_, A> {
    /// The name of the next field; its value has to be read before the next one.
    pub(super) fn next(&mut self) -> Result<Option<Cow<'r, str>>, A::Error> {
        let Some(name) = self.access.next_key_seed(Name)? else { return Ok(None) };
        if name.len() > limits::FIELD_NAME_BYTES {
            return Err(de::Error::custom(format!(
                "a field name has {} bytes, more than {}",
                name.len(),
                limits::FIELD_NAME_BYTES
            )));
        }
        Ok(Some(name))
    }

    pub(super) fn value<R: Read<'r>>(&mut self, read: R) -> Result<R::Value, A::Error> {
        self.access.next_value_seed(Reading { values: &mut *self.values, read })
    }

    /// All of them as one value.
    pub(super) fn all(mut self) -> Result<Loose<'r>, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = self.next()? {
            fields.push((name, self.value(Any)?));
        }
        Ok(Loose::Map(fields))
    }
}

/// Keeps a value as it is.
pub(super) struct Any;

impl<'r> Read<'r> for Any {
    type Value = Loose<'r>;

    fn scalar(self, value: Loose<'r>) -> Loose<'r> {
        value
    }

    fn list<A: SeqAccess<'r>>(self, items: Items<'_, A>) -> Result<Loose<'r>, A::Error> {
        items.all()
    }

    fn object<A: MapAccess<'r>>(self, members: Members<'_, A>) -> Result<Loose<'r>, A::Error> {
        members.all()
    }
}

/// Reads a value of whatever type; counts the values of the record.
struct Reading<'v, R> {
    values: &'v mut usize,
    read: R,
}

impl<'r, R: Read<'r>> DeserializeSeed<'r> for Reading<'_, R> {
    type Value = R::Value;

    fn deserialize<D: Deserializer<'r>>(self, deserializer: D) -> Result<R::Value, D::Error> {
        *self.values += 1;
        if *self.values > limits::RECORD_VALUES {
            return Err(D::Error::custom(format!("the record has more than {} values", limits::RECORD_VALUES)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'r, R: Read<'r>> Visitor<'r> for Reading<'_, R> {
    type Value = R::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<R::Value, E> {
        Ok(self.read.scalar(Loose::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<R::Value, E> {
        Ok(self.read.scalar(Loose::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<R::Value, E> {
        Ok(self.read.scalar(Loose::Integer(value)))
    }

    #[expect(clippy::cast_precision_loss, reason = "beyond i64 the number is only shown, never compared")]
    fn visit_u64<E>(self, value: u64) -> Result<R::Value, E> {
        Ok(self.read.scalar(i64::try_from(value).map_or(Loose::Float(value as f64), Loose::Integer)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<R::Value, E> {
        Ok(self.read.scalar(Loose::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<R::Value, E> {
        let text = excerpt(value).unwrap_or_else(|| value.to_owned());
        Ok(self.read.scalar(Loose::Text(Cow::Owned(text))))
    }

    fn visit_borrowed_str<E>(self, value: &'r str) -> Result<R::Value, E> {
        Ok(self.read.scalar(Loose::Text(excerpt(value).map_or(Cow::Borrowed(value), Cow::Owned))))
    }

    fn visit_seq<A: SeqAccess<'r>>(self, access: A) -> Result<R::Value, A::Error> {
        self.read.list(Items { access, values: self.values })
    }

    fn visit_map<A: MapAccess<'r>>(self, access: A) -> Result<R::Value, A::Error> {
        self.read.object(Members { access, values: self.values })
    }
}

/// Reads the name of a field.
struct Name;

impl<'r> DeserializeSeed<'r> for Name {
    type Value = Cow<'r, str>;

    fn deserialize<D: Deserializer<'r>>(self, deserializer: D) -> Result<Cow<'r, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'r> Visitor<'r> for Name {
    type Value = Cow<'r, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'r, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_borrowed_str<E>(self, name: &'r str) -> Result<Cow<'r, str>, E> {
        Ok(Cow::Borrowed(name))
    }
}
