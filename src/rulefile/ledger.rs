//! `ledger.toml`: every code ever issued, one line for each, sorted. Written by the tool alone.

use std::fmt::Write as _;

use toml::Spanned as TomlSpanned;
use toml::de::DeTable;

use crate::model::{Action, RetryClass};

use super::entry::{Book, LedgerEntry, LedgerFile};
use super::file::check_code;
use super::keys;
use super::table::{Context, Table};

pub(super) fn read(ctx: &mut Context, root: &TomlSpanned<DeTable<'_>>, text: &str) -> LedgerFile {
    let table = Table::with_map(ctx, root.get_ref(), 0..0, text, keys::LEDGER, "the ledger");
    table.check_format(ctx);
    let mut codes = Vec::new();
    for (name, value) in table.named(ctx, "codes") {
        check_code(ctx, &name);
        let Some(line) = Table::open(ctx, value, text, keys::LEDGER_CODE, "a line of the ledger") else { continue };
        codes.push(LedgerEntry {
            title: line.text(ctx, "title"),
            status: line.text(ctx, "status"),
            retry: line.word(ctx, "retry", &RetryClass::WORDS),
            action: line.word(ctx, "action", &Action::WORDS),
            retired: line.bool(ctx, "retired").unwrap_or_default(),
            code: name,
        });
    }
    LedgerFile { codes }
}

/// The ledger's text after all codes of the book are entered: lines of codes that it knows stay as they are, but for
/// titles and retirement.
#[must_use]
pub fn write(book: &Book) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    let known = book.ledger.iter().flat_map(|ledger| &ledger.codes);
    for entry in known.clone() {
        let described = book.code(&entry.code.value);
        let title = described.and_then(|code| code.title.as_ref()).or(entry.title.as_ref());
        let retired = entry.retired || described.is_some_and(|code| code.retired.is_some());
        let status = entry.status.as_ref();
        lines.extend(line(
            &entry.code.value,
            title.map(|t| &*t.value),
            status.map(|s| &*s.value),
            entry.retry.as_ref().map(|r| r.value),
            entry.action.as_ref().map(|a| a.value),
            retired,
        ));
    }
    for (_, code) in book.codes() {
        if known.clone().all(|entry| entry.code.value != code.code.value) {
            let title = code.title.as_ref().map(|t| &*t.value);
            let status = code.status.as_ref().map(|s| &*s.value);
            lines.extend(line(
                &code.code.value,
                title,
                status,
                code.retry.as_ref().map(|r| r.value),
                code.effective_action(),
                code.retired.is_some(),
            ));
        }
    }
    lines.sort();
    let mut text = String::from(
        "#:schema ../schema/ledger.schema.json\n# Every code ever issued. Written by `faultbook ledger --write`; do not edit.\nformat = 1\n\n[codes]\n",
    );
    for (_, line) in lines {
        text.push_str(&line);
    }
    text
}

fn line(
    code: &str,
    title: Option<&str>,
    status: Option<&str>,
    retry: Option<RetryClass>,
    action: Option<Action>,
    retired: bool,
) -> Option<(String, String)> {
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let mut line = format!(
        "{code} = {{ title = {}, status = {}, retry = \"{}\", action = \"{}\"",
        quoted(title?),
        quoted(status?),
        retry?.as_str(),
        action?.as_str()
    );
    let _ = writeln!(line, "{} }}", if retired { ", retired = true" } else { "" });
    Some((code.to_owned(), line))
}
