//! What words do: name an exception, go on with a message, or stand outside of both.
//!
//! Works on parts of one line; frames, labels and headers of replies have been taken out before.

use crate::input::exception::Stated;

use super::bodies;
use super::body::Body;
use super::bounds;
use super::chain::Relation;
use super::header::{self, Header, Place};
use super::labels;
use super::lines::Line;
use super::marker::What;
use super::pattern::pattern;
use super::reader::Reader;
use super::types;
use super::xml::SOAP_FAULT;

pattern!(REMOTE, r"(?i)\bsoap[ :_-]?fault\b\s?[:=]|server was unable to process request|\(Fault Detail is equal to");
pattern!(DETAIL, r"\(Fault Detail is equal to");
pattern!(
    OUTWARDS,
    r"(?i)^(?:during handling of the above exception|the above exception was the direct cause)|^next (?:[A-Z]|[a-z]+\\)"
);
pattern!(WRAPPED, r"^Wrapped in (.*)$");
pattern!(PYTHON, r"^([A-Za-z_][\w.]+)(?:: (.*))?$");
pattern!(BOILERPLATE, r"(?i)^an unhandled exception (?:has )?occurred (?:while|during)");
pattern!(FIELD, r"^\*\*[\w ]+:\*\* ");

/// The shortest line that a console may have broken.
const WRAP_WIDTH: usize = 40;

