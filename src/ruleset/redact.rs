//! Secrets that never leave the engine, in whatever text they stand.
//!
//! The built-in detectors can be widened by the manifest's `[redact]`, never switched off. A secret is replaced by
//! `«redacted:name»`: the same on every machine, since decisions must not depend on a key of the process.
//!
//! What stands in front of a secret and names it (`Password=`, `Bearer `) stays, so that people see what was there.
//! Ordinary sentences about secrets stay as well. A secret that nothing names and that has no form of its own is not
//! found; nor is one that is encoded once more (base 64 in base 64), or that a line break cuts off from its name.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::model::{Hint, Pattern, PerThread, place};

use super::signs::{self, Sign};

/// A built-in detector as written: its name, what a text with a match shows, its pattern, and whether what it finds is a
/// secret.
type Source = (&'static str, Sign, String, fn(&str) -> bool);

/// A built-in detector.
struct Detector {
    name: &'static str,
    /// What every text with a match shows.
    sign: Sign,
    /// The group `keep` in front of the secret stays.
    regex: PerThread,
    /// Whether what was found is a secret, not a word of a sentence.
    is_secret: fn(&str) -> bool,
}

/// Names of fields that hold secrets.
const NAMES: &str = r"(?i-u:client[_\-. ]?secret|client[_-]?assertion|secret[_-]?(?:access[_-]?)?(?:key|value)|secret|shared[_-]?access[_-]?(?:key|signature)|(?:account|storage|shared|access|subscription|functions?|api|encryption|private)[_-]?key|(?:access|refresh|auth|session|security|sas|api|bot)[_-]?token|\bid[_-]?token|password|passwd|passphrase|pwd)";

/// Values in quotes of whatever kind, without the closing one.
const QUOTED: &str = r#"\\+"[^"\\\r\n]+|\\+'[^'\\\r\n]+|"(?:[^"\\\r\n]|\\.|"")+|'(?:[^'\\\r\n]|\\.|'')+"#;

/// Values without quotes.
const WORD: &str = r#"[^ \t\r\n"'`&;,<>\\]+"#;

/// Words that follow a name in a sentence: `The password: is missing`.
const PROSE: &[&str] = &[
    "a",
    "an",
    "and",
    "are",
    "cannot",
    "changed",
    "could",
    "denied",
    "does",
    "empty",
    "error",
    "expired",
    "failed",
    "false",
    "has",
    "incorrect",
    "invalid",
    "is",
    "it",
    "missing",
    "must",
    "no",
    "none",
    "not",
    "null",
    "or",
    "refused",
    "rejected",
    "required",
    "reset",
    "should",
    "the",
    "this",
    "too",
    "true",
    "undefined",
    "unknown",
    "was",
    "wrong",
    "you",
    "your",
];

fn detectors() -> Vec<Detector> {
    let always: fn(&str) -> bool = |_| true;
    let patterns: [Source; 13] = [
        ("private-key", Sign::KeyStart, r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)".to_owned(), always),
        // The start was cut off.
        ("private-key", Sign::KeyEnd, r#"[A-Za-z0-9+/=](?:[A-Za-z0-9+/= \t\r\n"',|]|\\[rn])*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"#.to_owned(), always),
        (
            "authorization",
            Sign::Authorization,
            r#"(?<keep>(?i-u:authorization(?:\\*["'])?[ \t\r\n]{0,3}[:=][ \t\r\n]{0,3}(?:\\*["'])?(?:bearer|basic|negotiate|ntlm|token|apikey|sharedkey|sharedkeylite)[ \t\r\n]{1,3}))[^ \t\r\n"'<>\\,;]+"#.to_owned(),
            looks_made,
        ),
        ("authorization", Sign::Authorization, r#"(?i-u)(?<keep>authorization(?:\\*["'])?[ \t\r\n]{0,3}[:=][ \t\r\n]{0,3}(?:\\*["'])?)[a-z0-9+/_.~\-]{16,}=*"#.to_owned(), looks_random),
        ("authorization", Sign::Bearer, r"(?i-u)(?<keep>\b(?:bearer|basic)[ \t\r\n]{1,3})[a-z0-9._~+/\-]{12,}=*".to_owned(), looks_random),
        ("jwt", Sign::Jwt, r"(?-u:\b)eyJ[A-Za-z0-9_\-]{8,}(?:(?:\.|%2E)[A-Za-z0-9_\-]+){1,4}".to_owned(), always),
        (
            "url-password",
            Sign::Url,
            r#"(?<keep>(?i-u:\b[a-z][a-z0-9+.\-]{1,20}://))[^ \t\r\n/@:?#"'<>\[\]]*:(?:[^ \t\r\n/@?#"'<>\[\]]*[^0-9 \t\r\n/@?#"'<>\[\]][^ \t\r\n@"'<>]*|[^ \t\r\n/?#"'<>\[\]]+)@(?:[^ \t\r\n/?#@"'<>]+@)?"#.to_owned(),
            always,
        ),
        ("signature", Sign::Signature, r"(?i-u)(?<keep>\b(?:sig|signature)(?:=|%3D))[a-z0-9%+/=_\-]{8,}".to_owned(), always),
        ("function-key", Sign::Code, r"(?i-u)(?<keep>[?&](?:amp;)?code=)[a-z0-9_\-%+/=.~]{24,}".to_owned(), always),
        ("secret", Sign::Assigned, format!(r"(?<keep>{NAMES}(?:\\*[\x22'])?[ \t\r\n]{{0,3}}(?:=>|==?|:=|%3[Dd])[ \t\r\n]{{0,3}})(?:{QUOTED}|\{{[^}}\r\n]+\}}|[^ \t\r\n;\x22'`<>=]+(?: [^ \t\r\n;\x22'`<>=]+){{0,4}};|{WORD})"), is_no_marker),
        ("secret", Sign::Stated, format!(r"(?<keep>{NAMES}(?:\\*[\x22'])?[ \t]{{0,3}}(?::|%3[Aa])[ \t]{{0,3}})(?:{QUOTED}|{WORD})"), is_no_prose),
        (
            "secret",
            Sign::Tag,
            r"(?<keep><(?i-u:(?:[a-z0-9]{1,20}:)?[a-z0-9_.\-]{0,30}(?:password|secret|api-?key|account-?key|access-?token|binarysecuritytoken))(?:[ \t\r\n][^<>]*)?>)[^<]+".to_owned(),
            is_no_marker,
        ),
        (
            "cloud-key",
            Sign::CloudKey,
            r"(?-u:\b)(?:A(?:KIA|SIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{20,}|xox[abeoprs]-[A-Za-z0-9\-]{10,}|AIza[0-9A-Za-z_\-]{35}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,})|[A-Za-z0-9_.~\-]{3}[0-9]Q~[A-Za-z0-9_.~\-]{31,34}".to_owned(),
            always,
        ),
    ];
    patterns
        .into_iter()
        .filter_map(|(name, sign, pattern, is_secret)| {
            Some(Detector { name, sign, regex: PerThread::new(Regex::new(&pattern).ok()?), is_secret })
        })
        .collect()
}

static DETECTORS: LazyLock<Vec<Detector>> = LazyLock::new(detectors);

/// Removes secrets from texts.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    own: Vec<Own>,
}

/// A pattern of the manifest.
#[derive(Debug)]
struct Own {
    name: String,
    pattern: Pattern,
    /// Most texts are spared the pattern.
    hint: Hint,
}

/// Where a secret stands.
#[derive(Debug, Clone)]
pub(super) struct Secret<'r> {
    range: Range<usize>,
    name: &'r str,
    /// Found by a pattern of the manifest, which may cover the name of the secret as well.
    is_own: bool,
}

/// A text of a failure with the secrets in it; without a list when no text of the failure shows a sign of any.
pub(super) type Searched<'t> = (&'t str, Option<Vec<Secret<'t>>>);

impl Redactor {
    pub(super) fn new(own: impl IntoIterator<Item = (String, Pattern)>) -> Self {
        let own = own.into_iter().map(|(name, pattern)| Own { hint: Hint::new(pattern.requirement()), name, pattern });
        Self { own: own.collect() }
    }

    /// Whether a text may hold a secret; `false` says the same of every part of it.
    pub(super) fn suspects(&self, text: &str) -> bool {
        !signs::read(text).is_empty() || self.own.iter().any(|own| own.hint.allows(text))
    }

    /// The text without secrets.
    pub(super) fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        without(&self.secrets(text), text, 0..text.len())
    }

    /// One of the texts without its secrets, or any other text without them.
    pub(super) fn redact_text<'t>(&self, text: &'t str, texts: &[Searched<'_>]) -> Cow<'t, str> {
        match texts.iter().find(|(known, _)| std::ptr::eq(*known, text)) {
            Some((_, secrets)) => without(secrets.as_deref().unwrap_or_default(), text, 0..text.len()),
            None => self.redact(text),
        }
    }

    /// A value that was found in one of the texts: what is a secret there is one here, though the value may be but a part
    /// of it and lack what names it.
    pub(super) fn redact_value<'v>(&self, value: &'v str, texts: &[Searched<'_>]) -> Cow<'v, str> {
        if texts.iter().any(|(text, secrets)| secrets.is_none() && place(value, text).is_some()) {
            return Cow::Borrowed(value);
        }
        if texts.iter().all(|(_, secrets)| secrets.as_ref().is_none_or(Vec::is_empty)) {
            return self.redact(value);
        }
        Self::redact_part(value, texts).map_or_else(|| self.redact(value), Cow::Owned)
    }

    /// A part of a text by the secrets of the whole text; `None` when it holds nothing of them.
    fn redact_part(part: &str, texts: &[Searched<'_>]) -> Option<String> {
        let searched = texts.iter().filter_map(|(text, secrets)| Some((text, secrets.as_deref()?)));
        searched.filter(|(_, secrets)| !secrets.is_empty()).find_map(|(text, secrets)| {
            let mut places = match place(part, text) {
                Some(place) => vec![place],
                None => text.match_indices(part).map(|(at, _)| at..at + part.len()).take(1).collect(),
            };
            places.retain(|place| {
                secrets.iter().any(|secret| secret.range.start < place.end && place.start < secret.range.end)
            });
            places.first().map(|place| without(secrets, text, place.clone()).into_owned())
        })
    }

    /// Where the secrets of a text stand, from left to right.
    pub(super) fn secrets<'r>(&'r self, text: &str) -> Vec<Secret<'r>> {
        let mut found = Vec::new();
        // Most texts show no sign at all and are done after one pass.
        let signs = signs::read(text);
        if !signs.is_empty() {
            for detector in DETECTORS.iter().filter(|detector| signs.has(detector.sign)) {
                find(detector.regex.get(), text, &mut |range| {
                    if (detector.is_secret)(&text[range.clone()]) {
                        found.push(Secret { range: unquoted(text, range), name: detector.name, is_own: false });
                    }
                });
            }
        }
        for own in self.own.iter().filter(|own| own.hint.allows(text)) {
            if let Some(regex) = own.pattern.regex() {
                find(regex, text, &mut |range| found.push(Secret { range, name: &own.name, is_own: true }));
            }
        }
        if found.is_empty() {
            return found;
        }
        merged(found, text)
    }
}

fn find(regex: &Regex, text: &str, add: &mut impl FnMut(Range<usize>)) {
    // Most patterns find nothing, and that is known faster than what their groups find.
    if !regex.is_match(text) {
        return;
    }
    for captures in regex.captures_iter(text) {
        if let Some(whole) = captures.get(0) {
            let start = captures.name("keep").map_or(whole.start(), |keep| keep.end());
            // What somebody redacted before stays as it is.
            let is_marker = text[start..whole.end()].trim_start_matches(['\\', '"', '\'']).starts_with("«redacted:");
            if start < whole.end() && !is_marker {
                add(start..whole.end());
            }
        }
    }
}

/// One secret for those that overlap. The first detector names it; a pattern of the manifest that covers the name of a
/// secret as well leaves that name.
fn merged<'r>(mut found: Vec<Secret<'r>>, text: &str) -> Vec<Secret<'r>> {
    // Stable: of those that start together the first detector comes first.
    found.sort_by_key(|secret| secret.range.start);
    let mut merged: Vec<Secret<'r>> = Vec::with_capacity(found.len());
    for secret in found {
        match merged.last_mut() {
            Some(last) if secret.range.start < last.range.end => {
                last.range.end = last.range.end.max(secret.range.end);
                if last.is_own && !secret.is_own {
                    last.name = secret.name;
                    last.is_own = false;
                    if is_name(&text[last.range.start..secret.range.start]) {
                        last.range.start = secret.range.start;
                    }
                }
            }
            _ => merged.push(secret),
        }
    }
    merged
}

