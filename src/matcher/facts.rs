//! The facts of one failure, sent ones and those read from texts brought together, in memory that is used again.
//!
//! A fact that was sent wins over the same fact read from a text; what a text says beyond that is added.

use std::ops::Range;

use crate::model::{Exception, Failure, fold_into, has_folded_letters, head_and_tail, is_status, limits};

use super::Lexicon;
use super::gate::{Gate, Passed};
use super::index::Scope;
use super::names::{Name, NameId, Names};
use super::table::{KeyId, TypeTable};
use super::vector::push_lower;

/// Bytes of codes that are kept room for: somebody may send megabytes as a code, once.
const CODE_BYTES: usize = 64 * 1024;

/// A part of the texts or words of [`Facts`].
type Part = Range<usize>;

/// The facts of one failure, normalized. Reading the next failure uses the memory of the one before.
#[derive(Debug, Default)]
pub struct Facts {
    /// All messages, those of the causes from the outermost, then the failure's own, with LF around each.
    text: String,
    messages: Vec<Message>,
    causes: Vec<CauseFacts>,
    lineage: Vec<NameId>,
    /// The keys of all types, side by side: what matching asks for first.
    type_keys: Vec<KeyId>,
    numbers: Vec<i64>,
    http_status: Option<u16>,
    /// The connector, as the rules number them.
    scope: Scope,
    /// Provider codes one behind the other, as they are and in lower case.
    words: String,
    lower: String,
    provider_codes: Vec<Part>,
    error_numbers: Vec<i64>,
    truncated: bool,
    wraps: Vec<bool>,
    names: Names,
    passed: Passed,
}

/// All messages of a failure in their folded form, side by side; made when somebody first wants to look through them.
#[derive(Debug, Default)]
pub(super) struct Folded {
    bytes: Vec<u8>,
    /// Whether no character was replaced by another one.
    is_plain: bool,
    is_current: bool,
}

impl Folded {
    /// The folded form of the text, which stays the same until [`Folded::forget`].
    pub(super) fn of(&mut self, text: &str) -> &[u8] {
        if !self.is_current {
            self.bytes.clear();
            self.is_plain = push_lower(text.as_bytes(), &mut self.bytes) || !has_folded_letters(text);
            if !self.is_plain {
                self.bytes.clear();
                fold_into(text, &mut self.bytes);
            }
            self.is_current = true;
        }
        &self.bytes
    }

    /// Whether no character of the text was replaced by another one when it was folded.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain && self.is_current
    }

    pub(super) fn forget(&mut self) {
        self.is_current = false;
    }
}

#[derive(Debug)]
struct Message {
    part: Part,
    cause: Option<usize>,
}

/// One exception of the chain.
#[derive(Debug)]
pub(super) struct CauseFacts {
    pub(super) type_name: Option<NameId>,
    lineage: Part,
    message: Option<Part>,
    numbers: Part,
    pub(super) innermost: bool,
}

impl Facts {
    /// Brings the facts together. `stated` is what the failure's `text` says explicitly, and `scope` its connector.
    pub(super) fn read(
        &mut self,
        failure: &Failure<'_>,
        stated: Option<&Failure<'_>>,
        scope: Scope,
        (lexicon, types): (&Lexicon, &TypeTable),
        folded: &mut Folded,
    ) {
        self.clear();
        folded.forget();
        self.scope = scope;
        self.truncated =
            failure.text.as_ref().is_some_and(|text| text.len() > limits::TEXT_HEAD_BYTES + limits::TEXT_TAIL_BYTES);
        let sent_exceptions = !failure.exceptions.is_empty();
        match stated {
            Some(stated) if !sent_exceptions => self.read_causes(&stated.exceptions, lexicon, types),
            _ => self.read_causes(&failure.exceptions, lexicon, types),
        }
        self.read_message(failure.message.as_deref(), None);
        if let Some(stated) = stated {
            self.read_message(stated.message.as_deref(), None);
            if sent_exceptions {
                for exception in &stated.exceptions {
                    self.read_message(exception.message.as_deref(), None);
                }
            }
        }
        for code in failure.provider_codes.iter().take(limits::FACTS) {
            self.add_code(code);
        }
        self.http_status = failure.http_status.filter(|&status| is_status(status));
        self.read_from_texts(failure, stated, lexicon, folded);
    }

    fn clear(&mut self) {
        self.text.clear();
        self.text.push('\n');
        self.messages.clear();
        self.causes.clear();
        self.lineage.clear();
        self.type_keys.clear();
        self.numbers.clear();
        self.words.clear();
        self.lower.clear();
        self.words.shrink_to(CODE_BYTES);
        self.lower.shrink_to(CODE_BYTES);
        self.provider_codes.clear();
        self.error_numbers.clear();
        self.wraps.clear();
        self.names.make_room();
    }

    /// Forgets what depends on the rules: types and the patterns of facts.
    pub(super) fn forget(&mut self) {
        self.names = Names::default();
        self.passed = Passed::default();
    }

