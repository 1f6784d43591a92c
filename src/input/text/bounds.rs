//! How much text is read, and in which alphabet: the limits of the room.
//!
//! Knows no shapes. Everything behind it may rely on LF line ends and on the private characters being free.

use crate::model::{head_and_tail, limits};

/// The most exceptions one text can state.
pub(crate) const EXCEPTION_LIMIT: usize = limits::CAUSES;
/// The deepest JSON that is followed.
pub(crate) const JSON_DEPTH: usize = 16;
/// How often a text may be found inside a text, such as a body in a string of a body.
pub(crate) const NESTING_LIMIT: usize = 3;
/// The most bodies that are lifted out of one text; it is also the number of private characters set aside.
pub(crate) const BODY_LIMIT: usize = 512;

/// The first of the private characters that stand for a lifted body.
const BODY_MARK: u32 = 0xF_0000;

/// The private character that stands for the body with this index.
pub(super) fn mark(index: usize) -> Option<char> {
    let offset = u32::try_from(index).ok()?;
    if index < BODY_LIMIT { char::from_u32(BODY_MARK + offset) } else { None }
}

/// Whether some character of a text may stand for a body.
pub(super) fn has_marks(text: &str) -> bool {
    // All of U+C0000 to U+FFFFF begin with this byte, and no other character has it.
    memchr::memchr(0xf3, text.as_bytes()).is_some()
}

/// The index of the body that a character stands for.
pub(super) fn marked(c: char) -> Option<usize> {
    let offset = u32::from(c).checked_sub(BODY_MARK)?;
    usize::try_from(offset).ok().filter(|index| *index < BODY_LIMIT)
}

/// The text with LF line ends, cut to the limit, without characters that this room uses itself and without the
/// backticks that mark it as code in the page that it was copied from.
pub(super) fn prepare(text: &str) -> String {
    let bare = text.trim().trim_matches('`');
    let text = if bare.len() < text.trim().len() { bare } else { text };
    let (head, tail) = head_and_tail(text).unwrap_or((text, ""));
    let mut out = String::with_capacity(head.len() + tail.len() + 1);
    clean(head, &mut out);
    if !tail.is_empty() {
        out.push('\n');
        clean(tail, &mut out);
    }
    out
}

fn clean(text: &str, out: &mut String) {
    let mut rest = text;
    // Nearly all characters are plain, and stay.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'\r' | 0 | 0x80..)) {
        let (plain, others) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = others.chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        match c {
            '\r' => {
                if !rest.starts_with('\n') {
                    out.push('\n');
                }
            }
            '\u{2028}' | '\u{2029}' | '\u{85}' => out.push('\n'),
            '\u{a0}' | '\u{3000}' => out.push(' '),
            '\u{feff}' | '\u{200b}' | '\0' => {}
            c if marked(c).is_some() => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out.push_str(rest);
}
