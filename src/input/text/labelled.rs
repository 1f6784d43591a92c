//! What labelled lines do to the chain: a type here, its message there, a number behind both.
//!
//! Knows what labels mean; how they are spelled is known to `labels`.

use super::chain::Relation;
use super::header;
use super::labels::{self, Label};
use super::lines::Line;
use super::pattern::pattern;
use super::reader::Reader;
use super::types;

pattern!(POWERSHELL, r"^[A-Z]\w+-\w+ : (.*)$");

impl Reader<'_> {
    /// Whether the line was a label and what it holds.
    pub(super) fn labelled_line(&mut self, line: Line<'_>) -> bool {
        match labels::read(line.said) {
            None => false,
            Some(Label::Noise) => {
                self.close_told();
                true
            }
            Some(Label::Number(number)) => {
                self.report.number(number);
                self.close();
                true
            }
            Some(Label::Inner) => {
                self.promised = Some(Relation::Repeated);
                self.close();
                true
            }
            Some(Label::Category(name)) => {
                self.category(name);
                true
            }
            Some(Label::Type { name, inner, outer, before }) => {
                let before = before.trim_end_matches([':', ' ']);
                if !before.is_empty() && !before.eq_ignore_ascii_case("message") {
                    return false;
                }
                self.type_label(name, inner, outer);
                true
            }
            Some(Label::Message { text, sure }) => self.message_label(line, text, sure),
        }
    }

    fn type_label(&mut self, name: &str, inner: bool, outer: bool) {
        let relation = if inner { Relation::Repeated } else { self.promised.take().unwrap_or(Relation::Beside) };
        let same = self.report.chain.latest(types::short(name)).filter(|_| outer);
        let node = same.or_else(|| {
            self.report.chain.state(
                Some(name),
                &[],
                if outer && !self.report.chain.is_empty() { Relation::Wraps } else { relation },
            )
        });
        self.close();
        self.labelled = node;
        // `Message: …` right before `Type: …` is that exception's.
        if let (Some(node), Some(from)) = (node, self.announced.take()) {
            for text in self.report.unsay(from) {
                let text = text.split_once(':').map_or(text.as_str(), |(_, message)| message).trim();
                self.report.chain.say(node, text);
            }
        }
        self.blank = false;
    }

    fn message_label(&mut self, line: Line<'_>, text: &str, sure: bool) -> bool {
        let node = self.labelled.or(self.open).filter(|node| self.report.chain.is_silent(*node));
        if let Some(node) = node {
            self.open = Some(node);
            self.labelled = None;
            self.blank = false;
            if !text.is_empty() {
                self.message(node, text);
            }
            return true;
        }
        if self.promised == Some(Relation::Repeated) && line.said.starts_with("Message=") {
            // Visual Studio prints an inner exception without its type.
            self.promised = None;
            self.open = self.report.chain.state(None, &[], Relation::Inner);
            if let Some(node) = self.open {
                self.message(node, text);
            }
            return true;
        }
        let names = header::find(text).is_some();
        if sure && !text.is_empty() && line.said.starts_with("Message=") && !names {
            self.close();
            self.report.say(line.raw, text);
            return true;
        }
        if self.open.is_none() && !names {
            self.announced = Some(self.report.said());
        }
        false
    }

    /// The type of a PowerShell error record, whose message stands before it.
    fn category(&mut self, name: &str) {
        if !self.report.chain.is_empty() || !types::is_camel(types::short(name)) || !name.ends_with("Exception") {
            return;
        }
        if let Some(node) = self.report.chain.state(Some(name), &[], Relation::Beside) {
            let mut lines = self.report.unsay(0);
            if let Some(first) = lines.first_mut()
                && let Some(found) = POWERSHELL.captures(first).and_then(|found| found.get(1))
            {
                *first = found.as_str().to_owned();
            }
            self.report.chain.say(node, &lines.join(" "));
        }
    }
}