impl Reader<'_> {
    /// What an arrow points to. Returns how many bytes of the line are left, or nothing when the arrow is only drawn.
    pub(super) fn arrow(
        &mut self,
        line: Line<'_>,
        before: &str,
        after: &str,
        fresh: bool,
        what: What,
    ) -> Option<usize> {
        let (relation, after) = match header::branch(after) {
            Some((0, rest)) => (Relation::FirstBranch, rest),
            Some((_, rest)) => (Relation::Branch, rest),
            None => (Relation::Inner, after),
        };
        let header = header::at_start(after);
        let last = after.trim().is_empty() && what == What::Arrow;
        if header.is_none() && !last {
            return None;
        }
        // An ASMX server puts its own chain into the fault string, on one line.
        if !before.trim().is_empty() && (REMOTE.is_match(before) || self.is_remote_type()) {
            return None;
        }
        self.part(line, before, fresh);
        let relation = if self.report.chain.is_empty() { Relation::Beside } else { relation };
        let Some(header) = header else {
            self.promised = Some(relation);
            self.close();
            return Some(0);
        };
        let node = self.state(&header, relation);
        self.open = node;
        self.blank = false;
        let message = header.message;
        if let Some(node) = node {
            // An empty line keeps the place of the words that may follow on the next one.
            self.report.chain.say(node, "");
        }
        Some(message.len())
    }

    fn is_remote_type(&self) -> bool {
        self.open.and_then(|node| self.report.chain.type_name(node)).is_some_and(|name| {
            matches!(types::short(name), "SoapException" | "SoapHeaderException" | "FaultException" | "SoapFault")
        })
    }

    /// Words between markers: at the start of a line they may name an exception, behind one they are its message.
    pub(super) fn part(&mut self, line: Line<'_>, text: &str, fresh: bool) {
        if text.trim().is_empty() {
            return;
        }
        if fresh {
            self.say(line, text);
        } else if let Some(node) = self.open.filter(|node| self.report.chain.is_silent(*node)) {
            self.message(node, text);
        } else if header::find(text.trim()).is_some() {
            self.say(line, text.trim());
        } else {
            self.add(line, text);
        }
    }

    /// Words at the start of a line.
    pub(super) fn say(&mut self, line: Line<'_>, text: &str) {
        if OUTWARDS.is_match(text) {
            self.promised = Some(Relation::Wraps);
            self.close();
            if !text.starts_with("Next ") && !text.starts_with("next ") {
                return;
            }
        }
        if let Some((code, end)) = labels::nav_fault(text) {
            self.report.code(code);
            self.report.code(SOAP_FAULT);
            let rest = text[end..].trim();
            let begins = text.find(code).is_some_and(|at| at <= 2) && !rest.is_empty();
            self.add(line, if begins { rest } else { text });
            return;
        }
        if let Some(found) = REMOTE.find(text)
            && header::find(&text[..found.start()]).is_none()
        {
            self.report.code(SOAP_FAULT);
            self.add(line, text);
            return;
        }
        if let Some(rest) = WRAPPED.captures(text).and_then(|found| found.get(1))
            && let Some(header) = header::at_start(rest.as_str())
        {
            self.open(&header, Relation::Wraps);
            return;
        }
        if BOILERPLATE.is_match(text) || FIELD.is_match(text) {
            self.close_told();
        }
        match header::find(text).filter(|header| self.believes(header)) {
            Some(header) => self.header(line, &header),
            None => self.add(line, text),
        }
    }

    /// Whether a header in the middle of an open message counts.
    fn believes(&self, header: &Header<'_>) -> bool {
        !self.report.chain.is_full()
            && (self.open.is_none()
                || self.blank
                || header.before.trim_matches(['*', '{', '"', ' ', '[']).is_empty()
                || header.is_labelled())
    }

    fn header(&mut self, line: Line<'_>, header: &Header<'_>) {
        let before = header.words_before();
        if !before.is_empty() {
            self.close();
            self.add(line, before);
        }
        if header.place == Place::Bracket {
            let again = self.report.chain.reopen(header.type_name, header.message);
            let relation = if self.bracket { Relation::Wraps } else { Relation::Beside };
            self.bracket = true;
            if let Some(node) = again {
                self.open = Some(node);
                return;
            }
            self.open(header, relation);
            return;
        }
        self.bracket = false;
        if let Some(node) = self.alias(header) {
            self.report.chain.retype(node, header.type_name);
            self.open = Some(node);
            self.blank = false;
            self.message(node, header.message);
            return;
        }
        let relation = match (header.place, self.promised.take()) {
            _ if self.report.chain.is_empty() => Relation::Beside,
            (_, Some(promised)) => promised,
            (Place::Inner, None) => Relation::Repeated,
            _ => Relation::Beside,
        };
        self.open(header, relation);
    }

    /// The exception that was opened under its MSAL alias and is now named in full.
    fn alias(&self, header: &Header<'_>) -> Option<usize> {
        let top = self.report.chain.top()?;
        let name = self.report.chain.type_name(top)?;
        let same = types::short(name) == types::short(header.type_name)
            && header.type_name.starts_with("Microsoft.Identity.Client.");
        (same && name.starts_with("MSAL.")).then_some(top)
    }

    fn open(&mut self, header: &Header<'_>, relation: Relation) {
        self.open = self.state(header, relation);
        self.blank = false;
        if let Some(node) = self.open
            && !header.message.is_empty()
        {
            self.message(node, header.message);
        }
    }

    fn state(&mut self, header: &Header<'_>, relation: Relation) -> Option<usize> {
        self.labelled = None;
        self.promised = None;
        self.report.chain.state(Some(header.type_name), &header.numbers, relation)
    }

    /// The first words of an exception's message, which may quote a further exception.
    pub(super) fn message(&mut self, mut node: usize, text: &str) {
        let mut text = unquoted(text);
        if DETAIL.is_match(text) {
            self.remote = true;
        }
        for _ in 0..8 {
            let quoted = if self.is_remote_type() || self.remote { None } else { header::quoted(text) };
            let Some(quoted) = quoted else { break };
            let Some(inner) = self.report.chain.state(Some(quoted.type_name), &quoted.numbers, Relation::Quoted) else {
                break;
            };
            let before = &text[..text.len() - quoted.message.len() - quoted.written.len()];
            self.tell(node, before);
            self.report.chain.quote(node, inner, quoted.written);
            self.open = Some(inner);
            node = inner;
            text = quoted.message;
        }
        if text.starts_with("ErrorCode: ")
            && self.report.chain.type_name(node).is_some_and(|name| name.starts_with("MSAL."))
        {
            self.facts(text);
            return;
        }
        self.tell(node, text);
    }

    /// Adds a line to a message.
    fn tell(&mut self, node: usize, text: &str) {
        let text = labels::without_connection(text);
        self.facts(text);
        let words = bodies::expand(text, self.bodies, |body| if body.silent { body.words() } else { body.raw.clone() });
        self.report.adopt(self.bodies_of(text));
        self.report.chain.say(node, &words);
    }

    /// Words that name no exception: of the open message, or of the text.
    pub(super) fn add(&mut self, line: Line<'_>, text: &str) {
        let stated = self.bodies_of(text).any(|body| !body.exceptions.is_empty() || !body.logged.is_empty());
        // A body that spells out exceptions of its own is no part of a message, where it begins a line.
        let body = stated && text.trim_start().starts_with(|c| bounds::marked(c).is_some());
        let open =
            self.open.filter(|node| !line.record && !body && (!self.blank || self.report.chain.is_silent(*node)));
        let Some(node) = open else {
            self.close_told();
            self.outside(line, text);
            return;
        };
        self.blank = false;
        if self.report.chain.is_silent(node) {
            self.message(node, text);
            return;
        }
        if self.width >= WRAP_WIDTH && continues(self.report.chain.last_line(node), text) {
            self.facts(text);
            if let Some(last) = self.report.chain.last_line(node) {
                last.push(' ');
                last.push_str(text.trim());
            }
            return;
        }
        self.tell(node, text);
        if DETAIL.is_match(text) {
            self.remote = true;
        }
    }

    /// Words outside of any exception.
    pub(super) fn outside(&mut self, line: Line<'_>, text: &str) {
        self.blank = false;
        self.facts(text);
        let bodies = self.bodies;
        self.report.adopt(self.bodies_of(text));
        let words = bodies::expand(text, bodies, Body::words);
        let raw =
            if text.len() == line.said.len() { bodies::expand(line.raw, bodies, Body::words) } else { words.clone() };
        self.report.say(&raw, labels::without_connection(&words));
        let stated: Vec<&Body> = self.bodies_of(text).collect();
        for body in stated {
            self.stated(&body.exceptions);
            for logged in &body.logged {
                self.report.logged(logged);
            }
        }
    }

    fn stated(&mut self, exceptions: &[Stated]) {
        let mut nodes: Vec<Option<usize>> = Vec::new();
        for stated in exceptions {
            let parent = stated.parent.and_then(|p| nodes.get(p).copied().flatten());
            let promised = self.promised.take();
            let node = match parent {
                Some(parent) => self.report.chain.state_under(parent, stated.type_name.as_deref(), &stated.numbers),
                None => self.report.chain.state(
                    stated.type_name.as_deref(),
                    &stated.numbers,
                    promised.unwrap_or(Relation::Beside),
                ),
            };
            if let Some(node) = node {
                self.report.chain.say(node, &stated.message);
            }
            nodes.push(node);
        }
    }

    pub(super) fn facts(&mut self, text: &str) {
        if let Some(number) = labels::sql_message(text) {
            self.report.number(number);
        }
        for code in labels::codes(text) {
            self.report.code(code);
        }
    }

    /// The exception under a Python stack, whatever its name.
    pub(super) fn python_header(&mut self, line: Line<'_>) -> bool {
        if OUTWARDS.is_match(line.said) || line.indent > 4 {
            return false;
        }
        let Some(found) = PYTHON.captures(line.said) else {
            return false;
        };
        let (Some(name), message) = (found.get(1), found.get(2).map_or("", |m| m.as_str())) else {
            return false;
        };
        let relation = self.promised.take().unwrap_or(Relation::Beside);
        self.open = self.report.chain.state(Some(name.as_str()), &[], relation);
        self.blank = false;
        if let Some(node) = self.open {
            self.message(node, message);
        }
        true
    }
}

/// A message without the quotes that a debugger puts around it; the closing one may be missing.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['\'', '"', '`'] {
        let Some(rest) = text.strip_prefix(quote) else {
            continue;
        };
        let count = text.matches(quote).count();
        if let Some(inner) = rest.strip_suffix(quote)
            && count % 2 == 0
            // `'Client' object has no attribute 'x'` only begins and ends with quoted words.
            && inner.split(quote).next().is_some_and(|first| first.contains(' '))
        {
            return inner.trim();
        }
        if count % 2 == 1 && rest.contains(' ') {
            return rest;
        }
    }
    text
}

/// Whether a line goes on with the sentence of the line before, which a console or mail program broke.
fn continues(last: Option<&mut String>, text: &str) -> bool {
    let Some(last) = last else { return false };
    let text = text.trim();
    let unfinished = last.ends_with(|c: char| c.is_alphanumeric() || c == ',');
    let goes_on = text.starts_with(|c: char| c.is_lowercase() || c == '\'') && !text.starts_with("at ");
    unfinished && goes_on && !text.split_whitespace().next().is_some_and(|word| word.ends_with(':'))
}