/// A range of a text, with what overlaps a secret replaced.
fn without<'t>(secrets: &[Secret<'_>], text: &'t str, range: Range<usize>) -> Cow<'t, str> {
    let mut out = String::new();
    let mut shown = range.start;
    for secret in secrets.iter().filter(|secret| secret.range.start < range.end && range.start < secret.range.end) {
        out.push_str(&text[shown..secret.range.start.max(shown)]);
        out.push_str("«redacted:");
        out.push_str(secret.name);
        out.push('»');
        shown = secret.range.end.min(range.end);
    }
    if out.is_empty() {
        return Cow::Borrowed(&text[range]);
    }
    out.push_str(&text[shown..range.end]);
    Cow::Owned(out)
}

/// A text in three parts, a range of it in the middle, each without the secrets of the text. A secret that reaches across
/// an end of the range belongs to the range.
pub(super) fn around(text: &str, range: &Range<usize>, secrets: &[Secret<'_>]) -> [String; 3] {
    let cut = |at: usize| secrets.iter().find(|secret| secret.range.start < at && at < secret.range.end);
    let start = cut(range.start).map_or(range.start, |secret| secret.range.start);
    let end = cut(range.end).map_or(range.end, |secret| secret.range.end);
    [0..start, start..end, end..text.len()].map(|part| without(secrets, text, part).into_owned())
}

/// Without the quote that opens a value and the semicolon that ends it.
fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let value = &text[range.clone()];
    let bare = value.trim_start_matches('\\');
    let bare = bare.strip_prefix(['"', '\'']).unwrap_or(value);
    let start = range.end - bare.len();
    start..start + bare.strip_suffix(';').unwrap_or(bare).len()
}

