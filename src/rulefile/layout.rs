//! The house layout of rule files: the same for everybody, without losing a comment or changing a value.
//!
//! docs/format.md describes it for people.

use std::fmt::Write as _;

use toml::de::{DeTable, DeValue};
use toml_parser::decoder::Encoding;

use crate::diagnostic::{Diagnostic, SourceId};

use super::document::{self, Document, Entry, Item, Line, Name, Scalar, Section, Value};
use super::order::{self, Shape};
use super::{MANIFEST, syntax, too_deep};

pub use super::order::{Disorder, disorders};

/// Characters of a line behind which a list is written with one item on each line.
const WIDTH: usize = 120;
const INDENT: &str = "  ";

/// Why a text has no house layout.
#[derive(Debug)]
pub enum Unformatted {
    /// It is not valid TOML; the findings say where.
    Invalid(Vec<Diagnostic>),
    /// What came out did not say the same as what went in: a fault of this program.
    Unequal,
}

/// The text of a rule file in house layout.
///
/// `name` is the file's name below the rules directory: the manifest and the ledger have keys of their own. `source`
/// is the text's index, for findings.
///
/// # Errors
/// When the text is not valid TOML.
pub fn formatted(name: &str, source: SourceId, text: &str) -> Result<String, Unformatted> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(Unformatted::Invalid(syntax::slips(source, text, errors).findings));
    }
    if let Some(finding) = too_deep(source, table.get_ref()) {
        return Err(Unformatted::Invalid(vec![finding]));
    }
    let file = Shape::of_file(name);
    let mut document = document::read(text);
    order::arrange(&mut document, file);
    let out = Printer { out: String::with_capacity(text.len() + text.len() / 8) }.document(document, file);
    let (after, errors) = DeTable::parse_recoverable(&out);
    let is_equal = errors.is_empty() && is_same_table(table.get_ref(), after.get_ref());
    if is_equal { Ok(out) } else { Err(Unformatted::Unequal) }
}

/// The name of the file that a text is, judged by its keys: for texts without a name.
#[must_use]
pub fn likely_name(text: &str) -> &'static str {
    let table = DeTable::parse_recoverable(text).0;
    let is_manifest = ["order", "fallback", "families"].iter().any(|key| table.get_ref().contains_key(*key));
    if is_manifest { MANIFEST } else { "rules.toml" }
}

struct Printer {
    out: String,
}

impl Printer {
    fn document(mut self, document: Document<'_>, file: Shape) -> String {
        self.lines(&document.heading, "");
        for section in document.sections {
            self.section(section, file);
        }
        if document.below.iter().any(|line| *line != Line::Blank) {
            self.lines(&document.below, "");
        }
        let end = self.out.trim_end_matches('\n').len();
        self.out.truncate(end);
        if end > 0 {
            self.out.push('\n');
        }
        self.out
    }

    fn section(&mut self, mut section: Section<'_>, file: Shape) {
        let (shape, is_head) = match &section.header {
            None => (file, true),
            Some(header) => {
                self.blank();
                self.lines(&section.above, "");
                let (open, close) = if header.is_list { ("[[", "]]") } else { ("[", "]") };
                let _ = write!(self.out, "{open}{}{close}", key(&header.path));
                self.comment(header.comment);
                self.out.push('\n');
                (file.under(&header.path), false)
            }
        };
        let keeps_blanks = is_head || !matches!(shape, Shape::Keys(_));
        shape.sort(&mut section.entries);
        for (index, mut entry) in section.entries.into_iter().enumerate() {
            lift(&mut entry.value, &mut entry.above);
            if !keeps_blanks {
                entry.above.retain(|line| *line != Line::Blank);
            }
            let is_first = index == 0 && !is_head;
            let from = if is_first { blanks(&entry.above) } else { 0 };
            self.lines(&entry.above[from..], "");
            let start = self.out.len();
            let _ = write!(self.out, "{} = ", key(&entry.path));
            let column = self.out[start..].chars().count();
            let value =
                value(&mut entry.value, shape.under(&entry.path), Place { indent: "", column, is_inline: false });
            self.out.push_str(&value);
            self.comment(entry.comment);
            self.out.push('\n');
        }
    }

