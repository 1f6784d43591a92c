//! Characters that deceive a reviewer: what is shown is not what is read.

use crate::diagnostic::{Diagnostic, SourceId, Span, lints};

/// Reports invisible characters, blanks that are no blanks and letters of two scripts in one word: the first of a line.
pub(in crate::rulefile) fn deceptive_characters(source: SourceId, text: &str, findings: &mut Vec<Diagnostic>) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if !line.is_ascii() {
            findings.extend(invisible(source, start, line));
            findings.extend(look_alike(source, start, line));
        }
        start += line.len();
    }
}

/// The first character of a line that cannot be seen, or only looks like a blank.
fn invisible(source: SourceId, start: usize, line: &str) -> Option<Diagnostic> {
    let (at, c) = line.char_indices().find(|&(_, c)| is_invisible(c) || is_odd_blank(c))?;
    let number = u32::from(c);
    let (message, help) = if is_invisible(c) {
        (
            format!("invisible character U+{number:04X}"),
            format!("Delete it; in a pattern write it as `\\x{{{number:X}}}`."),
        )
    } else {
        (
            format!("U+{number:04X} looks like a blank and is none"),
            format!("Write a blank; in a pattern write it as `\\x{{{number:X}}}`."),
        )
    };
    let span = Span { source, range: start + at..start + at + c.len_utf8() };
    Some(Diagnostic::new(lints::INVISIBLE_CHARACTER, span, message).help(help))
}

/// The first letter of a line that stands in a Latin word and is none.
fn look_alike(source: SourceId, start: usize, line: &str) -> Option<Diagnostic> {
    let mut at = start;
    for word in line.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let stranger = word.char_indices().find(|&(_, c)| has_latin_twins(c));
        if let Some((skip, c)) = stranger.filter(|_| word.contains(|c: char| c.is_ascii_alphabetic())) {
            let span = Span { source, range: at + skip..at + skip + c.len_utf8() };
            let message = format!("`{c}` is U+{:04X}, a letter of another script in a Latin word", u32::from(c));
            return Some(
                Diagnostic::new(lints::LOOK_ALIKE_LETTER, span, message)
                    .help("Type the letter again on a Latin keyboard."),
            );
        }
        at += word.len();
    }
    None
}

/// Bidirectional controls, characters without width, and fillers that show nothing.
pub(in crate::rulefile) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}' |
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_odd_blank(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Letters of scripts that share shapes with the Latin one: Greek, Cyrillic, Armenian, Cherokee, and wide forms.
fn has_latin_twins(c: char) -> bool {
    c.is_alphanumeric()
        && matches!(c, '\u{370}'..='\u{52f}' | '\u{531}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{ff10}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}')
}