/// Whether a text in front of a secret does nothing but name it.
fn is_name(text: &str) -> bool {
    text.len() <= 40
        && text.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':' | '=' | '"' | '\'' | '\\' | '?' | '&')
        })
}

/// Whether a value is more than the marks that somebody else put there.
fn is_no_marker(value: &str) -> bool {
    value.chars().any(|c| c.is_alphanumeric() || !matches!(c, '*' | '.' | '(' | ')' | '[' | ']' | ' ' | ';'))
}

/// Whether a value behind a colon is no word of a sentence.
fn is_no_prose(value: &str) -> bool {
    let word = value.trim_end_matches(['.', '!', '?', ':', ')']);
    is_no_marker(value) && !PROSE.iter().any(|prose| prose.eq_ignore_ascii_case(word))
}

/// Whether a value is no plain word.
fn looks_made(value: &str) -> bool {
    value.len() > 20 || value.chars().skip(1).any(|c| !c.is_ascii_lowercase() && c != '.')
}

/// Whether a value looks made by a machine: digits, padding, or letters of both cases in disorder.
fn looks_random(value: &str) -> bool {
    let has_digit = value.bytes().any(|b| b.is_ascii_digit());
    let cases: Vec<bool> = value.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.is_ascii_uppercase()).collect();
    has_digit
        || value.ends_with('=')
        || value.len() > 40
        || cases.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

    use super::{DETECTORS, Redactor, signs};
    use crate::model::Pattern;

    #[test]
    fn every_built_in_detector_compiles() {
        assert_eq!(DETECTORS.len(), 13);
    }

    #[test]
    fn secrets_are_replaced_and_their_names_kept() {
        let cases = [
            ("client_secret=abc123~x&scope=a", "client_secret=«redacted:secret»&scope=a"),
            (r#"{"client_secret":"abc123"}"#, r#"{"client_secret":"«redacted:secret»"}"#),
            (r#"{\"client_secret\":\"abc123\",\"a\":1}"#, r#"{\"client_secret\":\"«redacted:secret»\",\"a\":1}"#),
            ("Server=a;Password=p@ss;Database=b", "Server=a;Password=«redacted:secret»;Database=b"),
            ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer «redacted:authorization»"),
            ("AccountKey=AbCd+/==;x", "AccountKey=«redacted:secret»;x"),
            ("https://u:pass@host/x", "https://«redacted:url-password»host/x"),
            ("token eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abc done", "token «redacted:jwt» done"),
            ("?sv=1&sig=Zm9vYmFyYmF6%3D&se=2", "?sv=1&sig=«redacted:signature»&se=2"),
            ("key AKIAIOSFODNN7EXAMPLE", "key «redacted:cloud-key»"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----.", "«redacted:private-key»."),
            ("password=«redacted:secret»", "password=«redacted:secret»"),
        ];
        for (text, expected) in cases {
            assert_eq!(Redactor::default().redact(text), expected);
        }
    }

    #[test]
    fn a_manifest_widens_and_does_not_swallow_names() -> Result<(), crate::model::PatternError> {
        let own =
            [("ticket".to_owned(), Pattern::parse("TKT-[0-9]+")?), ("pw".to_owned(), Pattern::parse(r"password=\S+")?)];
        let redactor = Redactor::new(own);
        assert_eq!(redactor.redact("TKT-77 password=hunter22,x y"), "«redacted:ticket» password=«redacted:secret» y");
        Ok(())
    }

    #[test]
    fn a_part_of_a_secret_is_a_secret() {
        let redactor = Redactor::default();
        let text = "login with password=hunter22 failed";
        let texts = [(text, Some(redactor.secrets(text)))];
        assert_eq!(redactor.redact_value(&text[20..28], &texts), "«redacted:secret»");
        assert_eq!(redactor.redact_value(&text[15..23], &texts), "word=«redacted:secret»");
        assert_eq!(redactor.redact_value("unter22", &texts), "«redacted:secret»");
        assert_eq!(redactor.redact_value(&text[0..5], &texts), "login");
    }

    /// The same cases on every machine.
    fn check<S: Strategy>(
        cases: u32,
        strategy: &S,
        test: impl Fn(S::Value) -> Result<(), TestCaseError>,
    ) -> Result<(), TestError<S::Value>> {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)).run(strategy, test)
    }

    #[test]
    fn every_match_shows_its_sign() {
        for detector in DETECTORS.iter() {
            let pattern = detector.regex.get().as_str();
            // Signs know ASCII letters in any case; other letters must not fold to them.
            assert_eq!(pattern.matches("(?i").count(), pattern.matches("(?i-u").count(), "{pattern}");
            // Matches are made by the pattern; only boundaries cannot be made.
            let free = pattern.replace(r"|\z", "").replace(r"(?-u:\b)", "").replace(r"\b", "");
            let matches = proptest::string::string_regex(&free);
            assert!(matches.is_ok(), "{pattern}: {:?}", matches.err());
            let Ok(matches) = matches else { continue };
            let found = std::cell::Cell::new(0_u32);
            let around = || "([a-zA-Z=:\"&?<@ -]{0,3}|[ -~é\n]{0,20})";
            let outcome = check(1500, &(around(), matches, around()), |(front, secret, behind)| {
                for text in [&secret, &format!("{front}{secret}{behind}"), &format!("{front} {secret} {behind}")] {
                    if detector.regex.get().is_match(text) {
                        found.set(found.get() + 1);
                        prop_assert!(signs::read(text).has(detector.sign), "{:?} is not read: {text:?}", detector.sign);
                    }
                }
                Ok(())
            });
            assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()));
            assert!(found.get() > 1500, "only {} matches of {pattern}", found.get());
        }
    }

    /// Parts of secrets and of what stands around them.
    const PIECES: &[&str] = &[
        "-",
        "-----",
        "BEGIN ",
        "END ",
        "RSA ",
        "PRIVATE KEY",
        " BLOCK",
        "MIIEpQ",
        "authorization",
        "Authorization",
        "bearer",
        "Basic",
        "Token",
        "eyJhbGciOiJI",
        "eyJ",
        ".",
        "%2E",
        "http",
        "://",
        "user",
        ":",
        "@",
        "/",
        "sig",
        "Signature",
        "=",
        "%3D",
        "%3d",
        "%3A",
        "%",
        "code",
        "?",
        "&",
        "amp;",
        "Zm9vYmFyYmF6Zm9vYmFyYmF6",
        "client",
        "secret",
        "assertion",
        "shared",
        "access",
        "account",
        "functions",
        "API",
        "key",
        "Key",
        "value",
        "token",
        "refresh",
        "id",
        "password",
        "PWD",
        "passphrase",
        "passwd",
        "_",
        "-",
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\"",
        "'",
        "\\",
        "\\\"",
        "=>",
        "==",
        ":=",
        "{",
        "}",
        "<",
        ">",
        "</",
        "a:",
        "binarysecuritytoken",
        "AKIA",
        "ASIA",
        "IOSFODNN7EXAMPLE",
        "ghp_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "AIza",
        "sk_",
        "live_",
        "rk_test_",
        "SG.",
        "8Q~",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "é",
        "\u{212a}",
        "\u{17f}",
        ";",
        ",",
        "hunter22",
    ];

    #[test]
    fn no_detector_finds_anything_in_a_text_without_its_sign() {
        let texts = proptest::collection::vec(proptest::sample::select(PIECES), 0..14);
        let found = std::cell::Cell::new(0_u32);
        let outcome = check(20_000, &texts, |pieces| {
            let text = pieces.concat();
            let signs = signs::read(&text);
            for detector in DETECTORS.iter().filter(|detector| !signs.has(detector.sign)) {
                prop_assert!(!detector.regex.get().is_match(&text), "{:?} is not read: {text:?}", detector.sign);
            }
            found.set(found.get() + u32::from(!signs.is_empty()));
            Ok(())
        });
        assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()));
        assert!(found.get() > 2000, "only {} texts show a sign", found.get());
    }

    #[test]
    fn a_part_shows_no_sign_that_the_whole_does_not_show() {
        let texts = proptest::collection::vec(proptest::sample::select(PIECES), 0..14);
        let outcome = check(5_000, &texts, |pieces| {
            let text = pieces.concat();
            let whole = signs::read(&text);
            for (at, _) in text.char_indices() {
                for part in [&text[..at], &text[at..]] {
                    let signs = signs::read(part);
                    let news = DETECTORS.iter().find(|detector| signs.has(detector.sign) && !whole.has(detector.sign));
                    prop_assert!(news.is_none(), "{:?} in {part:?} of {text:?}", news.map(|detector| detector.sign));
                }
            }
            Ok(())
        });
        assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()));
    }

    #[test]
    fn what_only_speaks_of_secrets_shows_no_sign() {
        for text in [
            "The token could not be acquired, error code=77 for key lookup; the secret was not used.",
            "https://graph.example.com:443/v1.0/users/42 answered 502: Bad Gateway",
            "AADSTS7000222: The provided client secret keys for app '1b2c' are expired.",
            "System.TimeoutException: Parameter value: 8f3c2e1a-77b0-4c55-9d0e-1f2a3b4c5d6e, key: 7, a <b> c",
        ] {
            assert!(signs::read(text).is_empty(), "{text}: {:?}", signs::read(text));
        }
    }
}
