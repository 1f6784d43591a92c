//! `faultbook.toml`: from tables to the manifest.

use toml::Spanned as TomlSpanned;
use toml::de::DeTable;

use crate::diagnostic::{Spanned, lints};
use crate::model::{Pattern, TypeName};

use super::entry::{FamilyEntry, ManifestEntry, NamedPattern};
use super::table::{Context, Table};
use super::{accept, keys};

pub(super) fn read(ctx: &mut Context, root: &TomlSpanned<DeTable<'_>>, text: &str) -> ManifestEntry {
    let table = Table::with_map(ctx, root.get_ref(), 0..0, text, keys::MANIFEST, "the manifest");
    table.check_format(ctx);
    accept::read_of_file(ctx, &table, text);
    let mut families = Vec::new();
    for (name, value) in table.named(ctx, "families") {
        if let Some(family) = Table::open(ctx, value, text, keys::FAMILY, "a family") {
            check_family(ctx, &name);
            families.push(FamilyEntry { title: family.text(ctx, "title"), name });
        }
    }
    let facts = table.get("facts").and_then(|value| Table::open(ctx, value, text, keys::FACTS, "`facts`"));
    let mut patterns = |key| facts.as_ref().map(|facts| facts.patterns(ctx, key)).unwrap_or_default();
    let (provider_code, http_status, error_number) =
        (patterns("provider_code"), patterns("http_status"), patterns("error_number"));
    for number in http_status.iter().chain(&error_number) {
        check_number(ctx, number);
    }
    let mut redact = Vec::new();
    for (name, value) in table.named(ctx, "redact") {
        if !name.value.starts_with(|c: char| c.is_ascii_lowercase())
            || !name.value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
        {
            ctx.report(
                lints::MALFORMED_NAME,
                name.span.range.clone(),
                format!("`{}` is no name of a secret", name.value),
                "Write a word in small letters: `client_secret`.",
            );
        }
        if let Some(pattern) = ctx.pattern(value, "redact", text, Pattern::parse) {
            let takes_all = |pattern: &Pattern| ["x", "7", "-"].iter().all(|probe| pattern.is_match(probe));
            if !ctx.is_proven && pattern.value.may_match_one_character() && takes_all(&pattern.value) {
                let message = "the pattern takes every character, so nothing of any text would be shown";
                let help = "Say what the secret looks like, for example `client_secret=[^&]+`.";
                ctx.report(lints::PATTERN_MATCHES_EMPTY, value.span(), message, help);
            }
            redact.push(NamedPattern { name, pattern: pattern.value });
        }
    }
    ManifestEntry {
        source: ctx.source,
        order: table.texts(ctx, "order"),
        fallback: table.text(ctx, "fallback"),
        statuses: table.texts(ctx, "statuses"),
        families,
        ancestors: ancestors(ctx, &table),
        provider_code,
        http_status,
        error_number,
        redact,
    }
}

/// Without a group `value` the whole match is the fact: words in it keep it from being a number.
fn check_number(ctx: &mut Context, pattern: &Spanned<Pattern>) {
    if !pattern.value.has_value() && !pattern.value.requirement().texts.is_empty() {
        let help = "Mark the number: `status (?<value>[0-9]{3})`.";
        let message = "the pattern never yields a number: what it finds holds other words";
        ctx.report(lints::CAPTURE_WITHOUT_VALUE, pattern.span.range.clone(), message, help);
    }
}

fn check_family(ctx: &mut Context, name: &Spanned<String>) {
    let letters = name.value.strip_prefix("DS").unwrap_or_default();
    if !(2..=6).contains(&letters.len()) || !letters.bytes().all(|b| b.is_ascii_uppercase()) {
        let help = "A family is `DS` and two to six capital letters, for example `DSEX`.";
        ctx.report(
            lints::MALFORMED_NAME,
            name.span.range.clone(),
            format!("`{}` is no family of codes", name.value),
            help,
        );
    }
}

fn ancestors(ctx: &mut Context, table: &Table<'_>) -> Vec<(Spanned<TypeName<'static>>, Vec<TypeName<'static>>)> {
    let mut read = Vec::new();
    for (name, value) in table.named(ctx, "ancestors") {
        let Some(items) = value.get_ref().as_array() else {
            ctx.wrong_type(value, &name.value, "a list of type names");
            continue;
        };
        if items.is_empty() {
            let message = format!("`{}` has no base type", name.value);
            ctx.report(lints::EMPTY_VALUE, value.span(), message, "Name a base type, or delete the line.");
        }
        let mut parents = Vec::new();
        for item in items {
            if let Some(parent) = super::table::text_value(ctx, item, &name.value) {
                parents.extend(type_name(ctx, &parent));
            }
        }
        if let Some(child) = type_name(ctx, &name) {
            read.push((Spanned { value: child, span: name.span }, parents));
        }
    }
    read
}

fn type_name(ctx: &mut Context, name: &Spanned<String>) -> Option<TypeName<'static>> {
    let parsed = TypeName::parse(&name.value).map(TypeName::into_owned);
    if let Some(odd) = name.value.chars().find(|c| c.is_whitespace() || matches!(c, '*' | '?' | '{' | '}')) {
        let help = "Write the full name of one type; what is derived from it needs a line of its own.";
        ctx.report(
            lints::MALFORMED_NAME,
            name.span.range.clone(),
            format!("`{}` cannot stand in the name of a type", odd.escape_debug()),
            help,
        );
    } else if parsed.is_none() {
        ctx.report(
            lints::MALFORMED_NAME,
            name.span.range.clone(),
            "the type name is empty",
            "Write a full type name, for example `System.TimeoutException`.",
        );
    }
    parsed
}
