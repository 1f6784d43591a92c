//! One adapter for each format of others: a record in, facts out.
//!
//! An adapter gets one record as a tree and states what is written in it. It knows where its format writes things; what
//! they mean is known to `draft`, and exceptions are read in one place for all (`exception`).

mod app_insights;
mod clef;
mod exception;
mod nlog;
mod otlp;
mod problem;
mod provider;
mod sentry;
mod serilog;
mod table;
mod template;

pub(super) use app_insights::is_details;
pub(super) use provider::read_markup;

use super::draft::Draft;
use super::format::Format;
use super::value::Value;

/// How records of one format are read.
pub(super) struct Adapter {
    /// Which format that is.
    pub(super) format: Format,
    /// What a record of it looks like, behind "expected".
    pub(super) expected: &'static str,
    /// Whether a record is one of this format and surely of no other.
    pub(super) tells: fn(&Value) -> bool,
    /// Puts a record into the shape in which its fields have the names that people know.
    pub(super) shape: fn(Value) -> Value,
    /// Reads a record in that shape, which stands in the input like this; `false` when it is none of this format.
    pub(super) read: fn(&Value, &str, &mut Draft) -> bool,
}

/// All of them, in the order in which a record is tried.
pub(super) const ADAPTERS: [&Adapter; 11] = [
    &clef::ADAPTER,
    &serilog::ADAPTER,
    &otlp::ADAPTER,
    &sentry::ADAPTER,
    &app_insights::ADAPTER,
    &exception::ADAPTER,
    &problem::ADAPTER,
    &provider::ADAPTER,
    &nlog::ADAPTER,
    &table::CSV,
    &table::PARQUET,
];

/// The first of some members that says something.
fn first<'v>(value: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().filter_map(|name| value.get(name)).find(|value| !value.is_empty())
}

/// The shape of records whose fields have the names that people know already.
fn as_it_is(value: Value) -> Value {
    value
}
