//! A file of codes and rules: from tables to entries.

use toml::Spanned as TomlSpanned;
use toml::de::DeTable;

use crate::diagnostic::{Spanned, lints};
use crate::model::{Action, Code, RetryClass, limits};

use super::check::text::is_invisible;
use super::entry::{CodeEntry, RuleFile};
use super::table::{Context, Table, Value, clipped};
use super::{accept, keys, rule};

pub(super) fn read(ctx: &mut Context, name: &str, root: &TomlSpanned<DeTable<'_>>, text: &str) -> RuleFile {
    let table = Table::with_map(ctx, root.get_ref(), 0..0, text, keys::RULE_FILE, "a rule file");
    table.check_format(ctx);
    check_file_name(ctx, name);
    let connectors = table.one_or_more(ctx, "connector");
    for connector in &connectors {
        check_word(ctx, connector, "connector");
    }
    let mut codes = Vec::new();
    for (name, value) in table.named(ctx, "codes") {
        codes.extend(code(ctx, name, value, text));
    }
    let rules = table.tables(ctx, "rules").into_iter().filter_map(|value| rule::read(ctx, value, text)).collect();
    RuleFile {
        source: ctx.source,
        stem: name.strip_suffix(".toml").unwrap_or(name).to_owned(),
        connectors,
        codes,
        rules,
    }
}

/// Connectors, operations and phases are compared exactly: a blank or a wildcard in one never matches.
pub(super) fn check_word(ctx: &mut Context, word: &Spanned<String>, key: &str) {
    if word.value.trim().is_empty() {
        // Reported as empty.
        return;
    }
    let Some(odd) =
        word.value.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, '*' | '?' | ',' | '|'))
    else {
        return;
    };
    let help = match odd {
        '*' if word.value == "*" => format!("Leave `{key}` out: without it every one will do."),
        '*' | '?' => format!("`{key}` is compared exactly; list the words: `{key} = [\"…\", \"…\"]`."),
        ',' | '|' => format!("Write a list: `{key} = [\"…\", \"…\"]`."),
        _ => format!("Write `\"{}\"`.", word.value.split_whitespace().collect::<Vec<_>>().join("-")),
    };
    let message = format!("`{}` cannot stand in a word of `{key}`", odd.escape_debug());
    ctx.report(lints::MALFORMED_NAME, word.span.range.clone(), message, help);
}

/// The file's name is the first part of its rules' ids, which stand in logs.
fn check_file_name(ctx: &mut Context, name: &str) {
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !stem.split('/').all(is_word) {
        let help = "Rename it to letters, digits and hyphens: `business-central.toml`.";
        ctx.report(lints::MALFORMED_NAME, 0..0, format!("`{}` is no name of a rule file", clipped(name)), help);
    }
}

fn code(ctx: &mut Context, name: Spanned<String>, value: &Value<'_>, text: &str) -> Option<CodeEntry> {
    let table = Table::open(ctx, value, text, keys::CODE, "a code")?;
    check_code(ctx, &name);
    accept::read(ctx, &table, &value.span(), text);
    let retry = table.word(ctx, "retry", &RetryClass::WORDS);
    let action = table.word(ctx, "action", &Action::WORDS);
    let shown = |ctx: &mut Context, key| {
        let shown = table.text(ctx, key)?;
        check_visible(ctx, text, &shown);
        Some(shown)
    };
    let (title, status, message, meaning) =
        (shown(ctx, "title"), shown(ctx, "status"), shown(ctx, "message"), shown(ctx, "meaning"));
    if let Some(long) = title.as_ref().filter(|title| title.value.chars().count() > limits::TITLE_CHARS) {
        let message =
            format!("the title has {} characters, more than {}", long.value.chars().count(), limits::TITLE_CHARS);
        ctx.report(lints::LIMIT_EXCEEDED, long.span.range.clone(), message, "Put the explanation into `meaning`.");
    }
    let (since, retired) = (shown(ctx, "since"), shown(ctx, "retired"));
    let (remedy, links) = (table.texts(ctx, "remedy"), table.texts(ctx, "links"));
    for shown in remedy.iter().chain(&links) {
        check_visible(ctx, text, shown);
    }
    for link in &links {
        check_link(ctx, link);
    }
    if let Some(since) = &since {
        check_since(ctx, since);
    }
    Some(CodeEntry {
        title,
        status,
        retry,
        action,
        message,
        meaning,
        remedy,
        links,
        since,
        provisional: table.bool(ctx, "provisional").unwrap_or_default(),
        retired,
        examples: table
            .tables(ctx, "examples")
            .into_iter()
            .filter_map(|value| rule::example(ctx, value, text))
            .collect(),
        code: name,
    })
}

/// Reports characters that an escape such as `\u202E` brought into a text that people read; one that stands in the
/// file itself is reported there.
fn check_visible(ctx: &mut Context, file: &str, text: &Spanned<String>) {
    let odd = |c: char| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_invisible(c);
    let written = file.get(text.span.range.clone()).unwrap_or_default();
    if let Some(c) = text.value.chars().find(|&c| odd(c) && !written.contains(c)) {
        let message = format!("the text holds the invisible character U+{:04X}", u32::from(c));
        ctx.report(
            lints::INVISIBLE_CHARACTER,
            text.span.range.clone(),
            message,
            "Leave the escape out; for a backslash use single quotes.",
        );
    }
}

/// Releases are compared: which code is older.
fn check_since(ctx: &mut Context, since: &Spanned<String>) {
    let is_number = |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
    if !since.value.trim().is_empty() && !since.value.split('.').all(is_number) {
        let message = format!("`{}` is no release", clipped(&since.value));
        ctx.report(lints::MALFORMED_NAME, since.span.range.clone(), message, "Write numbers and dots: `2026.11`.");
    }
}

/// Links stand on pages that people click on.
fn check_link(ctx: &mut Context, link: &Spanned<String>) {
    let host =
        link.value.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if host.contains('@') {
        let message = "the link holds a user name or a password";
        ctx.report(lints::MALFORMED_NAME, link.span.range.clone(), message, "Leave out what stands in front of `@`.");
        return;
    }
    let is_web = ["https://", "http://"]
        .iter()
        .any(|scheme| link.value.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if !link.value.trim().is_empty()
        && (!is_web
            || link.value.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"')))
    {
        let message = format!("`{}` is no address of a web page", clipped(&link.value));
        ctx.report(lints::MALFORMED_NAME, link.span.range.clone(), message, "Write the whole address: `https://…`.");
    }
}

/// Reports a code that is not written like one.
pub(super) fn check_code(ctx: &mut Context, name: &Spanned<String>) {
    if Code::parse(&name.value).is_none() {
        let help = "A code is `DS`, two to six capital letters and three digits, for example `DSEX001`.";
        ctx.report(lints::MALFORMED_NAME, name.span.range.clone(), format!("`{}` is no code", name.value), help);
    }
}
