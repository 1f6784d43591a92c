//! Which column says what, and the failures that rows are.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use arrow_array::array::{
    Array, ArrayRef, BooleanArray, GenericStringArray, LargeStringArray, StringArray, StringViewArray,
};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{OffsetSizeTrait, RecordBatch};
use arrow_data::ByteView;
use arrow_schema::{ArrowError, DataType, Schema};
use faultbook::{Attribute, Exception, Failure, limits};

use crate::capture::Context;

/// What begins the name of a fact that only one connector knows.
const ATTRIBUTE: &str = "attributes.";

/// The facts that a column can hold, but for attributes.
const FACTS: [&str; 10] = [
    "connector",
    "operation",
    "phase",
    "message",
    "exception_type",
    "exception_message",
    "http_status",
    "provider_codes",
    "error_numbers",
    "text",
];

/// The place of the column for each fact.
#[derive(Default)]
pub(super) struct Plan {
    facts: [Option<usize>; FACTS.len()],
    attributes: Vec<(String, usize)>,
}

/// What a column has to hold for a fact.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Texts,
    Numbers,
    Attribute,
}

fn kind(fact: &str) -> Kind {
    match fact {
        "http_status" => Kind::Number,
        "provider_codes" => Kind::Texts,
        "error_numbers" => Kind::Numbers,
        _ if fact.starts_with(ATTRIBUTE) => Kind::Attribute,
        _ => Kind::Text,
    }
}

impl Plan {
    /// Finds a column for each fact: the one that `columns` names, else the one of the fact's own name.
    ///
    /// # Errors
    /// When a fact or a column does not exist, or a column holds something else; the text says what to type instead.
    pub(super) fn new(schema: &Schema, columns: HashMap<String, String>) -> Result<Self, String> {
        let mut plan = Self::default();
        let own = schema.fields().iter().map(|field| field.name().clone());
        let own = own.filter(|name| FACTS.contains(&name.as_str()) || name.starts_with(ATTRIBUTE));
        let unnamed: Vec<String> = own.filter(|name| !columns.contains_key(name)).collect();
        let mut pairs: Vec<(String, String)> = columns.into_iter().collect();
        pairs.sort();
        pairs.extend(unnamed.into_iter().map(|name| (name.clone(), name)));
        for (fact, column) in pairs {
            plan.add(schema, &fact, &column)?;
        }
        if plan.is_empty() {
            return Err(format!(
                "no column of the table says anything about a failure; it has {}, and `columns` can name those for {}, {ATTRIBUTE}NAME",
                listed(schema.fields().iter().map(|field| field.name().as_str())),
                FACTS.join(", ")
            ));
        }
        Ok(plan)
    }

    fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.facts.iter().all(Option::is_none)
    }

    fn add(&mut self, schema: &Schema, fact: &str, column: &str) -> Result<(), String> {
        let known = FACTS.iter().position(|known| *known == fact);
        let attribute = fact.strip_prefix(ATTRIBUTE).filter(|name| !name.is_empty());
        if known.is_none() && attribute.is_none() {
            return Err(format!("`{fact}` is no fact of a failure; there are {}, {ATTRIBUTE}NAME", FACTS.join(", ")));
        }
        let mut places = schema.fields().iter().enumerate().filter(|(_, field)| field.name() == column);
        let Some((place, field)) = places.next() else {
            let all = listed(schema.fields().iter().map(|field| field.name().as_str()));
            return Err(format!("the table has no column `{column}` (for `{fact}`); it has {all}"));
        };
        if places.next().is_some() {
            return Err(format!("the table has several columns `{column}` (for `{fact}`)"));
        }
        if !holds(kind(fact), field.data_type()) {
            let wanted = match kind(fact) {
                Kind::Text => "texts",
                Kind::Number => "numbers or texts",
                Kind::Texts => "texts or lists of texts",
                Kind::Numbers => "numbers, texts or lists of them",
                Kind::Attribute => "texts, numbers or truth values",
            };
            return Err(format!("column `{column}` is {}; `{fact}` takes {wanted}", field.data_type()));
        }
        match (known, attribute) {
            (Some(index), _) => self.facts[index] = Some(place),
            (None, Some(name)) if self.attributes.len() < limits::FACTS => {
                self.attributes.push((name.to_owned(), place));
            }
            _ => return Err(format!("more than {} attributes", limits::FACTS)),
        }
        Ok(())
    }

    /// The columns of a batch, ready to be asked for rows.
    pub(super) fn facts<'b>(&'b self, batch: &'b RecordBatch) -> Result<Facts<'b>, ArrowError> {
        let column = |fact: &str| {
            let place = FACTS.iter().position(|known| *known == fact).and_then(|index| self.facts[index]);
            place.map(|place| batch.column(place))
        };
        let texts = |fact: &str| column(fact).map(Texts::of).transpose();
        let attributes =
            self.attributes.iter().map(|(name, place)| Ok((name.as_str(), Scalars::of(batch.column(*place))?)));
        Ok(Facts {
            connector: texts("connector")?,
            operation: texts("operation")?,
            phase: texts("phase")?,
            message: texts("message")?,
            exception_type: texts("exception_type")?,
            exception_message: texts("exception_message")?,
            http_status: column("http_status").map(Scalars::of).transpose()?,
            provider_codes: column("provider_codes").map(Lists::of).transpose()?,
            error_numbers: column("error_numbers").map(Lists::of).transpose()?,
            text: texts("text")?,
            attributes: attributes.collect::<Result<_, ArrowError>>()?,
        })
    }
}

