//! A failure as rules see it: sent facts and facts from texts brought together, once.
//!
//! A fact that was sent wins over the same fact read from a text; what a text says beyond that is added.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::model::{Attribute, Exception, Fact, Failure, TypeName, head_and_tail, is_status, limits};

use super::Lexicon;

/// The facts of one failure, normalized.
#[derive(Debug)]
pub struct Candidate<'f> {
    failure: &'f Failure<'f>,
    causes: Vec<Cause<'f>>,
    messages: Vec<Cow<'f, str>>,
    http_status: Option<u16>,
    provider_codes: Vec<Cow<'f, str>>,
    error_numbers: Vec<i64>,
    truncated: bool,
}

/// One exception of the chain.
#[derive(Debug)]
pub struct Cause<'f> {
    type_name: Option<TypeName<'f>>,
    ancestors: Vec<TypeName<'f>>,
    message: Option<Cow<'f, str>>,
    error_numbers: &'f [i64],
    innermost: bool,
}

impl<'f> Candidate<'f> {
    /// Brings the facts together. `stated` is what the failure's `text` says explicitly.
    #[must_use]
    pub fn new(failure: &'f Failure<'f>, stated: Option<&'f Failure<'f>>, lexicon: &Lexicon) -> Self {
        let mut truncated =
            failure.text.as_ref().is_some_and(|text| text.len() > limits::TEXT_HEAD_BYTES + limits::TEXT_TAIL_BYTES);
        let sent_exceptions = !failure.exceptions.is_empty();
        let exceptions = match stated {
            Some(stated) if !sent_exceptions => &stated.exceptions,
            _ => &failure.exceptions,
        };
        let causes = causes(exceptions, lexicon, &mut truncated);
        let mut own = vec![failure.message.as_deref()];
        if let Some(stated) = stated {
            own.push(stated.message.as_deref());
            if sent_exceptions {
                own.extend(stated.exceptions.iter().map(|exception| exception.message.as_deref()));
            }
        }
        let messages = own
            .into_iter()
            .flatten()
            .filter(|text| !text.trim().is_empty())
            .map(|text| normalize(text, &mut truncated))
            .collect();
        let mut candidate = Self {
            failure,
            causes,
            messages,
            http_status: failure.http_status.filter(|&status| is_status(status)),
            provider_codes: failure
                .provider_codes
                .iter()
                .take(limits::FACTS)
                .map(|code| Cow::Borrowed(code.as_ref()))
                .collect(),
            error_numbers: failure.error_numbers.clone(),
            truncated,
        };
        candidate.read_facts(stated, lexicon);
        candidate
    }

    /// Adds what texts state beyond the facts that were sent.
    fn read_facts(&mut self, stated: Option<&'f Failure<'f>>, lexicon: &Lexicon) {
        self.http_status = self.http_status.or_else(|| stated.and_then(|stated| stated.http_status)).or_else(|| {
            lexicon.http_status.iter().find_map(|pattern| {
                self.texts().find_map(|text| pattern.value(text)?.parse().ok().filter(|&s| is_status(s)))
            })
        });
        let read = lexicon.provider_code.iter().flat_map(|pattern| self.texts().flat_map(|text| pattern.values(text)));
        let read: Vec<String> = distinct(read).into_iter().map(str::to_owned).collect();
        let sent: Vec<Option<String>> = self.provider_codes.iter().map(|code| issuer(code)).collect();
        let from_structure = stated.map(|stated| stated.provider_codes.iter().map(|code| Cow::Borrowed(code.as_ref())));
        for code in from_structure.into_iter().flatten().chain(read.into_iter().map(Cow::Owned)) {
            let known = self.provider_codes.iter().any(|known| known.eq_ignore_ascii_case(&code));
            if !known && !sent.contains(&issuer(&code)) {
                self.provider_codes.push(code);
            }
        }
        let has_sent = |failure: &Failure<'_>| {
            !failure.error_numbers.is_empty() || failure.exceptions.iter().any(|cause| !cause.error_numbers.is_empty())
        };
        self.error_numbers.extend(self.causes.iter().flat_map(|cause| cause.error_numbers));
        if !has_sent(self.failure) {
            let structural = stated.map(|stated| stated.error_numbers.as_slice()).unwrap_or_default();
            let read =
                lexicon.error_number.iter().flat_map(|pattern| self.texts().flat_map(|text| pattern.values(text)));
            let read = read.filter_map(|number| number.parse().ok());
            let numbers = distinct(structural.iter().copied().chain(read));
            self.error_numbers.extend(numbers);
        }
        self.error_numbers = distinct(std::mem::take(&mut self.error_numbers).into_iter());
    }

    /// The failure as it was sent.
    #[must_use]
    pub fn failure(&self) -> &'f Failure<'f> {
        self.failure
    }

    /// The exceptions, outermost first.
    #[must_use]
    pub fn causes(&self) -> &[Cause<'f>] {
        &self.causes
    }

    /// What is said outside of exceptions: the message that was sent, then what the text says.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().map(AsRef::as_ref)
    }

    /// All messages with the cause that says them: causes first, from the outermost, then the failure's own.
    pub fn texts_with_cause(&self) -> impl Iterator<Item = (Option<usize>, &str)> {
        let of_causes =
            self.causes.iter().enumerate().filter_map(|(index, cause)| Some((Some(index), cause.message()?)));
        of_causes.chain(self.messages().map(|text| (None, text)))
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts_with_cause().map(|(_, text)| text)
    }

    /// The HTTP status, when it is known.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// The codes of the remote side: what was sent first.
    pub fn provider_codes(&self) -> impl Iterator<Item = &str> {
        self.provider_codes.iter().map(AsRef::as_ref)
    }

    /// The error numbers of the failure and of all causes.
    #[must_use]
    pub fn error_numbers(&self) -> &[i64] {
        &self.error_numbers
    }

    /// An attribute by name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'f Attribute<'f>> {
        self.failure.attributes.get(name)
    }

    /// Whether only a part of a text was looked at.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The message that people would quote: the one that was sent, else the outermost cause's, else what a text says.
    #[must_use]
    pub fn raw_message(&self) -> Option<&str> {
        let sent = self.failure.message.as_deref().is_some_and(|message| !message.trim().is_empty());
        let sent = sent.then(|| self.messages().next()).flatten();
        sent.or_else(|| self.causes.iter().find_map(Cause::message)).or_else(|| self.messages().next())
    }

    /// The message nearest to the root of the matter: the innermost cause's, else the raw message.
    #[must_use]
    pub fn inner_message(&self) -> Option<&str> {
        self.causes.iter().rev().find_map(Cause::message).or_else(|| self.raw_message())
    }

    /// Whether a fact is missing.
    #[must_use]
    pub fn lacks(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Exception => self.causes.iter().all(|cause| cause.type_name.is_none()),
            Fact::Message => self.texts().next().is_none(),
            Fact::HttpStatus => self.http_status.is_none(),
            Fact::ProviderCode => self.provider_codes.is_empty(),
            Fact::ErrorNumber => self.error_numbers.is_empty(),
            Fact::Connector => self.failure.connector.is_none(),
            Fact::Operation => self.failure.operation.is_none(),
            Fact::Phase => self.failure.phase.is_none(),
            Fact::Attribute(name) => !self.failure.attributes.contains_key(name.as_str()),
        }
    }
}

