//! Rule files: from a directory to entries with their places, and what is wrong with them.
//!
//! Knows TOML and the shape of entries; knows nothing of matching. Only `discover` touches files, and `revision` asks git for them.

mod accept;
pub mod check;
mod condition;
pub mod discover;
mod document;
mod entry;
mod failure;
mod file;
mod items;
pub mod keys;
pub mod layout;
mod ledger;
mod lock;
mod manifest;
mod order;
#[cfg(feature = "cli")]
mod outline;
mod patterns;
#[cfg(feature = "cli")]
pub mod place;
#[cfg(feature = "cli")]
pub mod revision;
mod rule;
mod syntax;
mod table;
mod unread;

use toml::de::DeTable;

pub use accept::settle as settle_accepted;
pub use entry::{Book, CodeEntry, ExampleEntry, LedgerEntry, ManifestEntry, RuleEntry, RuleFile};
pub use items::{ItemPlaces, item_places};
#[cfg(feature = "cli")]
pub use ledger::write as write_ledger;
pub use lock::sha256;
#[cfg(feature = "cli")]
pub use lock::{LOCK, write as write_lock};
#[cfg(feature = "cli")]
pub use outline::{EntryKind, Outline};
pub use unread::Unread;

use crate::diagnostic::{Diagnostic, Severity, Source, SourceId, Sources, Span, lints};
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
        let is_readable = !source.is_refused
            && !over_limit(&mut ctx, id, &source.text, set_bytes)
            && read_text(&mut ctx, &mut book, source);
        if let Some(unread) = book.unread_of(&source.name) {
            if !is_readable {
                unread.add_foreign(&source.text);
            } else if ctx.diagnostics.len() > before {
                unread.add(&source.text);
            }
        }
    }
    if !ctx.is_proven {
        patterns::compile(&ctx.uncompiled, &mut ctx.diagnostics);
    }
    book.accepted = ctx.accepted;
    book.has_gaps = ctx.diagnostics.iter().any(|finding| finding.lint.severity == Severity::Error);
    (book, ctx.diagnostics)
}

/// Reads the entries of one text; false when it is not TOML as a whole.
fn read_text(ctx: &mut Context, book: &mut Book, source: &Source) -> bool {
    let (id, text) = (ctx.source, source.text.as_str());
    check::text::deceptive_characters(id, text, &mut ctx.diagnostics);
    check::dialect::carriage_returns(id, text, &mut ctx.diagnostics);
    let rest;
    let (mut table, errors) = DeTable::parse_recoverable(text);
    let is_sound = errors.is_empty();
    if !is_sound {
        let slips = syntax::slips(id, text, errors);
        ctx.diagnostics.extend(slips.findings);
        book.broken.extend(slips.broken);
        rest = slips.rest;
        table = DeTable::parse_recoverable(&rest).0;
    }
    if is_sound {
        ctx.diagnostics.extend(syntax::conflict_in_text(id, text));
    }
    if let Some(finding) = too_deep(id, table.get_ref()) {
        ctx.diagnostics.push(finding);
        return false;
    }
    if is_sound && table.get_ref().is_empty() {
        let help = match source.name.as_str() {
            MANIFEST => "Write the manifest: `format = 1`, `order`, `fallback`, `statuses` and families.",
            LEDGER => "Bring it back from version control; without it nobody knows which codes were issued.",
            _ => "Bring it back, or delete the file and its name in `order`.",
        };
        let finding = Diagnostic::new(lints::MISSING_KEY, Span::start_of(id), "the file is empty").help(help);
        ctx.diagnostics.push(finding);
        return false;
    }
    check::dialect::newer_syntax(id, text, table.get_ref(), &mut ctx.diagnostics);
    read_file(ctx, book, &source.name, &table, text);
    if !is_sound {
        // What the file lacks as a whole may stand in an entry that was taken out.
        ctx.diagnostics.retain(|finding| {
            finding.lint != lints::MISSING_KEY
                || finding.primary.span.source != id
                || finding.primary.span.range.start > 0
        });
    }
    is_sound
}

fn read_file(ctx: &mut Context, book: &mut Book, name: &str, table: &toml::Spanned<DeTable<'_>>, text: &str) {
    match name {
        MANIFEST => book.manifest = Some(manifest::read(ctx, table, text)),
        LEDGER => book.ledger = Some(ledger::read(ctx, table, text)),
        name => book.files.push(file::read(ctx, name, table, text)),
    }
}

/// Whether a file is left out because it, or the set up to it, is too large. Of a set that is, the first file is named.
fn over_limit(ctx: &mut Context, id: SourceId, text: &str, set_bytes: usize) -> bool {
    let (size, limit, what, help) = if text.len() > limits::FILE_BYTES {
        (text.len(), limits::FILE_BYTES, "file has", "Split the file by code family.")
    } else if set_bytes > limits::SET_BYTES {
        (
            set_bytes,
            limits::SET_BYTES,
            "the set up to this file has",
            "Shorten texts and examples: a set is read as a whole.",
        )
    } else {
        return false;
    };
    if set_bytes - text.len() <= limits::SET_BYTES {
        let message = format!("{what} {size} bytes, more than {limit}");
        ctx.diagnostics.push(Diagnostic::new(lints::LIMIT_EXCEEDED, Span::start_of(id), message).help(help));
    }
    true
}

/// The first container that is nested too deep.
fn too_deep(source: SourceId, table: &DeTable<'_>) -> Option<Diagnostic> {
    use toml::de::DeValue;
    fn walk(value: &toml::Spanned<DeValue<'_>>, depth: usize) -> Option<std::ops::Range<usize>> {
        match value.get_ref() {
            DeValue::Array(items) if depth < limits::TOML_DEPTH => items.iter().find_map(|item| walk(item, depth + 1)),
            DeValue::Table(table) if depth < limits::TOML_DEPTH => {
                table.values().find_map(|item| walk(item, depth + 1))
            }
            DeValue::Array(_) | DeValue::Table(_) => Some(value.span()),
            _ => None,
        }
    }
    let range = table.values().find_map(|value| walk(value, 0))?;
    let message = format!("tables and arrays nest deeper than {}", limits::TOML_DEPTH);
    Some(
        Diagnostic::new(lints::LIMIT_EXCEEDED, Span { source, range }, message)
            .help("No entry of a rule file nests that deep."),
    )
}
