//! What changes between two texts, as a unified diff.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use similar::TextDiff;

use super::escape::escaped;

const NAMES: Style = Style::new().bold();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const PLACE: Style = AnsiColor::Cyan.on_default();

/// A unified diff under the name of a file; control characters escaped, in color where it is wanted.
#[must_use]
pub fn diff(name: &str, old: &str, new: &str, colored: bool) -> String {
    let name = escaped(name);
    let diff = TextDiff::from_lines(old, new);
    let text = diff.unified_diff().context_radius(3).header(&name, &name).to_string();
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split_terminator('\n').enumerate() {
        let style = match line.as_bytes().first() {
            _ if index < 2 => NAMES,
            Some(b'+') => ADDED,
            Some(b'-') => REMOVED,
            Some(b'@') => PLACE,
            _ => Style::new(),
        };
        let style = if colored { style } else { Style::new() };
        // Tabs are no danger, and a patch needs them.
        let parts: Vec<_> = line.split('\t').map(escaped).collect();
        let _ = writeln!(out, "{style}{}{style:#}", parts.join("\t"));
    }
    out
}