/// Whether a column of this type can hold facts of this kind.
fn holds(kind: Kind, data_type: &DataType) -> bool {
    let is_text = |data_type: &DataType| match data_type {
        DataType::Dictionary(_, values) => is_plain_text(values) || **values == DataType::Null,
        other => is_plain_text(other) || *other == DataType::Null,
    };
    let is_number = |data_type: &DataType| is_text(data_type) || data_type.is_integer() || is_float(data_type);
    match (kind, data_type) {
        (Kind::Texts, DataType::List(item) | DataType::LargeList(item)) => is_text(item.data_type()),
        (Kind::Numbers, DataType::List(item) | DataType::LargeList(item)) => is_number(item.data_type()),
        (Kind::Text | Kind::Texts, data_type) => is_text(data_type),
        (Kind::Number | Kind::Numbers, data_type) => is_number(data_type),
        (Kind::Attribute, data_type) => is_number(data_type) || *data_type == DataType::Boolean,
    }
}

fn is_plain_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

/// Names of columns for an error; not all of a wide table.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> = names.take(SHOWN + 1).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN {
        "…".clone_into(&mut names[SHOWN]);
    }
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The facts of the rows of a batch.
pub(super) struct Facts<'b> {
    connector: Option<Texts<'b>>,
    operation: Option<Texts<'b>>,
    phase: Option<Texts<'b>>,
    message: Option<Texts<'b>>,
    exception_type: Option<Texts<'b>>,
    exception_message: Option<Texts<'b>>,
    http_status: Option<Scalars<'b>>,
    provider_codes: Option<Lists<'b>>,
    error_numbers: Option<Lists<'b>>,
    text: Option<Texts<'b>>,
    attributes: Vec<(&'b str, Scalars<'b>)>,
}

impl Facts<'_> {
    /// The failure of a row.
    pub(super) fn failure<'f>(&'f self, row: usize, context: &'f Context) -> Failure<'f> {
        let of = |column: &'f Option<Texts<'_>>| column.as_ref().and_then(|texts| texts.get(row));
        let or = |column, fallback: &'f Option<String>| of(column).or(fallback.as_deref().map(Cow::Borrowed));
        let exception_type = of(&self.exception_type);
        let mut message = of(&self.message);
        let mut exception_message = of(&self.exception_message);
        // A table with one message means that of its exception, where there is one.
        if self.exception_message.is_none() && exception_type.is_some() {
            exception_message = message.take();
        }
        let has_exception = exception_type.is_some() || exception_message.is_some();
        let exception = has_exception.then(|| Exception {
            type_name: exception_type,
            message: exception_message,
            ..Exception::default()
        });
        let status = self.http_status.as_ref().and_then(|column| column.number(row));
        let attribute = |(name, column): &'f (&str, Scalars<'_>)| Some(((*name).into(), column.attribute(row)?));
        Failure {
            connector: or(&self.connector, &context.connector),
            operation: or(&self.operation, &context.operation),
            phase: or(&self.phase, &context.phase),
            exceptions: exception.into_iter().collect(),
            message,
            http_status: status
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (100..600).contains(status)),
            provider_codes: self.provider_codes.as_ref().map(|lists| lists.texts(row)).unwrap_or_default(),
            error_numbers: self.error_numbers.as_ref().map(|lists| lists.numbers(row)).unwrap_or_default(),
            attributes: self.attributes.iter().filter_map(attribute).collect::<BTreeMap<_, _>>(),
            text: of(&self.text),
            ..Failure::default()
        }
    }
}

