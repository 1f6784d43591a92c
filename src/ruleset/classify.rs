//! From a failure to a decision: match first, then say it.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::diagnostic::floor_char_boundary;
use crate::input::text::Memo;
use crate::matcher::{Candidate, Cause, Scratch, Witness, captures, witnesses};
use crate::model::{CatalogEntry, Decision, Evidence, Failure, Log, Rule, UnknownReason, excerpt, limits};

use super::redact::Searched;
use super::{FALLBACK_RULE, RuleSet};

/// Bytes of an unreadable record that are shown in base 64.
const RAW_BYTES: usize = 4 * 1024;

/// What a failure is, in short: the code and the rule, without message and evidence.
#[derive(Debug, Clone, Copy)]
pub struct Diagnosis<'s> {
    /// The code with what follows from it.
    pub code: &'s CatalogEntry,
    /// The rule that won; none for the fallback.
    pub rule: Option<&'s Rule>,
    /// Why the failure is undiagnosed; none when a rule won.
    pub unknown_reason: Option<UnknownReason>,
}

thread_local! {
    /// The memory of [`RuleSet::classify`] on this thread.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
    /// What the last pasted texts on this thread stated.
    static STATED: Cell<Option<Box<Memo>>> = const { Cell::new(None) };
}

impl RuleSet {
    /// Says what a failure is. Cannot fail: what no rule knows gets the fallback, with the reason.
    #[must_use]
    pub fn classify(&self, failure: &Failure<'_>) -> Decision<'_> {
        self.classify_by(failure).0
    }

    /// The decision, and the place of the rule that won.
    pub(crate) fn classify_by(&self, failure: &Failure<'_>) -> (Decision<'_>, Option<usize>) {
        let mut scratch = SCRATCH.take().unwrap_or_default();
        let decided =
            self.match_first(failure, &mut scratch, |candidate, first| (self.answer(candidate, first), first));
        SCRATCH.set(Some(scratch));
        decided
    }

    /// The decision once it is known which rule wins.
    pub(super) fn answer<'s>(&'s self, candidate: Candidate<'_>, first: Option<usize>) -> Decision<'s> {
        let Some(index) = first else {
            let mut decision = self.decide(self.fallback, candidate, None, &[]);
            decision.unknown_reason = Some(unknown_reason(candidate));
            return decision;
        };
        let rule = &self.rules()[index];
        let texts = self.secrets(candidate);
        let mut decision = self.decide(self.code_of_rule[index], candidate, Some(rule), &texts);
        let witnesses = witnesses(rule, candidate).unwrap_or_default();
        decision.evidence = witnesses.into_iter().map(|witness| self.evidence(&witness, &texts)).collect();
        decision
    }

    /// Says which code a failure has, without rendering a message or evidence. Allocates nothing once the scratch has
    /// grown to the size of the failures, as long as they hold no pasted `text`.
    ///
    /// ```
    /// use faultbook::matcher::Scratch;
    /// use faultbook::{Failure, RetryClass, RuleSet};
    ///
    /// let rules = RuleSet::builtin();
    /// let mut scratch = Scratch::default();
    /// let failure = Failure { connector: Some("webhook".into()), http_status: Some(503), ..Failure::default() };
    /// let diagnosis = rules.diagnose(&failure, &mut scratch);
    /// assert_eq!(diagnosis.code.code, *rules.classify(&failure).code);
    /// ```
    #[must_use]
    pub fn diagnose(&self, failure: &Failure<'_>, scratch: &mut Scratch) -> Diagnosis<'_> {
        self.match_first(failure, scratch, |candidate, first| match first {
            Some(index) => Diagnosis {
                code: &self.codes[self.code_of_rule[index]],
                rule: self.rules().get(index),
                unknown_reason: None,
            },
            None => Diagnosis { code: self.fallback(), rule: None, unknown_reason: Some(unknown_reason(candidate)) },
        })
    }

    /// The facts of a failure, to be kept beside it.
    pub(super) fn facts_of(&self, failure: &Failure<'_>) -> Scratch {
        let mut scratch = Scratch::default();
        self.match_first(failure, &mut scratch, |_, _| ());
        scratch
    }

    /// The message of a failure that a rule wins; the rule may be another one than the set's own at this place.
    pub(super) fn message_by(&self, place: usize, rule: &Rule, candidate: Candidate<'_>) -> String {
        let texts = self.secrets(candidate);
        self.decide(self.code_of_rule[place], candidate, Some(rule), &texts).message
    }

    /// The message of a failure that no rule knows.
    pub(super) fn unmatched_message(&self, candidate: Candidate<'_>) -> String {
        self.decide(self.fallback, candidate, None, &[]).message
    }

    /// Reads what a pasted text states, brings the facts together and finds the first rule that applies.
    pub(super) fn match_first<R>(
        &self,
        failure: &Failure<'_>,
        scratch: &mut Scratch,
        then: impl FnOnce(Candidate<'_>, Option<usize>) -> R,
    ) -> R {
        let mut memo = None;
        let stated = failure.text.as_deref().map(|text| {
            // Reading drops lines, also those that frame a key: what is a secret is told before.
            memo.insert(STATED.take().unwrap_or_default())
                .read(&self.redactor.redact(excerpt(text).as_deref().unwrap_or(text)))
        });
        let (candidate, work) = self.matcher.facts(failure, stated, scratch);
        let first = self.matcher.first_of(candidate, work);
        let answer = then(candidate, first);
        if memo.is_some() {
            STATED.set(memo);
        }
        answer
    }

    /// The decision on a record that could not be read as a failure.
    #[must_use]
    pub fn unreadable(&self, error: impl Into<String>) -> Decision<'_> {
        // Whatever the rules say about an empty failure, they say nothing about a record that nobody could read.
        let mut decision = self.match_first(&Failure::default(), &mut Scratch::default(), |candidate, _| {
            self.decide(self.fallback, candidate, None, &[])
        });
        let error = error.into();
        decision.message = prefixed(self.fallback(), &self.redactor.redact(&error));
        decision.unknown_reason = Some(UnknownReason::Unreadable);
        decision.error = Some(self.redactor.redact(&error).into_owned());
        decision
    }

    /// The decision on a record that could not be read; the start of its bytes is kept when they are no text.
    pub(crate) fn unreadable_record(&self, error: impl Into<String>, record: &[u8]) -> Decision<'_> {
        let mut decision = self.unreadable(error);
        if std::str::from_utf8(record).is_err() {
            let start = String::from_utf8_lossy(&record[..record.len().min(2 * RAW_BYTES)]);
            let redacted = self.redactor.redact(&start);
            // The bytes themselves, unless a secret had to be taken out.
            let shown = if redacted == start { record } else { redacted.as_bytes() };
            decision.raw_base64 = Some(BASE64_STANDARD.encode(&shown[..shown.len().min(RAW_BYTES)]));
        }
        decision
    }

    /// The decision with what was odd about the record.
    pub(crate) fn noted<'s>(&self, mut decision: Decision<'s>, notes: Vec<String>) -> Decision<'s> {
        decision.notes.splice(0..0, notes.into_iter().map(|note| self.redactor.redact(&note).into_owned()));
        decision
    }

    /// A text without secrets.
    pub(crate) fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redactor.redact(text)
    }

    /// A value of a failure without the secrets of its texts.
    pub(super) fn redacted_value<'v>(&self, value: &'v str, texts: &[Searched<'_>]) -> Cow<'v, str> {
        // What is one of the texts as a whole was searched before.
        if texts.iter().any(|(text, _)| std::ptr::eq(*text, value)) {
            return self.redactor.redact_text(value, texts);
        }
        self.redactor.redact_value(value, texts)
    }

    /// The texts of a failure with the secrets in them.
    pub(super) fn secrets<'c>(&'c self, candidate: Candidate<'c>) -> Vec<Searched<'c>> {
        // All texts at once first: hardly ever there is anything to look for in one of them.
        let is_suspect = self.redactor.suspects(candidate.text());
        candidate.texts_with_cause().map(|(_, text)| (text, is_suspect.then(|| self.redactor.secrets(text)))).collect()
    }

    /// Says when no rule file is for the connector that was named: most often it is a misspelt one.
    fn connector_note(&self, candidate: Candidate<'_>) -> Option<String> {
        let connector = candidate.failure().connector.as_deref().filter(|name| !name.trim().is_empty())?;
        if self.matcher.knows_connector(candidate) {
            return None;
        }
        let shown: String = connector.chars().take(limits::ID_CHARS).collect();
        let shown = self.redactor.redact(&shown);
        Some(format!("no rules are for the connector `{shown}`; only shared rules apply"))
    }

    /// The decision for a code. `texts` are those of the failure when a rule won.
    fn decide<'s>(
        &'s self,
        index: usize,
        candidate: Candidate<'_>,
        rule: Option<&'s Rule>,
        texts: &[Searched<'_>],
    ) -> Decision<'s> {
        let captures: BTreeMap<&'s str, Cow<'_, str>> = rule.map_or_else(BTreeMap::new, |rule| {
            captures(&rule.captures, candidate)
                .map(|(name, value)| (name, self.redactor.redact_value(value, texts)))
                .collect()
        });
        let code = &self.codes[index];
        let id = self.echoed(candidate.failure());
        let message = self.message(index, candidate, texts, id, &captures);
        let mut notes: Vec<String> = self.connector_note(candidate).into_iter().collect();
        if id.is_none() && candidate.failure().id.is_some() {
            notes.push(format!(
                "`id` is not echoed: only 1 to {} of `A-Z a-z 0-9 . _ -`, and no secrets",
                limits::ID_CHARS
            ));
        }
        Decision {
            id: id.map(str::to_owned),
            code: Cow::Borrowed(&code.code),
            title: Cow::Borrowed(&code.title),
            status: Cow::Borrowed(&code.status),
            retry: code.retry,
            action: code.action,
            message,
            rule: Cow::Borrowed(rule.map_or(FALLBACK_RULE, |rule| &rule.id)),
            captures: captures.into_iter().map(|(name, value)| (Cow::Borrowed(name), value.into_owned())).collect(),
            evidence: Vec::new(),
            unknown_reason: None,
            log: Log { error_code: Cow::Borrowed(&code.code), stack_trace: code.code == self.fallback().code },
            ruleset: Cow::Borrowed(&self.digest),
            truncated: candidate.is_truncated(),
            notes,
            error: None,
            raw_base64: None,
            spooled: None,
        }
    }

    /// The code's message: its template filled in, else what the failure itself says, else the title.
    fn message(
        &self,
        index: usize,
        candidate: Candidate<'_>,
        texts: &[Searched<'_>],
        id: Option<&str>,
        captures: &BTreeMap<&str, Cow<'_, str>>,
    ) -> String {
        let code = &self.codes[index];
        let Some(template) = &self.templates[index] else {
            let raw = candidate.raw_message().map(|text| self.redactor.redact_text(text, texts));
            let raw = raw.as_deref().map(str::trim).filter(|text| !text.is_empty());
            return prefixed(code, raw.unwrap_or(&code.title));
        };
        // Only what the template names is looked up, and no text is searched for secrets once more.
        let rendered = template.render(|name| match captures.get(name) {
            Some(value) => Some(Cow::Borrowed(value.as_ref())),
            None => self.field(name, code, candidate, texts, id),
        });
        let rendered = rendered.unwrap_or_else(|_| code.title.clone());
        let end = floor_char_boundary(&rendered, limits::RENDERED_BYTES);
        prefixed(code, rendered[..end].trim())
    }

    /// One of [`Template::FIELDS`](crate::model::Template::FIELDS).
    fn field<'d>(
        &self,
        name: &str,
        code: &'d CatalogEntry,
        candidate: Candidate<'d>,
        texts: &[Searched<'_>],
        id: Option<&'d str>,
    ) -> Option<Cow<'d, str>> {
        let failure = candidate.failure();
        let sent = |text: &'d str| self.redactor.redact(text);
        match name {
            "id" => id.map(Cow::Borrowed),
            "connector" => failure.connector.as_deref().map(sent),
            "operation" => failure.operation.as_deref().map(sent),
            "phase" => failure.phase.as_deref().map(sent),
            "http_status" => candidate.http_status().map(|status| Cow::Owned(status.to_string())),
            "exception" => candidate.causes().next().and_then(Cause::type_name).map(|name| sent(name.full())),
            "message" => candidate.raw_message().map(|text| self.redactor.redact_text(text, texts)),
            "inner_message" => candidate.inner_message().map(|text| self.redactor.redact_text(text, texts)),
            "provider_code" => candidate.provider_codes().next().map(|(code, _)| sent(code)),
            "error_number" => candidate.error_numbers().first().map(|number| Cow::Owned(number.to_string())),
            "title" => Some(Cow::Borrowed(code.title.as_str())),
            _ => None,
        }
    }

    fn evidence(&self, witness: &Witness<'_>, texts: &[Searched<'_>]) -> Evidence<'static> {
        // Cut when it is redacted: half a secret would not be recognized.
        let matched = self.redactor.redact_value(&witness.matched, texts);
        let matched = matched[..floor_char_boundary(&matched, limits::RENDERED_BYTES)].to_owned();
        Evidence { condition: witness.key.clone(), matched, cause: witness.cause }
    }

    /// Ids go into logs and headers: only short words are echoed, and no secrets.
    fn echoed<'f>(&self, failure: &'f Failure<'_>) -> Option<&'f str> {
        failure.id.as_deref().filter(|id| is_word(id) && self.redactor.redact(id) == *id)
    }
}

fn unknown_reason(candidate: Candidate<'_>) -> UnknownReason {
    if candidate.failure().is_empty() {
        UnknownReason::Empty
    } else if candidate.is_truncated() {
        UnknownReason::Truncated
    } else {
        UnknownReason::NoRule
    }
}

/// A message that starts with its own code already keeps it once.
fn prefixed(code: &CatalogEntry, message: &str) -> String {
    let code = code.code.as_str();
    let behind = message.strip_prefix('[').and_then(|message| message.strip_prefix(code));
    if behind.is_some_and(|message| message.starts_with("] ")) {
        message.to_owned()
    } else {
        ["[", code, "] ", message].concat()
    }
}

fn is_word(id: &str) -> bool {
    (1..=limits::ID_CHARS).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
