//! The fields of a failure as serde reads them when nobody is lenient: the floor of reading.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

/// The fields of a failure as serde reads them, without any leniency.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be measured")]
pub struct Reference<'r> {
    #[serde(borrow, default)]
    id: Option<Text<'r>>,
    #[serde(borrow, default)]
    connector: Option<Text<'r>>,
    #[serde(borrow, default)]
    operation: Option<Text<'r>>,
    #[serde(borrow, default)]
    phase: Option<Text<'r>>,
    #[serde(borrow, default)]
    exceptions: Vec<ReferenceException<'r>>,
    #[serde(borrow, default)]
    message: Option<Text<'r>>,
    http_status: Option<u16>,
    #[serde(borrow, default)]
    provider_codes: Vec<Text<'r>>,
    #[serde(default)]
    error_numbers: Vec<i64>,
    #[serde(borrow, default)]
    attributes: BTreeMap<Text<'r>, ReferenceAttribute<'r>>,
    #[serde(borrow, default)]
    stack_trace: Option<Text<'r>>,
    #[serde(borrow, default)]
    text: Option<Text<'r>>,
}

/// The fields of an exception.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be measured")]
struct ReferenceException<'r> {
    #[serde(borrow, default, rename = "type")]
    type_name: Option<Text<'r>>,
    #[serde(borrow, default)]
    message: Option<Text<'r>>,
    #[serde(borrow, default)]
    ancestors: Vec<Text<'r>>,
    #[serde(default)]
    error_numbers: Vec<i64>,
    parent: Option<usize>,
}

/// The value of an attribute.
#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "read to be measured")]
enum ReferenceAttribute<'r> {
    Bool(bool),
    Number(i64),
    Text(#[serde(borrow)] Text<'r>),
}

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Text<'r>(#[serde(borrow)] Cow<'r, str>);
