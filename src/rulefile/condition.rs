//! `when` and `unless`: from tables to conditions.

use toml::de::DeValue;

use crate::diagnostic::{Spanned, did_you_mean, lints, only_near};
use crate::model::{
    AttributePattern, CauseCondition, CausePosition, CodePattern, Condition, Fact, Literal, Pattern, PatternError,
    Quantifier, StatusPattern, TypePattern, Values, limits,
};

use super::keys;
use super::table::{Context, Table, Value, found, in_key_order, in_order, integer, text_value};

/// Reads the conditions of a table. A condition that cannot be read is reported and left out.
pub(super) fn read(ctx: &mut Context, value: &Value<'_>, text: &str, what: &'static str) -> Vec<Spanned<Condition>> {
    let Some(table) = Table::open(ctx, value, text, keys::CONDITIONS, what) else { return Vec::new() };
    let mut conditions = Vec::new();
    for (key, value) in in_key_order(table.entries(), keys::CONDITIONS) {
        let span = ctx.span(key.span().start..value.span().end.max(key.span().end));
        for condition in condition(ctx, key.get_ref(), value, text) {
            conditions.push(Spanned { value: condition, span: span.clone() });
        }
    }
    conditions
}

/// The conditions of one key; `attributes` has one for each name.
fn condition(ctx: &mut Context, key: &str, value: &Value<'_>, text: &str) -> Vec<Condition> {
    let one = match key {
        "exception" => types(ctx, value, key, text).map(Condition::Exception),
        "message" => patterns(ctx, value, key, text).map(Condition::Message),
        "contains" => literals(ctx, value, key, text).map(Condition::Contains),
        "http_status" => single(ctx, value, key, |ctx, item| status(ctx, item, key, text)).map(Condition::HttpStatus),
        "provider_code" => parsed(ctx, value, key, text, CodePattern::parse).map(Condition::ProviderCode),
        "error_number" => values(ctx, value, key, |ctx, item| integer(ctx, item, key)).map(Condition::ErrorNumber),
        "connector" => words(ctx, value, key).map(Condition::Connector),
        "operation" => words(ctx, value, key).map(Condition::Operation),
        "phase" => words(ctx, value, key).map(Condition::Phase),
        "attributes" => return attributes(ctx, value, text),
        "absent" => absent(ctx, value),
        "outermost" => cause(ctx, value, text, CausePosition::Outermost),
        "innermost" => cause(ctx, value, text, CausePosition::Innermost),
        "same_cause" => cause(ctx, value, text, CausePosition::SameCause),
        // Reported as an unknown key when the table was opened.
        _ => None,
    };
    one.into_iter().collect()
}

fn cause(ctx: &mut Context, value: &Value<'_>, text: &str, position: CausePosition) -> Option<Condition> {
    let table = Table::open(ctx, value, text, keys::CAUSE_CONDITIONS, "a cause selector")?;
    let mut conditions = Vec::new();
    for (key, value) in in_key_order(table.entries(), keys::CAUSE_CONDITIONS) {
        let key = key.get_ref().as_ref();
        conditions.extend(match key {
            "exception" => types(ctx, value, key, text).map(CauseCondition::Exception),
            "message" => patterns(ctx, value, key, text).map(CauseCondition::Message),
            "contains" => literals(ctx, value, key, text).map(CauseCondition::Contains),
            "error_number" => {
                values(ctx, value, key, |ctx, item| integer(ctx, item, key)).map(CauseCondition::ErrorNumber)
            }
            _ => None,
        });
    }
    if table.entries().is_empty() {
        ctx.report(
            lints::EMPTY_VALUE,
            value.span(),
            format!("`{}` has no conditions", position.key()),
            "Add a condition, for example `exception = \"…\"`.",
        );
        return None;
    }
    (!conditions.is_empty()).then_some(Condition::Cause { position, conditions })
}

fn types(ctx: &mut Context, value: &Value<'_>, key: &str, text: &str) -> Option<Values<TypePattern>> {
    parsed(ctx, value, key, text, TypePattern::parse)
}

