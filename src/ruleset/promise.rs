//! What a code promises to connectors, and what of it moved between two states of the rules.

use crate::diagnostic::Span;
use crate::model::{Action, CatalogEntry, RetryClass};
use crate::rulefile::CodeEntry;

/// What connectors rely on. A part that cannot be read is none, and has not moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise<'c> {
    status: Option<&'c str>,
    retry: Option<RetryClass>,
    action: Option<Action>,
    is_retired: bool,
}

/// One thing that moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move<'c> {
    /// The code is no longer issued.
    Retired,
    /// A code that was retired is issued again.
    Revived,
    /// The status: from, to.
    Status(&'c str, &'c str),
    /// The retry class.
    Retry(RetryClass, RetryClass),
    /// The action, be it stated or as it follows from the retry class.
    Action(Action, Action),
}

impl<'c> From<&'c CatalogEntry> for Promise<'c> {
    fn from(entry: &'c CatalogEntry) -> Self {
        Self {
            status: Some(&entry.status),
            retry: Some(entry.retry),
            action: Some(entry.action),
            is_retired: entry.retired.is_some(),
        }
    }
}

impl<'c> From<&'c CodeEntry> for Promise<'c> {
    fn from(entry: &'c CodeEntry) -> Self {
        Self {
            status: entry.status.as_ref().map(|status| status.value.as_str()),
            retry: entry.retry.as_ref().map(|retry| retry.value),
            action: entry.effective_action(),
            is_retired: entry.retired.is_some(),
        }
    }
}

/// What moved, in the order of the keys of a code.
pub(super) fn moves<'c>(before: Promise<'c>, now: Promise<'c>) -> Vec<Move<'c>> {
    let life = match (before.is_retired, now.is_retired) {
        (false, true) => Some(Move::Retired),
        (true, false) => Some(Move::Revived),
        _ => None,
    };
    let status = before.status.zip(now.status).map(|(from, to)| Move::Status(from, to));
    let retry = before.retry.zip(now.retry).map(|(from, to)| Move::Retry(from, to));
    let action = before.action.zip(now.action).map(|(from, to)| Move::Action(from, to));
    let moved = |step: &Move<'_>| step.from() != step.to();
    life.into_iter().chain([status, retry, action].into_iter().flatten().filter(moved)).collect()
}

impl<'c> Move<'c> {
    /// The key of a code that moved.
    pub(super) fn facet(self) -> &'static str {
        match self {
            Self::Retired | Self::Revived => "retired",
            Self::Status(..) => "status",
            Self::Retry(..) => "retry",
            Self::Action(..) => "action",
        }
    }

    /// The word that it was; empty for a beginning or an end.
    pub(super) fn from(self) -> &'c str {
        match self {
            Self::Retired | Self::Revived => "",
            Self::Status(from, _) => from,
            Self::Retry(from, _) => from.as_str(),
            Self::Action(from, _) => from.as_str(),
        }
    }

    /// The word that it is.
    pub(super) fn to(self) -> &'c str {
        match self {
            Self::Retired | Self::Revived => "",
            Self::Status(_, to) => to,
            Self::Retry(_, to) => to.as_str(),
            Self::Action(_, to) => to.as_str(),
        }
    }

    /// Where an entry says it: its own key, else the key that it follows from, else the name of the code.
    pub(super) fn place(self, entry: &CodeEntry) -> &Span {
        let retry = || entry.retry.as_ref().map(|retry| &retry.span);
        let place = match self {
            Self::Retired | Self::Revived => entry.retired.as_ref().map(|retired| &retired.span),
            Self::Status(..) => entry.status.as_ref().map(|status| &status.span),
            Self::Retry(..) => retry(),
            Self::Action(..) => entry.action.as_ref().map(|action| &action.span).or_else(retry),
        };
        place.unwrap_or(&entry.code.span)
    }
}
