//! Characters that a reviewer cannot see.

use crate::diagnostic::{Diagnostic, SourceId, Span, lints};

/// Bidirectional controls and zero-width characters: what is shown is not what is read.
pub(in crate::rulefile) fn invisible_characters(source: SourceId, text: &str, findings: &mut Vec<Diagnostic>) {
    let invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}');
    for (at, c) in text.char_indices().filter(|&(_, c)| invisible(c)) {
        let span = Span { source, range: at..at + c.len_utf8() };
        let message = format!("invisible character U+{:04X}", u32::from(c));
        findings.push(Diagnostic::new(lints::INVISIBLE_CHARACTER, span, message).help("Delete it; in a pattern write it as `\\x{…}`."));
    }
}