fn patterns(ctx: &mut Context, value: &Value<'_>, key: &str, text: &str) -> Option<Values<Pattern>> {
    values(ctx, value, key, |ctx, item| {
        let pattern = ctx.pattern(item, key, text, Pattern::parse_condition)?.value;
        let is_short = pattern.may_match_one_character();
        if !ctx.is_proven && is_short && ["x", "7", "-", " "].iter().all(|probe| pattern.find(probe).is_some()) {
            let help = "Say what the message must say; for any message at all drop the condition.";
            ctx.report(
                lints::PATTERN_MATCHES_EMPTY,
                item.span(),
                "pattern matches any character, so it holds for every message",
                help,
            );
        }
        Some(pattern)
    })
}

fn literals(ctx: &mut Context, value: &Value<'_>, key: &str, text: &str) -> Option<Values<Literal>> {
    parsed(ctx, value, key, text, Literal::parse)
}

fn words(ctx: &mut Context, value: &Value<'_>, key: &str) -> Option<Values<String>> {
    single(ctx, value, key, |ctx, item| {
        let word = text_value(ctx, item, key)?;
        if word.value.trim().is_empty() {
            ctx.report(
                lints::EMPTY_VALUE,
                item.span(),
                format!("an empty `{key}` matches nothing"),
                "Write the word; for a missing one use `absent`.",
            );
        } else {
            super::file::check_word(ctx, &word, key);
        }
        Some(word.value)
    })
}

fn parsed<T>(
    ctx: &mut Context,
    value: &Value<'_>,
    key: &str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, PatternError>,
) -> Option<Values<T>> {
    values(ctx, value, key, |ctx, item| ctx.parsed(item, key, text, &parse).map(|parsed| parsed.value))
}

