//! A failure as somebody reports it: facts, each of them optional.
//!
//! Plain values. Knows no rules, reads no text: adapters in `input` make failures, the matcher normalizes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::owned;

/// One failure: what a connector, a log line or a pasted text says went wrong.
///
/// Every field is optional; a missing fact is unknown, never "not so". Texts may borrow from the record that the failure
/// was read from; [`into_owned`](Self::into_owned) makes a failure that outlives it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Failure<'f> {
    /// The caller's name for this failure, echoed in the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'f, str>>,
    /// The connector that failed: `exchange`, `webhook`, `business-central`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<Cow<'f, str>>,
    /// What the connector was doing: `create`, `update`, `delete`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Cow<'f, str>>,
    /// The layer that failed: `validation`, `token`, `transport`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Cow<'f, str>>,
    /// The exceptions, from the outermost to the innermost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception<'f>>,
    /// What is said outside of any exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'f, str>>,
    /// The HTTP status of the reply, 100 to 599.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Codes of the remote side: `AADSTS7000222`, `ErrorItemNotFound`, … A set; the order is kept for display.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provider_codes: Vec<Cow<'f, str>>,
    /// Error numbers that belong to no exception in particular (SQL Server numbers, socket errors).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_numbers: Vec<i64>,
    /// Facts that only one connector knows, such as `retries_exhausted`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<Cow<'f, str>, Attribute<'f>>,
    /// Stack frames; kept for people, never matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<Cow<'f, str>>,
    /// The failure as somebody pasted or logged it; what it states explicitly becomes facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Cow<'f, str>>,
}

/// One exception of a failure's chain or tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Exception<'f> {
    /// The type as the runtime prints it, for example `System.TimeoutException`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<Cow<'f, str>>,
    /// The exception's own message, without stack frames and without its inner exceptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'f, str>>,
    /// Base types, nearest first, when the connector can send them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<Cow<'f, str>>,
    /// Numbers of this exception: SQL Server error numbers, socket error codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_numbers: Vec<i64>,
    /// Index of the exception that wraps this one; without it the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<usize>,
}

/// The value of an attribute: a word, a whole number or a truth value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Attribute<'f> {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A word.
    Text(Cow<'f, str>),
}

impl Failure<'_> {
    /// Whether the failure says nothing that a rule could look at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exceptions.iter().all(Exception::is_empty)
            && self.message.as_deref().is_none_or(|m| m.trim().is_empty())
            && self.text.as_deref().is_none_or(|t| t.trim().is_empty())
            && self.http_status.is_none()
            && self.provider_codes.is_empty()
            && self.error_numbers.is_empty()
            && self.attributes.is_empty()
    }

    /// The same failure without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Failure<'static> {
        Failure {
            id: self.id.map(owned),
            connector: self.connector.map(owned),
            operation: self.operation.map(owned),
            phase: self.phase.map(owned),
            exceptions: self.exceptions.into_iter().map(Exception::into_owned).collect(),
            message: self.message.map(owned),
            http_status: self.http_status,
            provider_codes: self.provider_codes.into_iter().map(owned).collect(),
            error_numbers: self.error_numbers,
            attributes: self.attributes.into_iter().map(|(name, value)| (owned(name), value.into_owned())).collect(),
            stack_trace: self.stack_trace.map(owned),
            text: self.text.map(owned),
        }
    }
}

impl Exception<'_> {
    /// Whether the exception says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.type_name.as_deref().is_none_or(|t| t.trim().is_empty())
            && self.message.as_deref().is_none_or(|m| m.trim().is_empty())
            && self.error_numbers.is_empty()
    }

    /// The same exception without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Exception<'static> {
        Exception {
            type_name: self.type_name.map(owned),
            message: self.message.map(owned),
            ancestors: self.ancestors.into_iter().map(owned).collect(),
            error_numbers: self.error_numbers,
            parent: self.parent,
        }
    }
}

impl Attribute<'_> {
    /// The same value without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Attribute<'static> {
        match self {
            Self::Bool(value) => Attribute::Bool(value),
            Self::Number(value) => Attribute::Number(value),
            Self::Text(value) => Attribute::Text(owned(value)),
        }
    }
}
