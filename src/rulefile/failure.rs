//! Failures in examples: strict, unlike those that connectors send.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::diagnostic::{Spanned, lints};
use crate::model::{Attribute, Exception, Failure, is_status};

use super::keys;
use super::table::{Context, Table, Value, integer};

/// Reads the failure of an example.
pub(super) fn read(ctx: &mut Context, value: &Value<'_>, text: &str) -> Option<Spanned<Failure<'static>>> {
    let table = Table::open(ctx, value, text, keys::FAILURE, "a failure")?;
    let mut get = |key| table.text(ctx, key).map(|text| Cow::Owned(text.value));
    let (id, connector, operation, phase) = (get("id"), get("connector"), get("operation"), get("phase"));
    let (message, stack_trace, pasted) = (get("message"), get("stack_trace"), get("text"));
    let written = table.tables(ctx, "exceptions");
    for (at, value) in written.iter().enumerate() {
        check_parent(ctx, value, at, written.len());
    }
    let exceptions = written.into_iter().filter_map(|value| exception(ctx, value, text)).collect();
    let failure = Failure {
        id,
        connector,
        operation,
        phase,
        exceptions,
        message,
        http_status: table.get("http_status").and_then(|value| status(ctx, value)),
        provider_codes: table.texts(ctx, "provider_codes").into_iter().map(|code| Cow::Owned(code.value)).collect(),
        error_numbers: table.integers(ctx, "error_numbers"),
        attributes: attributes(ctx, &table),
        stack_trace,
        text: pasted,
    };
    if table.entries().is_empty() {
        ctx.report(
            lints::EMPTY_VALUE,
            value.span(),
            "the failure says nothing",
            "State what tells this failure from others.",
        );
    }
    Some(Spanned { value: failure, span: ctx.span(value.span()) })
}

fn exception(ctx: &mut Context, value: &Value<'_>, text: &str) -> Option<Exception<'static>> {
    let table = Table::open(ctx, value, text, keys::EXCEPTION, "an exception")?;
    Some(Exception {
        type_name: table.text(ctx, "type").map(|text| Cow::Owned(text.value)),
        // An empty message is a fact of life: some exceptions have none.
        message: table
            .get("message")
            .and_then(|value| super::table::text_value(ctx, value, "message"))
            .map(|text| Cow::Owned(text.value)),
        ancestors: table.texts(ctx, "ancestors").into_iter().map(|name| Cow::Owned(name.value)).collect(),
        error_numbers: table.integers(ctx, "error_numbers"),
        parent: table.get("parent").and_then(|value| index(ctx, value)),
    })
}

/// A parent is another exception of the same failure.
fn check_parent(ctx: &mut Context, exception: &Value<'_>, at: usize, count: usize) {
    let Some(parent) = exception.get_ref().as_table().and_then(|table| table.get("parent")) else { return };
    let number = parent.get_ref().as_integer().and_then(|number| number.as_str().parse::<usize>().ok());
    if let Some(number) = number.filter(|&number| number >= count || number == at) {
        let message = if number == at {
            "an exception cannot wrap itself".to_owned()
        } else {
            format!("there is no exception {number}: the failure has {count}, counted from 0")
        };
        let help = "`parent` is the index of the exception that wraps this one, in front of it in the list.";
        ctx.report(lints::WRONG_TYPE, parent.span(), message, help);
    }
}

fn index(ctx: &mut Context, value: &Value<'_>) -> Option<usize> {
    let number = integer(ctx, value, "parent")?;
    let index = usize::try_from(number).ok();
    if index.is_none() {
        ctx.wrong_type(value, "parent", "an index from 0");
    }
    index
}

fn status(ctx: &mut Context, value: &Value<'_>) -> Option<u16> {
    let number = integer(ctx, value, "http_status")?;
    let status = u16::try_from(number).ok().filter(|&status| is_status(status));
    if status.is_none() {
        ctx.report(
            lints::STATUS_RANGE,
            value.span(),
            format!("`{number}` is no HTTP status"),
            "Statuses are 100 to 599.",
        );
    }
    status
}

fn attributes(ctx: &mut Context, table: &Table<'_>) -> BTreeMap<Cow<'static, str>, Attribute<'static>> {
    let mut read = BTreeMap::new();
    for (name, value) in table.named(ctx, "attributes") {
        let attribute = match value.get_ref() {
            DeValue::Boolean(value) => Some(Attribute::Bool(*value)),
            DeValue::Integer(_) => integer(ctx, value, &name.value).map(Attribute::Number),
            DeValue::String(text) => Some(Attribute::Text(Cow::Owned(text.to_string()))),
            _ => {
                ctx.wrong_type(value, &name.value, "a text, a whole number or a truth value");
                None
            }
        };
        read.extend(attribute.map(|attribute| (Cow::Owned(name.value), attribute)));
    }
    read
}