/// Values of a fact that a failure has once: asking for all of several can never hold.
fn single<T>(
    ctx: &mut Context,
    value: &Value<'_>,
    key: &str,
    read: impl FnMut(&mut Context, &Value<'_>) -> Option<T>,
) -> Option<Values<T>> {
    let values = values(ctx, value, key, read)?;
    if values.quantifier == Quantifier::All && values.items.len() > 1 {
        ctx.report(
            lints::RANGE_IN_ALL,
            value.span(),
            format!("a failure has one `{key}`, it can never be all of these"),
            "Write a plain list: any of its items may match.",
        );
    }
    Some(values)
}

/// One item, a list, or `{ all = […] }`.
fn values<T>(
    ctx: &mut Context,
    value: &Value<'_>,
    key: &str,
    mut read: impl FnMut(&mut Context, &Value<'_>) -> Option<T>,
) -> Option<Values<T>> {
    let (quantifier, list) = match value.get_ref() {
        DeValue::Array(items) => (Quantifier::Any, Some((items, value))),
        DeValue::Table(map) => match all(ctx, map, value, key) {
            Some(list) => (Quantifier::All, Some(list)),
            None => return None,
        },
        _ => (Quantifier::Any, None),
    };
    let items = match list {
        None => vec![read(ctx, value)?],
        Some((items, list)) => {
            if items.is_empty() {
                ctx.report(
                    lints::EMPTY_VALUE,
                    list.span(),
                    format!("`{key}` is an empty list, which nothing can match"),
                    "List at least one item.",
                );
            }
            if items.len() > limits::PATTERNS {
                let message = format!("the list has {} items, more than {}", items.len(), limits::PATTERNS);
                ctx.report(
                    lints::LIMIT_EXCEEDED,
                    list.span(),
                    message,
                    "Use a range or a glob instead of a long list.",
                );
                return None;
            }
            // One bad item must not hide the next one, but a condition with a part missing means something else.
            let read: Vec<_> = items.iter().map(|item| read(ctx, item)).collect();
            read.into_iter().collect::<Option<Vec<_>>>()?
        }
    };
    (!items.is_empty()).then_some(Values { quantifier, items })
}

type List<'v, 't> = (&'v toml::de::DeArray<'t>, &'v Value<'t>);

fn all<'v, 't>(
    ctx: &mut Context,
    map: &'v toml::de::DeTable<'t>,
    value: &Value<'_>,
    key: &str,
) -> Option<List<'v, 't>> {
    for (name, _) in map.iter().filter(|(name, _)| name.get_ref().as_ref() != "all") {
        let help = format!("Write `{key} = {{ all = […] }}`, a list, or one item.");
        ctx.report(lints::UNKNOWN_KEY, name.span(), format!("unknown key `{}` in `{key}`", name.get_ref()), help);
    }
    let Some(list) = map.get("all") else {
        if map.is_empty() {
            ctx.report(
                lints::EMPTY_VALUE,
                value.span(),
                format!("`{key}` is empty"),
                "Write one item, a list, or `{ all = […] }`.",
            );
        }
        return None;
    };
    match list.get_ref().as_array() {
        Some(items) => Some((items, list)),
        None => {
            ctx.wrong_type(list, "all", "a list");
            None
        }
    }
}

fn status(ctx: &mut Context, item: &Value<'_>, key: &str, text: &str) -> Option<StatusPattern> {
    match item.get_ref() {
        DeValue::Integer(_) => match StatusPattern::exact(integer(ctx, item, key)?) {
            Ok(status) => Some(status),
            Err(error) => {
                ctx.pattern_error(item, text, error);
                None
            }
        },
        DeValue::String(_) => ctx.parsed(item, key, text, StatusPattern::parse).map(|parsed| parsed.value),
        _ => {
            ctx.wrong_type(item, key, "`429`, `\"5xx\"` or `\"500-599\"`");
            None
        }
    }
}

fn attributes(ctx: &mut Context, value: &Value<'_>, text: &str) -> Vec<Condition> {
    let Some(map) = value.get_ref().as_table() else {
        let found = found(value);
        ctx.report(
            lints::WRONG_TYPE,
            value.span(),
            format!("`attributes` takes names with values, found {found}"),
            "Write `attributes.NAME = value`.",
        );
        return Vec::new();
    };
    if map.is_empty() {
        ctx.report(
            lints::EMPTY_VALUE,
            value.span(),
            "`attributes` names no attribute",
            "Write `attributes.NAME = value`.",
        );
    }
    let mut conditions = Vec::new();
    for (name, value) in in_order(map) {
        let key = name.get_ref().as_ref();
        if key.trim().is_empty() {
            ctx.report(
                lints::EMPTY_VALUE,
                name.span(),
                "the attribute has no name",
                "Write `attributes.NAME = value`.",
            );
        }
        let values = single(ctx, value, key, |ctx, item| match item.get_ref() {
            DeValue::Boolean(value) => Some(AttributePattern::Bool(*value)),
            DeValue::Integer(_) => integer(ctx, item, key).map(AttributePattern::Number),
            DeValue::String(_) => ctx.parsed(item, key, text, AttributePattern::parse_text).map(|parsed| parsed.value),
            _ => {
                ctx.wrong_type(item, key, "a text, a whole number or a truth value");
                None
            }
        });
        conditions.extend(values.map(|values| Condition::Attribute { name: key.to_owned(), values }));
    }
    conditions
}

fn absent(ctx: &mut Context, value: &Value<'_>) -> Option<Condition> {
    let names = values(ctx, value, "absent", |ctx, item| text_value(ctx, item, "absent"))?;
    // All of them are looked at: one unknown word must not hide the next.
    let facts: Vec<Option<Fact>> = names
        .items
        .into_iter()
        .map(|name| {
            if let Some(attribute) = name.value.strip_prefix("attributes.").filter(|rest| !rest.is_empty()) {
                return Some(Fact::Attribute(attribute.to_owned()));
            }
            let fact = Fact::WORDS.into_iter().find(|(word, _)| *word == name.value).map(|(_, fact)| fact);
            if fact.is_none() {
                let range = name.span.range.clone();
                let words = Fact::WORDS.map(|(word, _)| word).into_iter().chain(["attributes.NAME"]);
                ctx.report(
                    lints::UNKNOWN_WORD,
                    name.span.range,
                    format!("unknown fact `{}`", name.value),
                    did_you_mean(&name.value, words.clone()),
                );
                if let Some(near) = only_near(&name.value, words) {
                    ctx.fix(range, format!("\"{near}\""));
                }
            }
            fact
        })
        .collect();
    facts.into_iter().collect::<Option<Vec<_>>>().map(Condition::Absent)
}
