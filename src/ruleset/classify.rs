//! From a failure to a decision: match first, then say it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::diagnostic::floor_char_boundary;
use crate::input::text;
use crate::matcher::{Candidate, Witness, captures, plain};
use crate::model::{CatalogEntry, Decision, Evidence, Failure, Log, Rule, UnknownReason, excerpt, limits};

use super::redact::Secret;
use super::{FALLBACK_RULE, RuleSet};

impl RuleSet {
    /// Says what a failure is. Cannot fail: what no rule knows gets the fallback, with the reason.
    #[must_use]
    pub fn classify(&self, failure: &Failure) -> Decision {
        let stated = failure.text.as_deref().map(|text| {
            // Reading drops lines, also those that frame a key: what is a secret is told before.
            text::read(&self.redactor.redact(excerpt(text).as_deref().unwrap_or(text)))
        });
        let candidate = Candidate::new(failure, stated.as_ref(), &self.lexicon);
        if let Some((index, witnesses)) = plain::first(&self.rules, &candidate) {
            let texts = self.secrets(&candidate);
            let mut decision = self.decide(self.code_of_rule[index], &candidate, Some(&self.rules[index]), &texts);
            decision.evidence = witnesses.into_iter().map(|witness| self.evidence(&witness, &texts)).collect();
            return decision;
        }
        let mut decision = self.decide(self.fallback, &candidate, None, &[]);
        decision.unknown_reason = Some(if failure.is_empty() {
            UnknownReason::Empty
        } else if candidate.is_truncated() {
            UnknownReason::Truncated
        } else {
            UnknownReason::NoRule
        });
        decision
    }

    /// The decision on a record that could not be read as a failure.
    #[must_use]
    pub fn unreadable(&self, error: impl Into<String>) -> Decision {
        let failure = Failure::default();
        let mut decision = self.decide(self.fallback, &Candidate::new(&failure, None, &self.lexicon), None, &[]);
        let error = error.into();
        decision.message = prefixed(self.fallback(), &self.redactor.redact(&error));
        decision.unknown_reason = Some(UnknownReason::Unreadable);
        decision.error = Some(self.redactor.redact(&error).into_owned());
        decision
    }

    /// The decision with what was odd about the record.
    #[cfg(feature = "cli")]
    pub(crate) fn noted(&self, mut decision: Decision, notes: Vec<String>) -> Decision {
        decision.notes.splice(0..0, notes.into_iter().map(|note| self.redactor.redact(&note).into_owned()));
        decision
    }

    /// A text without secrets.
    #[cfg(feature = "cli")]
    pub(crate) fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redactor.redact(text)
    }

    /// The texts of a failure with the secrets in them.
    fn secrets<'c>(&'c self, candidate: &'c Candidate<'_>) -> Vec<Searched<'c>> {
        candidate.texts_with_cause().map(|(_, text)| (text, self.redactor.secrets(text))).collect()
    }

    /// Says when no rule file is for the connector that was named: most often it is a misspelt one.
    fn connector_note(&self, failure: &Failure) -> Option<String> {
        let connector = failure.connector.as_deref().filter(|name| !name.trim().is_empty())?;
        let mut scopes = self.rules.iter().flat_map(|rule| &rule.connectors).peekable();
        if scopes.peek().is_none() || scopes.any(|known| known == connector) {
            return None;
        }
        let shown: String = connector.chars().take(limits::ID_CHARS).collect();
        let shown = self.redactor.redact(&shown);
        Some(format!("no rules are for the connector `{shown}`; only shared rules apply"))
    }

    /// The decision for a code. `texts` are those of the failure when a rule won.
    fn decide(&self, index: usize, candidate: &Candidate<'_>, rule: Option<&Rule>, texts: &[Searched<'_>]) -> Decision {
        let captures: BTreeMap<&str, Cow<'_, str>> = rule.map_or_else(BTreeMap::new, |rule| {
            captures(&rule.captures, candidate)
                .map(|(name, value)| (name, self.redactor.redact_value(value, texts)))
                .collect()
        });
        let code = &self.codes[index];
        let id = self.echoed(candidate.failure());
        let message = self.message(index, candidate, texts, id, &captures);
        let mut notes: Vec<String> = self.connector_note(candidate.failure()).into_iter().collect();
        if id.is_none() && candidate.failure().id.is_some() {
            notes.push(format!(
                "`id` is not echoed: only 1 to {} of `A-Z a-z 0-9 . _ -`, and no secrets",
                limits::ID_CHARS
            ));
        }
        Decision {
            id: id.map(str::to_owned),
            code: code.code.clone(),
            title: code.title.clone(),
            status: code.status.clone(),
            retry: code.retry,
            action: code.action,
            message,
            rule: rule.map_or_else(|| FALLBACK_RULE.to_owned(), |rule| rule.id.clone()),
            captures: captures.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect(),
            evidence: Vec::new(),
            unknown_reason: None,
            log: Log { error_code: code.code.clone(), stack_trace: code.code == self.fallback().code },
            ruleset: self.digest.clone(),
            truncated: candidate.is_truncated(),
            notes,
            error: None,
            raw_base64: None,
        }
    }

    /// The code's message: its template filled in, else what the failure itself says, else the title.
    fn message(
        &self,
        index: usize,
        candidate: &Candidate<'_>,
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
        candidate: &'d Candidate<'_>,
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
            "exception" => candidate.causes().first().and_then(|cause| cause.type_name()).map(|name| sent(name.full())),
            "message" => candidate.raw_message().map(|text| self.redactor.redact_text(text, texts)),
            "inner_message" => candidate.inner_message().map(|text| self.redactor.redact_text(text, texts)),
            "provider_code" => candidate.provider_codes().next().map(sent),
            "error_number" => candidate.error_numbers().first().map(|number| Cow::Owned(number.to_string())),
            "title" => Some(Cow::Borrowed(code.title.as_str())),
            _ => None,
        }
    }

    fn evidence(&self, witness: &Witness<'_>, texts: &[Searched<'_>]) -> Evidence {
        // Cut when it is redacted: half a secret would not be recognized.
        let matched = self.redactor.redact_value(&witness.matched, texts);
        let matched = matched[..floor_char_boundary(&matched, limits::RENDERED_BYTES)].to_owned();
        Evidence { condition: witness.key.to_string(), matched, cause: witness.cause }
    }

    /// Ids go into logs and headers: only short words are echoed, and no secrets.
    fn echoed<'f>(&self, failure: &'f Failure) -> Option<&'f str> {
        failure.id.as_deref().filter(|id| is_word(id) && self.redactor.redact(id) == *id)
    }
}

/// A text of a failure with the secrets in it.
type Searched<'c> = (&'c str, Vec<Secret<'c>>);

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
