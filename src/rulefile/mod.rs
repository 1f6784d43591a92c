//! Rule files: from a directory to entries with their places, and what is wrong with them.
//!
//! Knows TOML and the shape of entries; knows nothing of matching. Only `discover` touches files.

pub mod check;
mod condition;
pub mod discover;
mod entry;
mod failure;
mod file;
pub mod keys;
mod ledger;
mod manifest;
mod rule;
mod table;

use toml::de::DeTable;

pub use entry::{Book, CodeEntry, LedgerEntry, ManifestEntry, RuleEntry, RuleFile};
pub use ledger::write as write_ledger;

use crate::diagnostic::{Diagnostic, SourceId, Sources, Span, lints};
use crate::model::limits;
use table::Context;

/// The manifest's file name.
pub const MANIFEST: &str = "faultbook.toml";
/// The ledger's file name.
pub const LEDGER: &str = "ledger.toml";
/// The rule file format that this version reads.
pub const FORMAT: i64 = 1;

/// Reads all entries of all files. What cannot be read is left out and reported.
#[must_use]
pub fn read(sources: &Sources) -> (Book, Vec<Diagnostic>) {
    let mut ctx = Context { is_proven: sources.is_proven(), ..Context::default() };
    let mut book = Book::default();
    let mut set_bytes = 0;
    for (id, source) in sources.iter() {
        ctx.source = id;
        if source.is_refused {
            book.is_partial = true;
            continue;
        }
        set_bytes += source.text.len();
        if over_limit(&mut ctx, id, &source.text, set_bytes) {
            book.is_partial = true;
            continue;
        }
        check::text::invisible_characters(id, &source.text, &mut ctx.diagnostics);
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        syntax_errors(&mut ctx, &source.text, errors);
        if let Some(finding) = too_deep(id, table.get_ref()) {
            ctx.diagnostics.push(finding);
            book.is_partial = true;
            continue;
        }
        match source.name.as_str() {
            MANIFEST => book.manifest = Some(manifest::read(&mut ctx, &table, &source.text)),
            LEDGER => book.ledger = Some(ledger::read(&mut ctx, &table, &source.text)),
            name => book.files.push(file::read(&mut ctx, name, &table, &source.text)),
        }
    }
    (book, ctx.diagnostics)
}

fn over_limit(ctx: &mut Context, id: SourceId, text: &str, set_bytes: usize) -> bool {
    let (size, limit, what) = if text.len() > limits::FILE_BYTES {
        (text.len(), limits::FILE_BYTES, "file has")
    } else if set_bytes > limits::SET_BYTES {
        (set_bytes, limits::SET_BYTES, "the set up to this file has")
    } else {
        return false;
    };
    let message = format!("{what} {size} bytes, more than {limit}");
    ctx.diagnostics.push(Diagnostic::new(lints::LIMIT_EXCEEDED, Span::start_of(id), message).help("Split the file by code family."));
    true
}

/// One slip often makes several syntax errors; more than this many of one file help nobody.
const SYNTAX_ERRORS: usize = 20;

fn syntax_errors(ctx: &mut Context, text: &str, mut errors: Vec<toml::de::Error>) {
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    let mut last_line = None;
    let mut kept = 0;
    for error in errors {
        let range = error.span().unwrap_or(0..0);
        let start = crate::diagnostic::floor_char_boundary(text, range.start);
        let line = text[..start].matches('\n').count();
        // Errors that follow from the first one of a line only repeat it.
        if last_line.replace(line) == Some(line) || kept == SYNTAX_ERRORS {
            continue;
        }
        kept += 1;
        let span = Span { source: ctx.source, range: start..range.end.max(start) };
        let message = error.message().trim().replace('\n', ", ");
        ctx.diagnostics.push(Diagnostic::new(lints::TOML_SYNTAX, span, message).help(syntax_help(text, start)));
    }
}

/// What to type instead, by what stands on the line.
fn syntax_help(text: &str, at: usize) -> &'static str {
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or_default().trim_start();
    if line.starts_with("<<<<<<<") || line.starts_with("=======") || line.starts_with(">>>>>>>") {
        "Resolve the merge conflict and delete its markers."
    } else if line.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
        "Replace the typographic quotes by straight ones: \" or '."
    } else if text.trim_start().starts_with('{') && at < 4 {
        "This looks like JSON; rule files are TOML: `key = \"value\"` lines under `[table]` headers."
    } else if line.contains(": ") && !line.contains('=') {
        "In TOML a key is followed by `=`: `title = \"…\"`."
    } else if line.contains('\\') && line.contains('"') {
        "In double quotes a backslash is an escape; put patterns in single quotes: '\\b…'."
    } else {
        "Check quotes, brackets and commas; texts stand in quotes, lists in brackets."
    }
}

/// The depth of the first container that is nested too deep.
fn too_deep(source: SourceId, table: &DeTable<'_>) -> Option<Diagnostic> {
    use toml::de::DeValue;
    fn walk(value: &toml::Spanned<DeValue<'_>>, depth: usize) -> Option<std::ops::Range<usize>> {
        match value.get_ref() {
            DeValue::Array(items) if depth < limits::TOML_DEPTH => items.iter().find_map(|item| walk(item, depth + 1)),
            DeValue::Table(table) if depth < limits::TOML_DEPTH => table.values().find_map(|item| walk(item, depth + 1)),
            DeValue::Array(_) | DeValue::Table(_) => Some(value.span()),
            _ => None,
        }
    }
    let range = table.values().find_map(|value| walk(value, 0))?;
    let message = format!("tables and arrays nest deeper than {}", limits::TOML_DEPTH);
    Some(Diagnostic::new(lints::LIMIT_EXCEEDED, Span { source, range }, message).help("No entry of a rule file nests that deep."))
}