    /// The first causes and, of a longer chain, the innermost one.
    fn read_causes(&mut self, exceptions: &[Exception<'_>], lexicon: &Lexicon, types: &TypeTable) {
        self.wraps.resize(exceptions.len(), false);
        for (index, exception) in exceptions.iter().enumerate().skip(1) {
            // A parent that is not in front of its child would make a cycle: the one before takes its place.
            let parent = exception.parent.filter(|&parent| parent < index).unwrap_or(index - 1);
            self.wraps[parent] = true;
        }
        let over = exceptions.len() > limits::CAUSES;
        self.truncated |= over;
        let kept = if over { limits::CAUSES - 1 } else { exceptions.len() };
        for (index, exception) in exceptions.iter().enumerate().take(kept) {
            let innermost = !self.wraps[index];
            self.read_cause(exception, innermost, lexicon, types);
        }
        if let Some(last) = exceptions.last().filter(|_| over) {
            self.read_cause(last, true, lexicon, types);
        }
    }

    fn read_cause(&mut self, exception: &Exception<'_>, innermost: bool, lexicon: &Lexicon, types: &TypeTable) {
        let type_name = exception.type_name.as_deref().and_then(|raw| self.names.of_raw(raw, types));
        let start = self.lineage.len();
        self.lineage.extend(type_name);
        let own = self.lineage.len();
        for raw in exception.ancestors.iter().take(limits::ANCESTORS) {
            self.lineage.extend(self.names.of_raw(raw, types));
        }
        let sent = self.lineage.len();
        for index in start..sent {
            self.names.ancestors(self.lineage[index], lexicon, types, &mut self.lineage);
        }
        // Each known base type once, and no more of all than the limit.
        let mut kept = sent;
        for index in sent..self.lineage.len() {
            let id = self.lineage[index];
            if kept - own < limits::ANCESTORS && !self.lineage[own..kept].contains(&id) {
                self.lineage[kept] = id;
                kept += 1;
            }
        }
        self.lineage.truncate(kept);
        for &id in &self.lineage[start..] {
            self.type_keys.extend_from_slice(self.names.get(id).keys());
        }
        let cause = self.causes.len();
        let message = self.read_message(exception.message.as_deref(), Some(cause));
        let numbers = self.numbers.len();
        self.numbers.extend_from_slice(&exception.error_numbers);
        let numbers = numbers..self.numbers.len();
        self.causes.push(CauseFacts { type_name, lineage: start..kept, message, numbers, innermost });
    }

    /// Head and tail of a long text, line ends as LF, without the final one; nothing of a blank text.
    fn read_message(&mut self, text: Option<&str>, cause: Option<usize>) -> Option<Part> {
        let text = text.filter(|text| !text.trim_start().is_empty())?;
        let start = self.text.len();
        match head_and_tail(text) {
            None => push_lines(&mut self.text, text),
            Some((head, tail)) => {
                self.truncated = true;
                push_lines(&mut self.text, head);
                self.text.push('\n');
                push_lines(&mut self.text, tail);
            }
        }
        if self.text.len() > start && self.text.ends_with('\n') {
            self.text.pop();
        }
        let part = start..self.text.len();
        // Keeps the messages apart where all of them are looked through at once.
        self.text.push('\n');
        self.messages.push(Message { part: part.clone(), cause });
        Some(part)
    }

    fn add_code(&mut self, code: &str) {
        push_code(&mut self.words, &mut self.lower, &mut self.provider_codes, code);
    }

    /// Whether a code from a text says something: it is not known, and no code of its kind was sent.
    fn is_news(&self, code: &str, sent: usize) -> bool {
        let mut known = self.provider_codes.iter().map(|part| &self.words[part.clone()]);
        self.provider_codes.len() - sent < limits::FACTS
            && !self.provider_codes[..sent].iter().any(|part| is_same_kind(&self.words[part.clone()], code))
            && !known.any(|known| known.eq_ignore_ascii_case(code))
    }

    /// Adds what texts state beyond the facts that were sent.
    fn read_from_texts(
        &mut self,
        failure: &Failure<'_>,
        stated: Option<&Failure<'_>>,
        lexicon: &Lexicon,
        folded: &mut Folded,
    ) {
        let sent = self.provider_codes.len();
        for code in stated.into_iter().flat_map(|stated| &stated.provider_codes) {
            if self.is_news(code, sent) {
                self.add_code(code);
            }
        }
        failure.error_numbers.iter().for_each(|&number| self.add_number(number));
        (0..self.numbers.len()).for_each(|index| self.add_number(self.numbers[index]));
        let were_numbers_sent =
            !failure.error_numbers.is_empty() || failure.exceptions.iter().any(|cause| !cause.error_numbers.is_empty());
        if let Some(stated) = stated.filter(|_| !were_numbers_sent) {
            stated.error_numbers.iter().for_each(|&number| self.add_number(number));
        }
        self.http_status = self.http_status.or_else(|| stated.and_then(|stated| stated.http_status));
        let Lexicon { gate, kinds: [codes, statuses, numbers], .. } = lexicon;
        if gate.is_empty() || self.messages.is_empty() {
            return;
        }
        let is_wanted = |index: usize| {
            codes.contains(&index)
                || statuses.contains(&index) && self.http_status.is_none()
                || numbers.contains(&index) && !were_numbers_sent
        };
        let mut passed = std::mem::take(&mut self.passed);
        gate.look(&self.text, is_wanted, folded, &mut passed);
        self.each_value(gate, codes, &mut passed, |facts, value| {
            if facts.is_news(&facts.text[value.clone()], sent) {
                push_code(&mut facts.words, &mut facts.lower, &mut facts.provider_codes, &facts.text[value]);
            }
            Go::On
        });
        self.each_value(gate, statuses, &mut passed, |facts, value| {
            facts.http_status = facts.text[value].parse().ok().filter(|&status| is_status(status));
            if facts.http_status.is_some() { Go::Home } else { Go::ToNextMessage }
        });
        self.each_value(gate, numbers, &mut passed, |facts, value| {
            if let Ok(number) = facts.text[value].parse() {
                facts.add_number(number);
            }
            Go::On
        });
        self.passed = passed;
    }

    /// All values of those patterns of a kind that a gate lets through, in their order, message by message, from left to
    /// right, as far as wanted.
    fn each_value(
        &mut self,
        gate: &Gate,
        kind: &Range<usize>,
        passed: &mut Passed,
        mut take: impl FnMut(&mut Self, Part) -> Go,
    ) {
        let mut rest = kind.clone();
        while let Some((index, pattern)) = gate.next_open(rest.clone(), passed) {
            rest.start = index + 1;
            let places = &mut passed.places[index];
            for message in 0..self.messages.len() {
                let Range { start, end } = self.messages[message].part;
                let mut values = pattern.extract(&self.text[start..end]);
                while let Some(value) = values.next(&self.text[start..end], places) {
                    match take(self, start + value.start..start + value.end) {
                        Go::On => {}
                        Go::ToNextMessage => break,
                        Go::Home => return,
                    }
                }
            }
        }
    }

    fn add_number(&mut self, number: i64) {
        if self.error_numbers.len() < limits::FACTS && !self.error_numbers.contains(&number) {
            self.error_numbers.push(number);
        }
    }

    /// The connector, as the rules number them.
    pub(super) fn scope(&self) -> Scope {
        self.scope
    }

    /// All messages, with LF in front of the first and behind each of them.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn causes(&self) -> &[CauseFacts] {
        &self.causes
    }

