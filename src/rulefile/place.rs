//! Where entries stand in the text of a rule file, to put another one beside them: nothing else of the text changes.

use super::syntax;

/// The place behind the entry that a place stands in: behind its last line, in front of what is said about the next.
#[must_use]
pub fn behind(text: &str, at: usize) -> usize {
    let entry = syntax::entry(text, at);
    let mut end = entry.end.min(text.len());
    let written = &text[entry.start..end];
    for line in written.split_inclusive('\n').rev() {
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            break;
        }
        end -= line.len();
    }
    if end > entry.start { end } else { entry.end.min(text.len()) }
}

/// The place in front of the entry that a place stands in, and of the comment that belongs to it.
#[must_use]
pub fn in_front(text: &str, at: usize) -> usize {
    let mut start = syntax::entry(text, at).start;
    while let Some(line) = text[..start].split_inclusive('\n').next_back().filter(|line| line.starts_with('#')) {
        start -= line.len();
    }
    start
}

/// The text with an entry put into a place, blank lines around it.
#[must_use]
pub fn insert(text: &str, at: usize, entry: &str) -> String {
    let (front, behind) = (text[..at].trim_end(), text[at..].trim_start_matches(['\n', '\r']));
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let entry = entry.trim_end().replace('\n', end);
    let mut out = String::with_capacity(text.len() + entry.len() + 8);
    if !front.is_empty() {
        out.extend([front, end, end]);
    }
    out.extend([&entry, end]);
    if !behind.trim().is_empty() {
        out.extend([end, behind]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{behind, in_front, insert};

    const TEXT: &str = "format = 1\n\n[codes.DSEX001]\ntitle = \"a\"\nmeaning = \"\"\"\n[no header]\n\"\"\"\n\n# About the rule.\n[[rules]]\nid = \"a\"\n\n[[rules.examples]]\nfailure = { message = \"a\" }\n\n# The end.\n";

    #[test]
    fn entries_go_beside_entries_and_comments_stay_with_theirs() {
        let code = TEXT.find("DSEX001").unwrap_or_default();
        let rule = TEXT.find("id = ").unwrap_or_default();
        let after_code = insert(TEXT, behind(TEXT, code), "[codes.DSEX002]\n");
        assert!(after_code.contains("\"\"\"\n\n[codes.DSEX002]\n\n# About the rule.\n[[rules]]"), "{after_code}");
        let before_rule = insert(TEXT, in_front(TEXT, rule), "[[rules]]\nid = \"b\"\n");
        assert!(
            before_rule.contains("\"\"\"\n\n[[rules]]\nid = \"b\"\n\n# About the rule.\n[[rules]]"),
            "{before_rule}"
        );
        let after_rule = insert(TEXT, behind(TEXT, rule), "[[rules]]\nid = \"b\"\n");
        assert!(after_rule.ends_with("\"a\" }\n\n[[rules]]\nid = \"b\"\n\n# The end.\n"), "{after_rule}");
        assert_eq!(insert("", 0, "[[rules]]"), "[[rules]]\n");
    }
}
