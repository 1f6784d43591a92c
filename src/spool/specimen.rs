//! One failure of a shape, for people: without secrets, cut to a size. Knows nothing of files.

use std::borrow::Cow;

use crate::diagnostic::floor_char_boundary;
use crate::model::{Attribute, Exception, Failure};
use crate::ruleset::RuleSet;

/// Bytes of a text in a specimen, and items of a list; tried one after the other until the whole fits.
const CUTS: [(usize, usize); 4] = [(8 * 1024, 64), (2 * 1024, 32), (512, 16), (96, 8)];

/// The failure as JSON that `faultbook classify` reads, at most that many bytes long.
pub(super) fn specimen(rules: &RuleSet, failure: &Failure<'_>, bytes: usize) -> String {
    let clean = rules.redacted_failure(failure);
    let json = |failure: &Failure<'_>| serde_json::to_string(failure).ok().filter(|json| json.len() <= bytes);
    let fits = CUTS.iter().find_map(|&(text_bytes, items)| json(&cut(&clean, text_bytes, items)));
    // Only failures that are made to be odd have more to them than texts and lists that can be cut.
    fits.or_else(|| {
        let text = clean.message.as_ref().or(clean.text.as_ref());
        let message = text.map(|text| Cow::Borrowed(&text[..floor_char_boundary(text, 96)]));
        json(&Failure { message, http_status: clean.http_status, ..Failure::default() })
    })
    .unwrap_or_else(|| "{}".to_owned())
}

/// A record that could not be read, as the text that it is.
pub(super) fn unreadable(rules: &RuleSet, raw: &[u8], bytes: usize) -> String {
    // Far more than is kept; a secret that reaches over the cut is cut at the end of a word.
    let start = String::from_utf8_lossy(&raw[..raw.len().min(128 * 1024)]);
    specimen(rules, &Failure { text: Some(start), ..Failure::default() }, bytes)
}

/// With texts and lists cut. Cutting comes after redaction: half a secret would not be recognized.
fn cut<'f>(failure: &'f Failure<'_>, bytes: usize, items: usize) -> Failure<'f> {
    let text = |text: &'f Cow<'_, str>| -> Cow<'f, str> {
        if text.len() <= bytes {
            return Cow::Borrowed(text);
        }
        Cow::Owned([&text[..floor_char_boundary(text, bytes)], "…"].concat())
    };
    let word = |word: &'f Cow<'_, str>| Cow::Borrowed(&word[..floor_char_boundary(word, bytes.min(1024))]);
    let attribute = |(name, value): (&'f Cow<'_, str>, &'f Attribute<'_>)| {
        let value = match value {
            Attribute::Text(value) => Attribute::Text(word(value)),
            Attribute::Number(number) => Attribute::Number(*number),
            Attribute::Bool(value) => Attribute::Bool(*value),
        };
        (word(name), value)
    };
    let exception = |exception: &'f Exception<'_>| Exception {
        type_name: exception.type_name.as_ref().map(word),
        message: exception.message.as_ref().map(text),
        ancestors: exception.ancestors.iter().take(items).map(word).collect(),
        error_numbers: exception.error_numbers.iter().copied().take(items).collect(),
        parent: exception.parent,
    };
    Failure {
        id: failure.id.as_ref().map(word),
        connector: failure.connector.as_ref().map(word),
        operation: failure.operation.as_ref().map(word),
        phase: failure.phase.as_ref().map(word),
        exceptions: failure.exceptions.iter().take(items).map(exception).collect(),
        message: failure.message.as_ref().map(text),
        http_status: failure.http_status,
        provider_codes: failure.provider_codes.iter().take(items).map(word).collect(),
        error_numbers: failure.error_numbers.iter().copied().take(items).collect(),
        attributes: failure.attributes.iter().take(items).map(attribute).collect(),
        stack_trace: failure.stack_trace.as_ref().map(text),
        text: failure.text.as_ref().map(text),
    }
}