    /// Comments and single blank lines.
    fn lines(&mut self, lines: &[Line<'_>], indent: &str) {
        for line in lines {
            match line {
                Line::Blank => self.blank(),
                Line::Comment(text) => {
                    let _ = writeln!(self.out, "{indent}{text}");
                }
            }
        }
    }

    /// Makes sure that one blank line stands above what follows.
    fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn comment(&mut self, comment: Option<&str>) {
        if let Some(comment) = comment {
            let _ = write!(self.out, " {comment}");
        }
    }
}

fn key(path: &[Name<'_>]) -> String {
    let parts: Vec<&str> = path.iter().map(|name| name.raw).collect();
    parts.join(".")
}

/// Where a value is written.
#[derive(Clone, Copy)]
struct Place<'i> {
    /// What stands in front of lines of their own.
    indent: &'i str,
    /// Characters in front of the value on its line.
    column: usize,
    /// Whether it stands in an inline table, which has no lines of its own.
    is_inline: bool,
}

fn value(value: &mut Value<'_>, shape: Shape, place: Place<'_>) -> String {
    match value {
        Value::Scalar(text) => scalar(*text, shape),
        Value::Table { entries, .. } => {
            let place = Place { is_inline: true, ..place };
            let entry = |entry: &mut Entry<'_>| {
                let text = self::value(&mut entry.value, shape.under(&entry.path), place);
                format!("{} = {text}", key(&entry.path))
            };
            let entries: Vec<String> = entries.iter_mut().map(entry).collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
        Value::Array { items, below } => {
            if !has_lines(items, below, place.is_inline) {
                let inner = Place { is_inline: true, ..place };
                let texts: Vec<String> =
                    items.iter_mut().map(|item| self::value(&mut item.value, shape, inner)).collect();
                let text = format!("[{}]", texts.join(", "));
                let fits = !text.contains('\n') && place.column + text.chars().count() <= WIDTH;
                // Lines of their own make a single text no shorter.
                let is_single = matches!(&items[..], [Item { value: Value::Scalar(_), .. }]);
                if place.is_inline || fits || is_single {
                    return text;
                }
            }
            lines(items, below, shape, place.indent)
        }
    }
}

/// A list with one item on each line.
fn lines(items: &mut [Item<'_>], below: &[Line<'_>], shape: Shape, indent: &str) -> String {
    let inner = format!("{indent}{INDENT}");
    let mut printer = Printer { out: "[\n".to_owned() };
    for (index, item) in items.iter_mut().enumerate() {
        let from = if index == 0 { blanks(&item.above) } else { 0 };
        printer.lines(&item.above[from..], &inner);
        let place = Place { indent: &inner, column: inner.len(), is_inline: false };
        let text = value(&mut item.value, shape, place);
        let _ = write!(printer.out, "{inner}{text},");
        printer.comment(item.comment);
        printer.out.push('\n');
    }
    let from = if items.is_empty() { blanks(below) } else { 0 };
    let upto = below.iter().rposition(|line| *line != Line::Blank).map_or(from, |at| at + 1);
    printer.lines(&below[from..upto], &inner);
    let _ = write!(printer.out, "{indent}]");
    printer.out
}

/// Blank lines in front of everything else.
fn blanks(lines: &[Line<'_>]) -> usize {
    lines.iter().take_while(|line| **line == Line::Blank).count()
}

/// Whether a list holds what needs lines: comments, or blank lines that group its items.
fn has_lines(items: &[Item<'_>], below: &[Line<'_>], is_inline: bool) -> bool {
    let is_comment = |line: &Line<'_>| *line != Line::Blank;
    below.iter().any(is_comment)
        || items.iter().enumerate().any(|(index, item)| {
            item.comment.is_some()
                || item.above.iter().any(is_comment)
                || (index > 0 && !is_inline && !item.above.is_empty())
                || match &item.value {
                    Value::Array { items, below } => has_lines(items, below, true),
                    _ => false,
                }
        })
}

/// Takes the comments out of inline tables, which may have none in TOML 1.0, and puts them above the whole.
fn lift<'t>(value: &mut Value<'t>, above: &mut Vec<Line<'t>>) {
    match value {
        Value::Scalar(_) => {}
        Value::Array { items, .. } => {
            for item in items {
                lift(&mut item.value, &mut item.above);
            }
        }
        Value::Table { entries, below } => {
            let comments = |lines: &mut Vec<Line<'t>>| std::mem::take(lines).into_iter().filter(|l| *l != Line::Blank);
            for entry in entries {
                above.extend(comments(&mut entry.above));
                lift(&mut entry.value, above);
                above.extend(entry.comment.take().map(Line::Comment));
            }
            above.extend(comments(below));
        }
    }
}

/// A single value; patterns in single quotes, other texts in double quotes, where that needs no escape.
fn scalar(scalar: Scalar<'_>, shape: Shape) -> String {
    let Some(quotes) = scalar.quotes else { return scalar.raw.to_owned() };
    let decoded = scalar.decoded();
    let is_control = |c: char| c.is_ascii_control() && c != '\t';
    match (quotes, shape) {
        (Encoding::BasicString, Shape::Patterns) if !decoded.contains('\'') && !decoded.contains(is_control) => {
            format!("'{decoded}'")
        }
        (Encoding::LiteralString, Shape::Other) if !decoded.contains(['"', '\\']) => format!("\"{decoded}\""),
        (Encoding::BasicString | Encoding::MlBasicString, _) => old_escapes(&scalar.raw.replace("\r\n", "\n")),
        (Encoding::LiteralString | Encoding::MlLiteralString, _) => scalar.raw.replace("\r\n", "\n"),
    }
}

/// The escapes that TOML 1.1 has and 1.0 has not, as 1.0 writes them.
fn old_escapes(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        out.push(c);
        if c != '\\' {
            continue;
        }
        match chars.next() {
            Some('e') => out.push_str("u001B"),
            Some('x') => out.push_str("u00"),
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}

/// Whether two tables say the same: keys in any order, lists in order, line ends of any kind.
fn is_same_table(a: &DeTable<'_>, b: &DeTable<'_>) -> bool {
    a.len() == b.len()
        && a.iter().all(|(key, a)| b.get(key.get_ref().as_ref()).is_some_and(|b| is_same(a.get_ref(), b.get_ref())))
}

fn is_same(a: &DeValue<'_>, b: &DeValue<'_>) -> bool {
    match (a, b) {
        (DeValue::Table(a), DeValue::Table(b)) => is_same_table(a, b),
        (DeValue::Array(a), DeValue::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_same(a.get_ref(), b.get_ref()))
        }
        (DeValue::String(a), DeValue::String(b)) => a == b || a.replace("\r\n", "\n") == b.replace("\r\n", "\n"),
        (DeValue::Integer(a), DeValue::Integer(b)) => a.as_str() == b.as_str() && a.radix() == b.radix(),
        (DeValue::Float(a), DeValue::Float(b)) => a.as_str() == b.as_str(),
        (DeValue::Boolean(a), DeValue::Boolean(b)) => a == b,
        (DeValue::Datetime(a), DeValue::Datetime(b)) => a == b,
        _ => false,
    }
}
