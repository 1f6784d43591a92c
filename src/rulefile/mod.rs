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
mod syntax;
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
        let before = ctx.diagnostics.len();
        set_bytes += source.text.len();
        if source.is_refused || over_limit(&mut ctx, id, &source.text, set_bytes) {
            book.unread.push(id);
            continue;
        }
        check::text::deceptive_characters(id, &source.text, &mut ctx.diagnostics);
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let (findings, broken) = syntax::findings(id, &source.text, &errors);
        ctx.diagnostics.extend(findings);
        book.broken.extend(broken);
        if let Some(finding) = too_deep(id, table.get_ref()) {
            ctx.diagnostics.push(finding);
            book.unread.push(id);
            continue;
        }
        read_file(&mut ctx, &mut book, &source.name, &table, &source.text);
        if ctx.diagnostics.len() > before {
            book.unread.push(id);
        }
    }
    (book, ctx.diagnostics)
}

fn read_file(ctx: &mut Context, book: &mut Book, name: &str, table: &toml::Spanned<DeTable<'_>>, text: &str) {
    match name {
        MANIFEST => book.manifest = Some(manifest::read(ctx, table, text)),
        LEDGER => book.ledger = Some(ledger::read(ctx, table, text)),
        name => book.files.push(file::read(ctx, name, table, text)),
    }
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

/// The first container that is nested too deep.
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
