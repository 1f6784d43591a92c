//! From a failure to a decision: match first, then say it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::diagnostic::floor_char_boundary;
use crate::input::text;
use crate::matcher::{Candidate, Witness, captures, plain};
use crate::model::{CatalogEntry, Decision, Evidence, Failure, Log, Rule, Template, UnknownReason, limits};

use super::{FALLBACK_RULE, RuleSet};

impl RuleSet {
    /// Says what a failure is. Cannot fail: what no rule knows gets the fallback, with the reason.
    #[must_use]
    pub fn classify(&self, failure: &Failure) -> Decision {
        let stated = failure.text.as_deref().map(text::read);
        let candidate = Candidate::new(failure, stated.as_ref(), &self.lexicon);
        match plain::first(&self.rules, &candidate) {
            Some((index, witnesses)) => {
                let mut decision = self.decide(&self.codes[self.code_of_rule[index]], &candidate, Some(&self.rules[index]));
                decision.evidence = witnesses.into_iter().map(|witness| self.evidence(&witness)).collect();
                decision
            }
            None => {
                let mut decision = self.decide(self.fallback(), &candidate, None);
                decision.unknown_reason = Some(if failure.is_empty() {
                    UnknownReason::Empty
                } else if candidate.is_truncated() {
                    UnknownReason::Truncated
                } else {
                    UnknownReason::NoRule
                });
                decision
            }
        }
    }

    /// The decision on a record that could not be read as a failure.
    #[must_use]
    pub fn unreadable(&self, error: impl Into<String>) -> Decision {
        let failure = Failure::default();
        let mut decision = self.decide(self.fallback(), &Candidate::new(&failure, None, &self.lexicon), None);
        let error = error.into();
        decision.message = self.prefixed(self.fallback(), &self.redactor.redact(&error));
        decision.unknown_reason = Some(UnknownReason::Unreadable);
        decision.error = Some(self.redactor.redact(&error).into_owned());
        decision
    }

    fn decide(&self, code: &CatalogEntry, candidate: &Candidate<'_>, rule: Option<&Rule>) -> Decision {
        let rule_captures = rule.map_or(&[][..], |rule| &rule.captures);
        let captures: BTreeMap<&str, Cow<'_, str>> =
            captures(rule_captures, candidate).map(|(name, value)| (name, self.redactor.redact(value))).collect();
        let message = self.message(code, candidate, &captures);
        Decision {
            id: candidate.failure().id.clone().filter(|id| is_echoed(id)),
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
            notes: Vec::new(),
            error: None,
            raw_base64: None,
        }
    }

    /// The code's message: its template filled in, else what the failure itself says, else the title.
    fn message(&self, code: &CatalogEntry, candidate: &Candidate<'_>, captures: &BTreeMap<&str, Cow<'_, str>>) -> String {
        let raw = candidate.raw_message().map(|text| self.redactor.redact(text));
        let Some(template) = code.message.as_deref().and_then(|template| Template::parse(template).ok()) else {
            let raw = raw.as_deref().map(str::trim).filter(|text| !text.is_empty());
            return self.prefixed(code, raw.unwrap_or(&code.title));
        };
        let failure = candidate.failure();
        let inner = candidate.inner_message().map(|text| self.redactor.redact(text));
        let fields = [
            ("id", failure.id.as_deref().map(Cow::Borrowed)),
            ("connector", failure.connector.as_deref().map(Cow::Borrowed)),
            ("operation", failure.operation.as_deref().map(Cow::Borrowed)),
            ("phase", failure.phase.as_deref().map(Cow::Borrowed)),
            ("http_status", candidate.http_status().map(|status| Cow::Owned(status.to_string()))),
            ("exception", candidate.causes().first().and_then(|cause| cause.type_name()).map(|name| Cow::Borrowed(name.full()))),
            ("message", raw.clone()),
            ("inner_message", inner),
            ("provider_code", candidate.provider_codes().next().map(Cow::Borrowed)),
            ("error_number", candidate.error_numbers().first().map(|number| Cow::Owned(number.to_string()))),
            ("title", Some(Cow::Borrowed(code.title.as_str()))),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let variables: Vec<(&str, Cow<'_, str>)> = fields.chain(captures.iter().map(|(name, value)| (*name, value.clone()))).collect();
        let rendered = template.render(&variables).unwrap_or_else(|_| code.title.clone());
        let end = floor_char_boundary(&rendered, limits::RENDERED_BYTES);
        self.prefixed(code, rendered[..end].trim())
    }

    /// A message that starts with its own code already keeps it once.
    fn prefixed(&self, code: &CatalogEntry, message: &str) -> String {
        let prefix = format!("[{}] ", code.code);
        if message.starts_with(&prefix) { message.to_owned() } else { format!("{prefix}{message}") }
    }

    fn evidence(&self, witness: &Witness<'_>) -> Evidence {
        let end = floor_char_boundary(&witness.matched, limits::RENDERED_BYTES);
        Evidence { condition: witness.key.to_string(), matched: self.redactor.redact(&witness.matched[..end]).into_owned(), cause: witness.cause }
    }
}

/// Ids go into logs and headers: only short words are echoed.
fn is_echoed(id: &str) -> bool {
    (1..=limits::ID_CHARS).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
