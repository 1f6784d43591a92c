//! Secrets that never leave the engine, in whatever text they stand.
//!
//! The built-in detectors can be widened by the manifest's `[redact]`, never switched off. A secret is replaced by
//! `«redacted:name»`: the same on every machine, since decisions must not depend on a key of the process.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::model::Pattern;

/// Name and pattern. The group `keep` in front of the secret stays.
const BUILT_IN: &[(&str, &str)] = &[
    ("private-key", r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)"),
    ("authorization", r"(?i)(?<keep>\b(?:bearer|basic)\s+)[a-z0-9._~+/\-]{12,}=*"),
    ("jwt", r"\beyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]+){1,2}"),
    ("url-password", r"(?i)(?<keep>\b[a-z][a-z0-9+.\-]{1,20}://)[^\s/@:]{0,200}:[^\s/@]{1,200}@"),
    ("signature", r"(?i)(?<keep>\b(?:sig|signature)=)[a-z0-9%+/=_\-]{8,}"),
    (
        "secret",
        r#"(?i)(?<keep>\b(?:client[_-]?secret|client[_-]?assertion|shared[_-]?access[_-]?(?:key|signature)|account[_-]?key|api[_-]?key|access[_-]?token|refresh[_-]?token|id[_-]?token|password|passwd|pwd)\\?["']?\s?(?:=>|[=:])\s?\\?["']?)[^\s"'&;,<>\\]{3,}"#,
    ),
    ("cloud-key", r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|xox[abprs]-[A-Za-z0-9\-]{10,})"),
];

/// Words of which every match of a built-in pattern has one: most texts have none and are done after one pass.
const QUICK_WORDS: &str = r"(?i-u:-----begin|bearer|basic|eyj|://|sig=|signature=|secret|assertion|sharedaccess|shared[_-]access|account[_-]?key|api[_-]?key|token|passw|pwd|akia|gh[pousr]_|github_pat_|xox)";

static DETECTORS: LazyLock<Vec<(&'static str, Regex)>> =
    LazyLock::new(|| BUILT_IN.iter().filter_map(|(name, pattern)| Some((*name, Regex::new(pattern).ok()?))).collect());

static QUICK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(QUICK_WORDS).ok());

/// Removes secrets from texts.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    own: Vec<(String, Pattern)>,
}

impl Redactor {
    pub(super) fn new(own: impl IntoIterator<Item = (String, Pattern)>) -> Self {
        Self { own: own.into_iter().collect() }
    }

    /// The text without secrets.
    pub(super) fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        if QUICK.as_ref().is_none_or(|quick| quick.is_match(&text)) {
            for (name, regex) in DETECTORS.iter() {
                replace(&mut text, regex, name);
            }
        }
        for (name, pattern) in &self.own {
            if let Some(regex) = pattern.regex() {
                replace(&mut text, regex, name);
            }
        }
        text
    }
}

fn replace(text: &mut Cow<'_, str>, regex: &Regex, name: &str) {
    let replaced = regex.replace_all(text, |found: &regex::Captures<'_>| {
        // What is replaced already must not be replaced again: the name of the first detector is the telling one.
        if found[0].contains("«redacted:") {
            return found[0].to_owned();
        }
        format!("{}«redacted:{name}»", found.name("keep").map_or("", |keep| keep.as_str()))
    });
    if let Cow::Owned(replaced) = replaced {
        *text = Cow::Owned(replaced);
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, DETECTORS, Redactor};

    #[test]
    fn every_built_in_detector_compiles() {
        assert_eq!(DETECTORS.len(), BUILT_IN.len());
    }

    #[test]
    fn secrets_are_replaced_and_their_names_kept() {
        let cases = [
            ("client_secret=abc123~x&scope=a", "client_secret=«redacted:secret»&scope=a"),
            (r#"{"client_secret":"abc123"}"#, r#"{"client_secret":"«redacted:secret»"}"#),
            ("Server=a;Password=p@ss;Database=b", "Server=a;Password=«redacted:secret»;Database=b"),
            ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer «redacted:authorization»"),
            ("AccountKey=AbCd+/==;x", "AccountKey=«redacted:secret»;x"),
            ("https://u:pass@host/x", "https://«redacted:url-password»host/x"),
            ("see https://host:7047/WS/Page", "see https://host:7047/WS/Page"),
            ("token eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abc done", "token «redacted:jwt» done"),
            ("?sv=1&sig=Zm9vYmFyYmF6%3D&se=2", "?sv=1&sig=«redacted:signature»&se=2"),
            ("key AKIAIOSFODNN7EXAMPLE", "key «redacted:cloud-key»"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----.", "«redacted:private-key»."),
            ("AADSTS7000215: Invalid client secret provided.", "AADSTS7000215: Invalid client secret provided."),
            ("The password: is missing", "The password: is missing"),
        ];
        for (text, expected) in cases {
            assert_eq!(Redactor::default().redact(text), expected);
        }
    }
}