/// A column of texts, however they are laid out. Whoever made the table may have been wrong about what is UTF-8 and about
/// where texts end: bytes are read as bytes, and within bounds.
enum Texts<'b> {
    Small(&'b StringArray),
    Large(&'b LargeStringArray),
    View(&'b StringViewArray),
    /// For each row the place of its text, which may be none.
    Dictionary(Vec<Option<usize>>, Box<Texts<'b>>),
    Absent,
}

impl<'b> Texts<'b> {
    fn of(column: &'b ArrayRef) -> Result<Self, ArrowError> {
        Ok(match column.data_type() {
            DataType::Utf8 => Self::Small(column.as_string()),
            DataType::LargeUtf8 => Self::Large(column.as_string()),
            DataType::Utf8View => Self::View(column.as_string_view()),
            DataType::Dictionary(_, _) => {
                let dictionary = column.as_any_dictionary();
                let keys = dictionary.keys();
                let places = Scalars::of_array(keys)?;
                let place = |row| places.number(row).and_then(|place| usize::try_from(place).ok());
                Self::Dictionary((0..keys.len()).map(place).collect(), Box::new(Self::of(dictionary.values())?))
            }
            _ => Self::Absent,
        })
    }

    /// The text of a row; none of a blank one.
    fn get(&self, row: usize) -> Option<Cow<'_, str>> {
        let text = match self {
            Self::Small(texts) => bytes_of(texts, row),
            Self::Large(texts) => bytes_of(texts, row),
            Self::View(texts) => bytes_of_view(texts, row),
            Self::Dictionary(places, texts) => return texts.get(places.get(row).copied().flatten()?),
            Self::Absent => None,
        };
        text.map(String::from_utf8_lossy).filter(|text| !text.trim_start().is_empty())
    }
}

fn bytes_of<O: OffsetSizeTrait>(texts: &GenericStringArray<O>, row: usize) -> Option<&[u8]> {
    if row >= texts.len() || texts.is_null(row) {
        return None;
    }
    let offsets = texts.value_offsets();
    texts.value_data().get(offsets.get(row)?.as_usize()..offsets.get(row + 1)?.as_usize())
}

/// Bytes of a text that its view holds itself.
const INLINE: usize = 12;

fn bytes_of_view(texts: &StringViewArray, row: usize) -> Option<&[u8]> {
    if row >= texts.len() || texts.is_null(row) {
        return None;
    }
    let view: &u128 = texts.views().get(row)?;
    let length = usize::try_from(ByteView::from(*view).length).ok()?;
    if length <= INLINE {
        // SAFETY: the view holds that many bytes.
        return Some(unsafe { StringViewArray::inline_value(view, length) });
    }
    let place = ByteView::from(*view);
    let start = usize::try_from(place.offset).ok()?;
    let buffer = texts.data_buffers().get(usize::try_from(place.buffer_index).ok()?)?;
    buffer.as_slice().get(start..start.checked_add(length)?)
}

/// A column of single values.
enum Scalars<'b> {
    Numbers(Vec<Option<i64>>),
    Truths(&'b BooleanArray),
    Texts(Texts<'b>),
}

impl<'b> Scalars<'b> {
    fn of(column: &'b ArrayRef) -> Result<Self, ArrowError> {
        match column.data_type() {
            DataType::Boolean => Ok(Self::Truths(column.as_boolean())),
            data_type if data_type.is_integer() || is_float(data_type) => Self::of_array(column.as_ref()),
            _ => Texts::of(column).map(Self::Texts),
        }
    }

    fn of_array(column: &dyn Array) -> Result<Self, ArrowError> {
        macro_rules! numbers {
            ($type:ty, $convert:expr) => {
                column.as_primitive::<$type>().iter().map(|value| value.and_then($convert)).collect()
            };
        }
        Ok(Self::Numbers(match column.data_type() {
            DataType::Int8 => numbers!(Int8Type, |n| Some(i64::from(n))),
            DataType::Int16 => numbers!(Int16Type, |n| Some(i64::from(n))),
            DataType::Int32 => numbers!(Int32Type, |n| Some(i64::from(n))),
            DataType::Int64 => numbers!(Int64Type, Some),
            DataType::UInt8 => numbers!(UInt8Type, |n| Some(i64::from(n))),
            DataType::UInt16 => numbers!(UInt16Type, |n| Some(i64::from(n))),
            DataType::UInt32 => numbers!(UInt32Type, |n| Some(i64::from(n))),
            DataType::UInt64 => numbers!(UInt64Type, |n| i64::try_from(n).ok()),
            DataType::Float32 => numbers!(Float32Type, |n| whole(f64::from(n))),
            DataType::Float64 => numbers!(Float64Type, whole),
            other => return Err(ArrowError::SchemaError(format!("{other} holds no numbers"))),
        }))
    }

    fn number(&self, row: usize) -> Option<i64> {
        match self {
            Self::Numbers(numbers) => numbers.get(row).copied().flatten(),
            Self::Texts(texts) => texts.get(row)?.trim().parse().ok(),
            Self::Truths(_) => None,
        }
    }

    fn attribute(&self, row: usize) -> Option<Attribute<'_>> {
        match self {
            Self::Numbers(numbers) => numbers.get(row).copied().flatten().map(Attribute::Number),
            Self::Truths(truths) => truths.is_valid(row).then(|| Attribute::Bool(truths.value(row))),
            Self::Texts(texts) => texts.get(row).map(Attribute::Text),
        }
    }
}

/// Tables without missing whole numbers keep them as floats.
fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and far below the limits of i64")]
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

/// A column of lists, or of single values, which are lists of one.
struct Lists<'b> {
    /// Where each row's values begin and end; none when each row has one.
    bounds: Option<Vec<(usize, usize)>>,
    values: Scalars<'b>,
}

impl<'b> Lists<'b> {
    fn of(column: &'b ArrayRef) -> Result<Self, ArrowError> {
        match column.data_type() {
            DataType::List(_) => Self::of_lists::<i32>(column),
            DataType::LargeList(_) => Self::of_lists::<i64>(column),
            _ => Ok(Self { bounds: None, values: Scalars::of(column)? }),
        }
    }

    fn of_lists<O: OffsetSizeTrait>(column: &'b ArrayRef) -> Result<Self, ArrowError> {
        let lists = column.as_list::<O>();
        let bounds = lists.value_offsets().windows(2).enumerate().map(|(row, offsets)| {
            let start = offsets[0].as_usize();
            (start, if lists.is_valid(row) { offsets[1].as_usize() } else { start })
        });
        Ok(Self { bounds: Some(bounds.collect()), values: Scalars::of(lists.values())? })
    }

    fn places(&self, row: usize) -> std::ops::Range<usize> {
        let (start, end) = match &self.bounds {
            Some(bounds) => bounds.get(row).copied().unwrap_or_default(),
            None => (row, row + 1),
        };
        start..end.min(start + limits::FACTS)
    }

    fn texts(&self, row: usize) -> Vec<Cow<'_, str>> {
        let text = |place| match &self.values {
            Scalars::Texts(texts) => texts.get(place),
            _ => None,
        };
        self.places(row).filter_map(text).collect()
    }

    fn numbers(&self, row: usize) -> Vec<i64> {
        self.places(row).filter_map(|place| self.values.number(place)).collect()
    }
}
