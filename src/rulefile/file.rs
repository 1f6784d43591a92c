//! A file of codes and rules: from tables to entries.

use toml::Spanned as TomlSpanned;
use toml::de::DeTable;

use crate::diagnostic::{Spanned, lints};
use crate::model::{Action, Code, RetryClass, limits};

use super::entry::{CodeEntry, RuleFile};
use super::table::{Context, Table, Value};
use super::{keys, rule};

pub(super) fn read(ctx: &mut Context, name: &str, root: &TomlSpanned<DeTable<'_>>, text: &str) -> RuleFile {
    let table = Table::with_map(ctx, root.get_ref(), 0..0, text, keys::RULE_FILE, "a rule file");
    table.check_format(ctx);
    let connectors = table.one_or_more(ctx, "connector");
    let mut codes = Vec::new();
    for (name, value) in table.named(ctx, "codes") {
        codes.extend(code(ctx, name, value, text));
    }
    let entries = table.tables(ctx, "rules");
    if entries.len() > limits::RULES {
        let message = format!("file has {} rules, more than {}", entries.len(), limits::RULES);
        ctx.report(lints::LIMIT_EXCEEDED, 0..0, message, "Put several alternatives into one rule with a list.");
    }
    let rules = entries.into_iter().filter_map(|value| rule::read(ctx, value, text)).collect();
    RuleFile { source: ctx.source, stem: name.trim_end_matches(".toml").to_owned(), connectors, codes, rules }
}

fn code(ctx: &mut Context, name: Spanned<String>, value: &Value<'_>, text: &str) -> Option<CodeEntry> {
    let table = Table::open(ctx, value, text, keys::CODE, "a code")?;
    check_code(ctx, &name);
    let retry = table.word(ctx, "retry", &RetryClass::WORDS);
    let action = table.word(ctx, "action", &Action::WORDS);
    let remedy = table.texts(ctx, "remedy");
    for step in remedy.iter().filter(|step| step.value.trim().is_empty()) {
        ctx.report(lints::EMPTY_VALUE, step.span.range.clone(), "a step of `remedy` is empty", "Say what to do, or drop the step.");
    }
    Some(CodeEntry {
        title: table.text(ctx, "title"),
        status: table.text(ctx, "status"),
        retry,
        action,
        message: table.text(ctx, "message"),
        meaning: table.text(ctx, "meaning"),
        remedy,
        links: table.texts(ctx, "links"),
        since: table.text(ctx, "since"),
        provisional: table.bool(ctx, "provisional").unwrap_or_default(),
        retired: table.text(ctx, "retired"),
        examples: table.tables(ctx, "examples").into_iter().filter_map(|value| rule::example(ctx, value, text)).collect(),
        code: name,
    })
}

/// Reports a code that is not written like one.
pub(super) fn check_code(ctx: &mut Context, name: &Spanned<String>) {
    if Code::parse(&name.value).is_none() {
        let help = "A code is `DS`, two to six capital letters and three digits, for example `DSEX001`.";
        ctx.report(lints::MALFORMED_NAME, name.span.range.clone(), format!("`{}` is no code", name.value), help);
    }
}