impl Cause<'_> {
    /// The type, by its plain name.
    #[must_use]
    pub fn type_name(&self) -> Option<&TypeName<'_>> {
        self.type_name.as_ref()
    }

    /// The type and its ancestors, nearest first.
    pub fn lineage(&self) -> impl Iterator<Item = &TypeName<'_>> {
        self.type_name.iter().chain(&self.ancestors)
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The numbers of this cause alone.
    #[must_use]
    pub fn error_numbers(&self) -> &[i64] {
        self.error_numbers
    }

    /// Whether the cause wraps no other.
    #[must_use]
    pub fn is_innermost(&self) -> bool {
        self.innermost
    }
}

/// The first facts of their kind, each once: a text that repeats itself must not crowd out what it says last.
fn distinct<T: Clone + Eq + std::hash::Hash>(facts: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    facts.filter(|fact| seen.insert(fact.clone())).take(limits::FACTS).collect()
}

/// The first causes and, of a longer chain, the innermost one.
fn causes<'f>(exceptions: &'f [Exception<'f>], lexicon: &Lexicon, truncated: &mut bool) -> Vec<Cause<'f>> {
    let mut wraps = vec![false; exceptions.len()];
    for (index, exception) in exceptions.iter().enumerate().skip(1) {
        // A parent that is not in front of its child would make a cycle: the one before takes its place.
        let parent = exception.parent.filter(|&parent| parent < index).unwrap_or(index - 1);
        wraps[parent] = true;
    }
    let over = exceptions.len() > limits::CAUSES;
    *truncated |= over;
    let kept = if over { limits::CAUSES - 1 } else { exceptions.len() };
    let last = exceptions.last().filter(|_| over).map(|last| (last, &false));
    let kept = exceptions.iter().zip(&wraps).take(kept);
    kept.chain(last).map(|(exception, &wraps)| cause(exception, !wraps, lexicon, truncated)).collect()
}

fn cause<'f>(exception: &'f Exception<'f>, innermost: bool, lexicon: &Lexicon, truncated: &mut bool) -> Cause<'f> {
    let type_name = exception.type_name.as_deref().and_then(TypeName::parse);
    let mut ancestors: Vec<TypeName<'f>> =
        exception.ancestors.iter().take(limits::ANCESTORS).filter_map(|name| TypeName::parse(name)).collect();
    let known: Vec<_> = type_name.iter().chain(&ancestors).flat_map(|name| lexicon.ancestors(name)).collect();
    for name in known {
        if ancestors.len() < limits::ANCESTORS && !ancestors.contains(&name) {
            ancestors.push(name);
        }
    }
    let message =
        exception.message.as_deref().filter(|text| !text.trim().is_empty()).map(|text| normalize(text, truncated));
    Cause { type_name, ancestors, message, error_numbers: &exception.error_numbers, innermost }
}

/// Head and tail of a long text, line ends as LF, without the final one.
fn normalize<'t>(text: &'t str, truncated: &mut bool) -> Cow<'t, str> {
    let mut text = clip(text, truncated);
    if text.contains('\r') {
        text = Cow::Owned(text.replace("\r\n", "\n"));
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
        Cow::Owned(mut text) => {
            text.truncate(text.strip_suffix('\n').map_or(text.len(), str::len));
            Cow::Owned(text)
        }
    }
}

fn clip<'t>(text: &'t str, truncated: &mut bool) -> Cow<'t, str> {
    match head_and_tail(text) {
        None => Cow::Borrowed(text),
        Some((head, tail)) => {
            *truncated = true;
            Cow::Owned(format!("{head}\n{tail}"))
        }
    }
}

/// What kind of thing a code names: a numbered code of an issuer (its letters), or a word (`None`).
///
/// A connector that sends `invalid_client` has said nothing about the AADSTS number in the text; one that sends an
/// AADSTS number has.
fn issuer(code: &str) -> Option<String> {
    let letters = code.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters.len() < code.len() && letters.bytes().all(|b| b.is_ascii_alphabetic()))
        .then(|| letters.to_ascii_lowercase())
}
