//! Failures without secrets, for what keeps or shows them.

use std::borrow::Cow;

use crate::model::{Attribute, Exception, Failure, excerpt};

use super::RuleSet;

impl RuleSet {
    /// A failure without secrets, and without the middle of long texts.
    pub(crate) fn redacted_failure(&self, failure: &Failure<'_>) -> Failure<'static> {
        let text = |text: &Cow<'_, str>| -> Cow<'static, str> {
            let looked_at = excerpt(text);
            Cow::Owned(self.redacted(looked_at.as_deref().unwrap_or(text)).into_owned())
        };
        let attribute = |(name, value): (&Cow<'_, str>, &Attribute<'_>)| {
            let value = match value {
                Attribute::Text(value) => {
                    // The name may be what tells that the value is a secret.
                    let stated = format!("{name}={value}");
                    match self.redacted(&stated).strip_prefix(&format!("{name}=")) {
                        Some(clean) => Attribute::Text(Cow::Owned(clean.to_owned())),
                        None => Attribute::Text(text(value)),
                    }
                }
                other => other.clone().into_owned(),
            };
            (text(name), value)
        };
        let exception = |exception: &Exception<'_>| Exception {
            type_name: exception.type_name.as_ref().map(text),
            message: exception.message.as_ref().map(text),
            ancestors: exception.ancestors.iter().map(text).collect(),
            error_numbers: exception.error_numbers.clone(),
            parent: exception.parent,
        };
        Failure {
            id: failure.id.as_ref().map(text),
            connector: failure.connector.as_ref().map(text),
            operation: failure.operation.as_ref().map(text),
            phase: failure.phase.as_ref().map(text),
            exceptions: failure.exceptions.iter().map(exception).collect(),
            message: failure.message.as_ref().map(text),
            http_status: failure.http_status,
            provider_codes: failure.provider_codes.iter().map(text).collect(),
            error_numbers: failure.error_numbers.clone(),
            attributes: failure.attributes.iter().map(attribute).collect(),
            stack_trace: failure.stack_trace.as_ref().map(text),
            text: failure.text.as_ref().map(text),
        }
    }
}
