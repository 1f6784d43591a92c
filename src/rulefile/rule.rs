//! `[[rules]]`: from a table to an entry. A rule that cannot be read does not hide the next one.

use crate::diagnostic::{Spanned, lints};
use crate::model::{Capture, Pattern, Template, limits};

use super::entry::{CounterexampleEntry, ExampleEntry, RuleEntry};
use super::keys;
use super::table::{Context, Table, Value};
use super::{accept, condition, failure};

pub(super) fn read(ctx: &mut Context, value: &Value<'_>, text: &str) -> Option<RuleEntry> {
    let table = Table::open(ctx, value, text, keys::RULE, "a rule")?;
    let id = table.text(ctx, "id");
    if let Some(id) = &id {
        check_id(ctx, id);
    }
    let code = table.text(ctx, "code");
    let when = table.get("when").map(|value| conditions(ctx, value, text, "`when`")).unwrap_or_default();
    let unless = table.get("unless").map(|value| conditions(ctx, value, text, "`unless`")).unwrap_or_default();
    let captures = captures(ctx, &table);
    accept::read(ctx, &table, &value.span(), text);
    let has_examples =
        table.get("examples").is_some_and(|value| value.get_ref().as_array().is_none_or(|items| !items.is_empty()));
    let examples = table.tables(ctx, "examples").into_iter().filter_map(|value| example(ctx, value, text)).collect();
    let counterexamples =
        table.tables(ctx, "counterexamples").into_iter().filter_map(|value| counterexample(ctx, value, text)).collect();
    Some(RuleEntry { id: id?, code: code?, when, unless, captures, examples, has_examples, counterexamples })
}

pub(super) fn example(ctx: &mut Context, value: &Value<'_>, text: &str) -> Option<ExampleEntry> {
    let table = Table::open(ctx, value, text, keys::EXAMPLE, "an example")?;
    let message = table.text(ctx, "message");
    let failure = failure::read(ctx, table.get("failure")?, text)?;
    Some(ExampleEntry { failure, message })
}

fn counterexample(ctx: &mut Context, value: &Value<'_>, text: &str) -> Option<CounterexampleEntry> {
    let table = Table::open(ctx, value, text, keys::COUNTEREXAMPLE, "a counterexample")?;
    let code = table.text(ctx, "code");
    let failure = table.get("failure").and_then(|value| failure::read(ctx, value, text));
    Some(CounterexampleEntry { code: code?, failure: failure? })
}

fn conditions(
    ctx: &mut Context,
    value: &Value<'_>,
    text: &str,
    what: &'static str,
) -> Vec<Spanned<crate::model::Condition>> {
    if value.get_ref().as_table().is_some_and(toml::de::DeTable::is_empty) {
        let help = "Add a condition, for example `when.exception = \"System.TimeoutException\"`; what nothing else matches is the fallback's.";
        ctx.report(lints::RULE_WITHOUT_CONDITION, value.span(), format!("{what} has no condition"), help);
    }
    condition::read(ctx, value, text, what)
}

fn captures(ctx: &mut Context, table: &Table<'_>) -> Vec<Spanned<Capture>> {
    let mut read = Vec::new();
    for (name, value) in table.named(ctx, "capture") {
        check_variable(ctx, &name);
        let Some(pattern) = ctx.pattern(value, &name.value, table.text, Pattern::parse) else { continue };
        if !pattern.value.has_value() {
            let help = "Mark the part to take: `(?<value>…)`.";
            ctx.report(
                lints::CAPTURE_WITHOUT_VALUE,
                value.span(),
                format!("capture `{}` has no group `value`", name.value),
                help,
            );
        }
        read.push(Spanned { value: Capture { name: name.value, pattern: pattern.value }, span: name.span });
    }
    read
}

/// Names of captures are variables of templates.
fn check_variable(ctx: &mut Context, name: &Spanned<String>) {
    let well_formed = name.value.starts_with(|c: char| c.is_ascii_lowercase())
        && name.value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !well_formed {
        ctx.report(
            lints::MALFORMED_NAME,
            name.span.range.clone(),
            format!("`{}` is no name of a capture", name.value),
            "Write snake_case: `client_id`.",
        );
    } else if Template::FIELDS.contains(&name.value.as_str()) {
        let message = format!("capture `{}` hides the fact of the same name", name.value);
        let help = format!("Give it a name of its own, for example `captured_{}`.", name.value);
        ctx.report(lints::MALFORMED_NAME, name.span.range.clone(), message, help);
    } else if Template::WORDS.contains(&name.value.as_str()) {
        let help = format!("Give it another name, for example `{}_value`.", name.value);
        ctx.report(
            lints::MALFORMED_NAME,
            name.span.range.clone(),
            format!("`{}` is a word of the template language", name.value),
            help,
        );
    }
}

fn check_id(ctx: &mut Context, id: &Spanned<String>) {
    if id.value.trim().is_empty() {
        // Reported as empty.
        return;
    }
    if id.value.len() > limits::RULE_ID_BYTES {
        let message = format!("the id has {} bytes, more than {}", id.value.len(), limits::RULE_ID_BYTES);
        ctx.report(
            lints::LIMIT_EXCEEDED,
            id.span.range.clone(),
            message,
            "A few words are enough: decisions and logs carry the id.",
        );
        return;
    }
    let kebab = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !id.value.split('-').all(kebab) {
        let mut fixed = String::new();
        for c in id.value.chars() {
            // A capital letter begins a word.
            if c.is_ascii_uppercase() && fixed.ends_with(|c: char| c.is_ascii_lowercase()) {
                fixed.push('-');
            }
            fixed.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
        }
        let fixed = fixed.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        ctx.report(
            lints::MALFORMED_NAME,
            id.span.range.clone(),
            format!("rule id `{}` is not kebab-case", id.value),
            if fixed.is_empty() {
                "Write a few words: `secret-expired`.".to_owned()
            } else {
                format!("Write `{fixed}`.")
            },
        );
    }
}
