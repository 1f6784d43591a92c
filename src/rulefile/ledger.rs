//! `ledger.toml`: every code ever issued, one line for each, sorted. Written by the tool alone.

use toml::Spanned as TomlSpanned;
use toml::de::DeTable;

use crate::model::{Action, RetryClass};

#[cfg(feature = "cli")]
use super::entry::{Book, CodeEntry};
use super::entry::{LedgerEntry, LedgerFile};
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

/// One line of the ledger.
#[cfg(feature = "cli")]
struct Line<'b> {
    code: &'b str,
    title: &'b str,
    status: &'b str,
    retry: RetryClass,
    action: Action,
    retired: bool,
}

#[cfg(feature = "cli")]
impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let (title, status) = (quoted(self.title), quoted(self.status));
        let (retry, action) = (self.retry.as_str(), self.action.as_str());
        write!(f, "{} = {{ title = {title}, status = {status}, retry = \"{retry}\", action = \"{action}\"", self.code)?;
        f.write_str(if self.retired { ", retired = true }" } else { " }" })
    }
}

/// The ledger's text after all codes of the book are entered: lines of codes that it knows stay as they are, but for
/// titles and retirement. A `#:schema` line of the current text stays: only who wrote it knows where the schema is.
#[cfg(feature = "cli")]
#[must_use]
pub fn write(book: &Book, current: Option<&str>) -> String {
    let known = book.ledger.iter().flat_map(|ledger| &ledger.codes);
    let kept = known.clone().filter_map(|entry| {
        let described = book.code(&entry.code.value);
        Some(Line {
            code: &entry.code.value,
            title: &described.and_then(|code| code.title.as_ref()).or(entry.title.as_ref())?.value,
            status: &entry.status.as_ref()?.value,
            retry: entry.retry.as_ref()?.value,
            action: entry.action.as_ref()?.value,
            retired: entry.retired || described.is_some_and(|code| code.retired.is_some()),
        })
    });
    let is_new = |code: &&CodeEntry| known.clone().all(|entry| entry.code.value != code.code.value);
    let new = book.codes().map(|(_, code)| code).filter(is_new).filter_map(|code| {
        Some(Line {
            code: &code.code.value,
            title: &code.title.as_ref()?.value,
            status: &code.status.as_ref()?.value,
            retry: code.retry.as_ref()?.value,
            action: code.effective_action()?,
            retired: code.retired.is_some(),
        })
    });
    let mut lines: Vec<Line<'_>> = kept.chain(new).collect();
    lines.sort_by_key(|line| line.code);
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let schema = current.and_then(|text| text.lines().next()).filter(|line| line.starts_with("#:schema "));
    let schema = schema.map_or_else(String::new, |line| format!("{line}\n"));
    format!(
        "{schema}# Every code ever issued. Written by `faultbook ledger --write`; do not edit.\nformat = 1\n\n[codes]\n{}\n",
        lines.join("\n")
    )
}