    pub(super) fn lineage(&self, cause: &CauseFacts) -> impl Iterator<Item = &Name> + use<'_> {
        self.lineage[cause.lineage.clone()].iter().map(|&id| self.names.get(id))
    }

    /// The keys that the types of all causes meet.
    pub(super) fn type_keys(&self) -> &[KeyId] {
        &self.type_keys
    }

    pub(super) fn name(&self, id: NameId) -> &Name {
        self.names.get(id)
    }

    pub(super) fn message_of(&self, cause: &CauseFacts) -> Option<&str> {
        cause.message.clone().map(|part| &self.text[part])
    }

    pub(super) fn numbers_of(&self, cause: &CauseFacts) -> &[i64] {
        &self.numbers[cause.numbers.clone()]
    }

    /// All messages with the cause that says them.
    pub(super) fn messages(&self) -> impl Iterator<Item = (Option<usize>, &str)> {
        self.messages.iter().map(|message| (message.cause, &self.text[message.part.clone()]))
    }

    pub(super) fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// The codes as they are and in lower case.
    pub(super) fn provider_codes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.provider_codes.iter().map(|part| (&self.words[part.clone()], &self.lower[part.clone()]))
    }

    pub(super) fn error_numbers(&self) -> &[i64] {
        &self.error_numbers
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.truncated
    }
}

/// Where to look after a value was taken.
enum Go {
    On,
    ToNextMessage,
    Home,
}

/// Appends a text with LF where it has CR LF.
fn push_lines(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        let (line, end) = rest.split_at(at);
        out.push_str(line);
        if !end.starts_with("\r\n") {
            out.push('\r');
        }
        rest = &end[1..];
    }
    out.push_str(rest);
}

/// Appends a code as it is and in lower case.
fn push_code(words: &mut String, lower: &mut String, codes: &mut Vec<Part>, code: &str) {
    let start = words.len();
    words.push_str(code);
    lower.push_str(code);
    lower[start..].make_ascii_lowercase();
    codes.push(start..words.len());
}

/// Whether two codes name the same kind of thing: numbered codes of one issuer, or words.
///
/// A connector that sends `invalid_client` has said nothing about the AADSTS number in the text; one that sends an
/// AADSTS number has.
fn is_same_kind(one: &str, other: &str) -> bool {
    match (issuer(one), issuer(other)) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        (None, None) => true,
        _ => false,
    }
}

/// The letters of a numbered code; `None` for a word.
fn issuer(code: &str) -> Option<&str> {
    let letters = code.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters.len() < code.len() && letters.bytes().all(|b| b.is_ascii_alphabetic())).then_some(letters)
}
