//! `tests/text/*.toml`: pasted text in, facts out.
//!
//! Types, messages, parents and numbers of exceptions, status, provider codes and error numbers are compared exactly;
//! what a case leaves out must be absent. `message` is compared only where a case states it. Nothing of
//! `not_in_messages` may stand in any message.

use std::borrow::Cow;

use faultbook::{Exception, Failure};
use libtest_mimic::{Failed, Trial};

use super::snapshot;

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    text: String,
    #[serde(default)]
    exceptions: Vec<Expected>,
    message: Option<String>,
    http_status: Option<u16>,
    #[serde(default)]
    provider_codes: Vec<String>,
    #[serde(default)]
    error_numbers: Vec<i64>,
    #[serde(default)]
    not_in_messages: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Expected {
    r#type: Option<String>,
    message: Option<String>,
    parent: Option<usize>,
    #[serde(default)]
    error_numbers: Vec<i64>,
}

pub fn trials() -> Vec<Trial> {
    snapshot::cases("text", |case: &Case| &case.name, run)
}

fn run(case: &Case) -> Result<(), Failed> {
    let read = faultbook::read_text(&case.text);
    let exceptions: Vec<Exception<'_>> = case
        .exceptions
        .iter()
        .map(|expected| Exception {
            type_name: expected.r#type.as_deref().map(Cow::Borrowed),
            message: expected.message.as_deref().map(Cow::Borrowed),
            parent: expected.parent,
            error_numbers: expected.error_numbers.clone(),
            ..Exception::default()
        })
        .collect();
    let expected = Failure {
        exceptions,
        message: case.message.as_deref().map(Cow::Borrowed).or_else(|| read.message.clone()),
        http_status: case.http_status,
        provider_codes: case.provider_codes.iter().map(|code| Cow::Borrowed(code.as_str())).collect(),
        error_numbers: case.error_numbers.clone(),
        stack_trace: read.stack_trace.clone(),
        ..Failure::default()
    };
    if read != expected {
        return Err(format!("read     {read:#?}\nexpected {expected:#?}").into());
    }
    let messages =
        read.exceptions.iter().filter_map(|exception| exception.message.as_deref()).chain(read.message.as_deref());
    let messages = messages.collect::<Vec<_>>().join("\n");
    match case.not_in_messages.iter().find(|text| messages.contains(text.as_str())) {
        Some(text) => Err(format!("`{text}` stands in a message: {messages}").into()),
        None => Ok(()),
    }
}
