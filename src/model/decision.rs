//! The answer: a code and what follows from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::{Action, Code, RetryClass, owned};

/// What the engine says about a failure. Every failure gets one, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Decision<'s> {
    /// The failure's own id, when it was sent and is 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub id: Option<String>,
    /// The stable code.
    #[cfg_attr(feature = "cli", schemars(with = "String", regex(pattern = "^DS[A-Z]{2,6}[0-9]{3}$")))]
    pub code: Cow<'s, Code>,
    /// The code's title.
    pub title: Cow<'s, str>,
    /// The transaction status.
    pub status: Cow<'s, str>,
    /// What the retry job does with the row.
    pub retry: RetryClass,
    /// What a person has to do.
    pub action: Action,
    /// The message for the transaction row, prefixed with the code in brackets.
    pub message: String,
    /// The rule that won, file and id; `fallback` when none did.
    pub rule: Cow<'s, str>,
    /// What the rule's captures found.
    pub captures: BTreeMap<Cow<'s, str>, String>,
    /// What made each condition of the rule hold.
    pub evidence: Vec<Evidence<'s>>,
    /// Why the failure is undiagnosed; null when a rule won.
    pub unknown_reason: Option<UnknownReason>,
    /// What belongs into the operational log.
    pub log: Log<'s>,
    /// Digest of the rules: equal digests mean equal behavior.
    pub ruleset: Cow<'s, str>,
    /// Whether a text was too long and only its head and tail were looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// What was odd about the record, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why the record could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The start of a record that is not UTF-8, in base 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_base64: Option<String>,
    /// Whether an undiagnosed failure is kept in the spool; absent without a spool and for what a rule decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spooled: Option<bool>,
}

/// What made one condition hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Evidence<'s> {
    /// The condition's key in the rule file, for example `provider_code` or `innermost.exception`.
    pub condition: Cow<'s, str>,
    /// The value that matched.
    pub matched: String,
    /// Index of the exception that it was found on, among those that are looked at (of more than 32 the first 31 and the
    /// innermost); null for facts of the failure as a whole.
    pub cause: Option<usize>,
}

/// Why a failure is undiagnosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UnknownReason {
    /// No rule matches.
    NoRule,
    /// The record says nothing that a rule could look at.
    Empty,
    /// No rule matches, and a part of the text was too long to be looked at.
    Truncated,
    /// The record could not be read.
    Unreadable,
}

/// What belongs into the operational log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Log<'s> {
    /// The value of the log property `errorCode`.
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub error_code: Cow<'s, Code>,
    /// Whether the full stack trace belongs into the log.
    pub stack_trace: bool,
}

impl Decision<'_> {
    /// The same decision without a borrow: what belongs to the rules is otherwise borrowed from their set.
    #[must_use]
    pub fn into_owned(self) -> Decision<'static> {
        let evidence = |evidence: Evidence<'_>| Evidence {
            condition: owned(evidence.condition),
            matched: evidence.matched,
            cause: evidence.cause,
        };
        Decision {
            id: self.id,
            code: owned(self.code),
            title: owned(self.title),
            status: owned(self.status),
            retry: self.retry,
            action: self.action,
            message: self.message,
            rule: owned(self.rule),
            captures: self.captures.into_iter().map(|(name, value)| (owned(name), value)).collect(),
            evidence: self.evidence.into_iter().map(evidence).collect(),
            unknown_reason: self.unknown_reason,
            log: Log { error_code: owned(self.log.error_code), stack_trace: self.log.stack_trace },
            ruleset: owned(self.ruleset),
            truncated: self.truncated,
            notes: self.notes,
            error: self.error,
            raw_base64: self.raw_base64,
            spooled: self.spooled,
        }
    }
}

impl UnknownReason {
    /// The word as written in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRule => "no-rule",
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::Unreadable => "unreadable",
        }
    }
}
