//! A failure as rules see it: the failure itself and its facts.

use crate::model::{Attribute, Fact, Failure};

use super::facts::{CauseFacts, Facts};
use super::index::Scope;
use super::names::Name;
use super::table::KeyId;

/// The facts of one failure, normalized.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'f> {
    failure: &'f Failure<'f>,
    facts: &'f Facts,
}

/// One exception of the chain.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'f> {
    facts: &'f Facts,
    cause: &'f CauseFacts,
}

impl<'f> Candidate<'f> {
    pub(super) fn new(failure: &'f Failure<'f>, facts: &'f Facts) -> Self {
        Self { failure, facts }
    }

    /// The failure as it was sent.
    #[must_use]
    pub fn failure(self) -> &'f Failure<'f> {
        self.failure
    }

    /// The exceptions, outermost first.
    #[must_use]
    pub fn causes(self) -> impl DoubleEndedIterator<Item = Cause<'f>> + ExactSizeIterator {
        self.facts.causes().iter().map(move |cause| Cause { facts: self.facts, cause })
    }

    /// What is said outside of exceptions: the message that was sent, then what the text says.
    pub fn messages(self) -> impl Iterator<Item = &'f str> {
        self.facts.messages().filter(|(cause, _)| cause.is_none()).map(|(_, text)| text)
    }

    /// All messages with the cause that says them: causes first, from the outermost, then the failure's own.
    pub fn texts_with_cause(self) -> impl Iterator<Item = (Option<usize>, &'f str)> {
        self.facts.messages()
    }

    /// The keys that the types of all causes meet.
    pub(super) fn type_keys(self) -> &'f [KeyId] {
        self.facts.type_keys()
    }

    /// The connector, as the rules number them.
    pub(super) fn scope(self) -> Scope {
        self.facts.scope()
    }

    /// All messages side by side, with LF around each.
    pub(crate) fn text(self) -> &'f str {
        self.facts.text()
    }

    /// The HTTP status, when it is known.
    #[must_use]
    pub fn http_status(self) -> Option<u16> {
        self.facts.http_status()
    }

    /// The codes of the remote side, as they are and in lower case: what was sent first.
    pub fn provider_codes(self) -> impl Iterator<Item = (&'f str, &'f str)> {
        self.facts.provider_codes()
    }

    /// The error numbers of the failure and of all causes.
    #[must_use]
    pub fn error_numbers(self) -> &'f [i64] {
        self.facts.error_numbers()
    }

    /// An attribute by name.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'f Attribute<'f>> {
        self.failure.attributes.get(name)
    }

    /// Whether only a part of a text was looked at.
    #[must_use]
    pub fn is_truncated(self) -> bool {
        self.facts.is_truncated()
    }

    /// The message that people would quote: the one that was sent, else the outermost cause's, else what a text says.
    #[must_use]
    pub fn raw_message(self) -> Option<&'f str> {
        let sent = self.failure.message.as_deref().is_some_and(|message| !message.trim().is_empty());
        let sent = sent.then(|| self.messages().next()).flatten();
        sent.or_else(|| self.causes().find_map(Cause::message)).or_else(|| self.messages().next())
    }

    /// The message nearest to the root of the matter: the innermost cause's, else the raw message.
    #[must_use]
    pub fn inner_message(self) -> Option<&'f str> {
        self.causes().rev().find_map(Cause::message).or_else(|| self.raw_message())
    }

    /// Whether a fact is missing.
    #[must_use]
    pub fn lacks(self, fact: &Fact) -> bool {
        match fact {
            Fact::Exception => self.causes().all(|cause| cause.type_name().is_none()),
            Fact::Message => self.texts_with_cause().next().is_none(),
            Fact::HttpStatus => self.http_status().is_none(),
            Fact::ProviderCode => self.provider_codes().next().is_none(),
            Fact::ErrorNumber => self.error_numbers().is_empty(),
            Fact::Connector => self.failure.connector.is_none(),
            Fact::Operation => self.failure.operation.is_none(),
            Fact::Phase => self.failure.phase.is_none(),
            Fact::Attribute(name) => !self.failure.attributes.contains_key(name.as_str()),
        }
    }
}

impl<'f> Cause<'f> {
    /// The type, by its plain name.
    #[must_use]
    pub fn type_name(self) -> Option<&'f Name> {
        self.cause.type_name.map(|id| self.facts.name(id))
    }

    /// The type and its ancestors, nearest first.
    pub fn lineage(self) -> impl Iterator<Item = &'f Name> {
        self.facts.lineage(self.cause)
    }

    /// The message.
    #[must_use]
    pub fn message(self) -> Option<&'f str> {
        self.facts.message_of(self.cause)
    }

    /// The numbers of this cause alone.
    #[must_use]
    pub fn error_numbers(self) -> &'f [i64] {
        self.facts.numbers_of(self.cause)
    }

    /// Whether the cause wraps no other.
    #[must_use]
    pub fn is_innermost(self) -> bool {
        self.cause.innermost
    }
}
