//! What may stand in the parts of a set that could not be read: nobody can call it missing.

use std::collections::HashSet;

use crate::model::Code;

/// Codes that the unread parts name.
#[derive(Debug, Default)]
pub struct Unread {
    /// A file has no text, or none with headers as we know them, so that anything may stand in it.
    anything: bool,
    described: HashSet<String>,
    given: HashSet<String>,
}

impl Unread {
    /// Adds the text of a file of which a part may be left out.
    pub(super) fn add(&mut self, text: &str) {
        for (at, _) in text.match_indices("DS") {
            let word = text[at..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            if Code::parse(word).is_none() {
                continue;
            }
            let before = text[..at].trim_end_matches('"');
            if before.ends_with("codes.") || before.ends_with("code.") || before.is_empty() || before.ends_with('\n') {
                self.described.insert(word.to_owned());
            } else if before.ends_with("= ") || before.ends_with('=') {
                self.given.insert(word.to_owned());
            }
        }
    }

    /// Adds the text of a file that could not be read as TOML; empty when it could not be read at all.
    pub(super) fn add_foreign(&mut self, text: &str) {
        self.anything |= !text.contains("[codes") && !text.contains("[[rules");
        self.add(text);
    }

    /// Whether an unread part may describe the code.
    #[must_use]
    pub fn may_describe(&self, code: &str) -> bool {
        self.anything || self.described.contains(code)
    }

    /// Whether an unread part may hold a rule that gives the code.
    #[must_use]
    pub fn may_give(&self, code: &str) -> bool {
        self.anything || self.given.contains(code)
    }
}
