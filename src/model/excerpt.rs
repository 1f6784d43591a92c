//! Parts of texts: head and tail of those that are too long to be looked at as a whole, and where a part stands.

use crate::diagnostic::floor_char_boundary;

use super::limits;

/// Bytes within which a cut looks for the end of a line or word.
const MARGIN_BYTES: usize = 1024;
/// Bytes behind a cut in which the value may begin whose name is cut off.
const NAME_BYTES: usize = 64;

/// The parts of a text that are looked at; `None` when that is all of it.
///
/// A cut stands at the end of a line or at least of a word where there is one nearby: half a secret, or one without its
/// name, could not be recognized any more.
pub(crate) fn head_and_tail(text: &str) -> Option<(&str, &str)> {
    if text.len() <= limits::TEXT_HEAD_BYTES + limits::TEXT_TAIL_BYTES {
        return None;
    }
    let (head, _) = text.split_at(floor_char_boundary(text, limits::TEXT_HEAD_BYTES));
    let cut = (text.len() - limits::TEXT_TAIL_BYTES..text.len()).find(|&at| text.is_char_boundary(at))?;
    let (_, tail) = text.split_at(cut);
    Some((without_last_word(head, text).trim_end(), without_first_word(tail, text).trim_start()))
}

/// Head and tail of a long text in one that is longer than what is looked at: whoever cuts it again gets the same parts
/// and knows that it was cut.
pub(crate) fn excerpt(text: &str) -> Option<String> {
    let (head, tail) = head_and_tail(text)?;
    let missing = limits::TEXT_HEAD_BYTES + limits::TEXT_TAIL_BYTES + 1 - head.len() - tail.len();
    Some([head, &"\n".repeat(missing), tail].concat())
}

/// Where a part of a text stands in it; `None` for a text of its own.
pub(crate) fn place(part: &str, text: &str) -> Option<std::ops::Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    (start + part.len() <= text.len()).then(|| start..start + part.len())
}

fn without_last_word<'t>(head: &'t str, text: &str) -> &'t str {
    if head.ends_with('\n') || text[head.len()..].starts_with('\n') {
        return head;
    }
    let margin = floor_char_boundary(head, head.len().saturating_sub(MARGIN_BYTES));
    let near = &head[margin..];
    near.rfind('\n').or_else(|| near.rfind(char::is_whitespace)).map_or(head, |end| &head[..margin + end])
}

fn without_first_word<'t>(tail: &'t str, text: &str) -> &'t str {
    if tail.starts_with('\n') || text[..text.len() - tail.len()].ends_with('\n') {
        return tail;
    }
    let near = &tail[..floor_char_boundary(tail, MARGIN_BYTES)];
    let blanks = || near.match_indices(char::is_whitespace).map(|(at, _)| at);
    let start = near.find('\n').or_else(|| blanks().find(|&at| at >= NAME_BYTES)).or_else(|| blanks().next_back());
    start.map_or(tail, |start| &tail[start..])
}

#[cfg(test)]
mod tests {
    use super::{excerpt, head_and_tail};
    use crate::model::limits::{TEXT_HEAD_BYTES, TEXT_TAIL_BYTES};

    #[test]
    fn an_excerpt_is_cut_as_the_text_itself() {
        let limit = TEXT_HEAD_BYTES + TEXT_TAIL_BYTES;
        assert_eq!(excerpt(&"x".repeat(limit)), None);
        for unit in ["x", "one two\n", "word ", "é", "👩‍👩‍👧 ", "\n", "a\r\n"] {
            for bytes in [limit + 1, limit + 2, limit + 3, limit + 700, 3 * limit] {
                let text = unit.repeat(bytes / unit.len() + 1);
                let cut = excerpt(&text).unwrap_or_default();
                assert_eq!(cut.len(), limit + 1, "{unit:?}");
                assert_eq!(head_and_tail(&cut), head_and_tail(&text), "{unit:?}");
            }
        }
    }

    #[test]
    fn no_half_word_stands_at_a_cut() {
        let text = format!("{} password=hunter22 {}", "x".repeat(TEXT_HEAD_BYTES - 12), "y ".repeat(TEXT_TAIL_BYTES));
        let (head, _) = head_and_tail(&text).unwrap_or_default();
        assert!(head.ends_with('x'));
        let text =
            format!("{} password=hunter22 {}", "x".repeat(TEXT_HEAD_BYTES), "y ".repeat(TEXT_TAIL_BYTES / 2 - 2));
        let (_, tail) = head_and_tail(&text).unwrap_or_default();
        assert!(tail.starts_with('y'));
    }
}
