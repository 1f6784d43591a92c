//! The shape of a failure: what it has in common with others of its kind, and a fingerprint of that.
//!
//! The fingerprint is stable: it depends on the failure, on redaction and on this file, never on the rules, on time or
//! on the machine. `tests/suite/spool.rs` pins it; a change of it takes a new number in [`DOMAIN`], since the counts of
//! one shape would stand in two places otherwise.
//!
//! A shape is made of
//!
//! * connector, operation and phase;
//! * HTTP status, provider codes and error numbers, as sets;
//! * for each exception, from the outermost on, its plain type name, its numbers and the skeleton of its message
//!   (`skeleton`: the words, without what differs from failure to failure);
//! * the skeleton of the message;
//! * names of attributes, and the values of those that are truth values.
//!
//! What a pasted text states counts where nothing was sent, so that a failure has one shape in both forms. Ids, stack
//! frames and ancestors belong to no shape.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::diagnostic::floor_char_boundary;
use crate::input::text;
use crate::model::{Attribute, Exception, Failure, TypeName, excerpt, is_opaque, limits, skeleton};
use crate::ruleset::RuleSet;

/// What is hashed first.
const DOMAIN: &[u8] = b"faultbook shape 1";
/// Bytes of a word (a connector, a type, a code) that are looked at.
const WORD_BYTES: usize = 200;
/// Codes, numbers and attributes, each, that are looked at.
const FACTS: usize = 16;
/// Bytes of the outline's JSON.
pub(super) const OUTLINE_BYTES: usize = 768;

/// What tells shapes apart: 128 bits, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number
            .map(|number| Self(number.to_be_bytes()))
            .ok_or_else(|| "a fingerprint has 32 digits of `0-9 a-f`".to_owned())
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A shape in short, for people; the fingerprint is made of more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outline {
    /// The connector that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// What the connector was doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The layer that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The HTTP status of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The first codes of the remote side.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provider_codes: Vec<String>,
    /// The first error numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_numbers: Vec<i64>,
    /// The types of the first exceptions, from the outermost on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<String>,
    /// The first attributes: names, and the values of those that are truth values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// The words of the message, of the innermost exception when nothing is said outside of exceptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether these are records that could not be read; `message` says why.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl Outline {
    /// As JSON, at most [`OUTLINE_BYTES`] long.
    pub(super) fn to_json(&self) -> String {
        let json = |outline: &Self| serde_json::to_string(outline).unwrap_or_default();
        let full = json(self);
        if full.len() <= OUTLINE_BYTES {
            return full;
        }
        // Only records that are made to be odd come here.
        let cut = |text: &String, bytes| text[..floor_char_boundary(text, bytes)].to_owned();
        let least = Self {
            connector: self.connector.as_ref().map(|word| cut(word, 16)),
            http_status: self.http_status,
            exceptions: self.exceptions.iter().take(1).map(|name| cut(name, 40)).collect(),
            message: self.message.as_ref().map(|message| cut(message, 40)),
            unreadable: self.unreadable,
            ..Self::default()
        };
        json(&least)
    }
}

/// The shape of a failure.
pub(super) fn shape(rules: &RuleSet, failure: &Failure<'_>) -> (Fingerprint, Outline) {
    let stated = failure.text.as_deref().map(|text| {
        // Reading drops lines: what is a secret is told before.
        text::read(&rules.redacted(excerpt(text).as_deref().unwrap_or(text)))
    });
    let stated = stated.as_ref();
    let mut hash = Hash::new();
    let mut outline = Outline {
        connector: hash.word("connector", rules, failure.connector.as_deref()),
        operation: hash.word("operation", rules, failure.operation.as_deref()),
        phase: hash.word("phase", rules, failure.phase.as_deref()),
        http_status: failure.http_status.or_else(|| stated?.http_status),
        ..Outline::default()
    };
    if let Some(status) = outline.http_status {
        hash.field("http_status", &status.to_string());
    }
    let codes = sent_or(&failure.provider_codes, stated.map(|stated| &stated.provider_codes[..]));
    outline.provider_codes = provider_codes(rules, codes, &mut hash);
    let numbers = sent_or(&failure.error_numbers, stated.map(|stated| &stated.error_numbers[..]));
    outline.error_numbers = error_numbers(numbers, &mut hash);
    let exceptions = sent_or(&failure.exceptions, stated.map(|stated| &stated.exceptions[..]));
    let innermost = chain(rules, exceptions, &mut outline, &mut hash);
    let message = failure.message.as_deref().or_else(|| stated?.message.as_deref());
    let message = message.map(|message| words(rules, message)).filter(|words| !words.is_empty());
    if let Some(message) = &message {
        hash.field("message", message);
    }
    outline.message = message.or(innermost);
    outline.attributes = attributes(rules, failure, &mut hash);
    (hash.finish(), outline)
}

/// The shape of a record that could not be read, by the reason alone.
pub(super) fn unreadable(rules: &RuleSet, error: &str) -> (Fingerprint, Outline) {
    let mut hash = Hash::new();
    let message = words(rules, error);
    hash.field("unreadable", &message);
    (hash.finish(), Outline { message: Some(message), unreadable: true, ..Outline::default() })
}

/// Facts that were sent, or else those that a text states.
fn sent_or<'t, T>(sent: &'t [T], stated: Option<&'t [T]>) -> &'t [T] {
    if sent.is_empty() { stated.unwrap_or_default() } else { sent }
}

fn provider_codes(rules: &RuleSet, codes: &[Cow<'_, str>], hash: &mut Hash) -> Vec<String> {
    let mut codes: Vec<String> = codes
        .iter()
        .take(limits::FACTS)
        .map(|code| word(rules, code))
        .map(|code| if is_opaque(&code) { "<id>".to_owned() } else { code })
        .filter(|code| !code.is_empty())
        .collect();
    // Compared as rules compare them.
    codes.sort_by_key(|code| code.to_ascii_lowercase());
    codes.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    codes.truncate(FACTS);
    for code in &codes {
        hash.field("provider_code", &code.to_ascii_lowercase());
    }
    codes.truncate(4);
    codes
}

fn error_numbers(numbers: &[i64], hash: &mut Hash) -> Vec<i64> {
    let mut numbers: Vec<i64> = numbers.iter().copied().take(limits::FACTS).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(FACTS);
    for number in &numbers {
        hash.field("error_number", &number.to_string());
    }
    numbers.truncate(4);
    numbers
}

/// The exceptions that the matcher looks at; the words of the innermost that says something.
fn chain(rules: &RuleSet, exceptions: &[Exception<'_>], outline: &mut Outline, hash: &mut Hash) -> Option<String> {
    let mut innermost = None;
    let outer = exceptions.iter().take(limits::CAUSES - 1);
    for exception in outer.chain(exceptions.iter().skip(limits::CAUSES - 1).next_back()) {
        let name = exception.type_name.as_deref().and_then(TypeName::parse);
        let name = name.map(|name| word(rules, name.full())).unwrap_or_default();
        let words = exception.message.as_deref().map(|message| words(rules, message)).unwrap_or_default();
        hash.field("exception", &name);
        hash.field("says", &words);
        let numbers = error_numbers(&exception.error_numbers, hash);
        if outline.error_numbers.len() < 4 {
            outline.error_numbers.extend(numbers);
            outline.error_numbers.truncate(4);
        }
        if outline.exceptions.len() < 4 && !name.is_empty() {
            outline.exceptions.push(name);
        }
        if !words.is_empty() {
            innermost = Some(words);
        }
    }
    innermost
}

fn attributes(rules: &RuleSet, failure: &Failure<'_>, hash: &mut Hash) -> Vec<String> {
    let mut shown = Vec::new();
    for (name, value) in failure.attributes.iter().take(FACTS) {
        let name = word(rules, name);
        hash.field("attribute", &name);
        if let Attribute::Bool(value) = value {
            hash.field("is", if *value { "true" } else { "false" });
            shown.push(format!("{name}={value}"));
        } else {
            shown.push(name);
        }
    }
    shown.truncate(4);
    shown
}

/// The words of a message, without secrets.
fn words(rules: &RuleSet, message: &str) -> String {
    skeleton(&rules.redacted(excerpt(message).as_deref().unwrap_or(message)))
}

/// A word without secrets, cut.
fn word(rules: &RuleSet, word: &str) -> String {
    let word = excerpt(word).map_or(Cow::Borrowed(word), Cow::Owned);
    let redacted = rules.redacted(word.trim());
    redacted[..floor_char_boundary(&redacted, WORD_BYTES)].to_owned()
}

/// What a fingerprint is made of, field by field.
struct Hash(Sha256);

impl Hash {
    fn new() -> Self {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        Self(hash)
    }

    /// Adds a field. Lengths keep a value from running into the next name.
    fn field(&mut self, name: &str, value: &str) {
        for part in [name, value] {
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }

    /// Adds a word that was sent; blank ones were not.
    fn word(&mut self, name: &str, rules: &RuleSet, sent: Option<&str>) -> Option<String> {
        let word = word(rules, sent?);
        if word.is_empty() {
            return None;
        }
        self.field(name, &word);
        Some(word)
    }

    fn finish(self) -> Fingerprint {
        let digest = self.0.finalize();
        let mut bytes = [0; 16];
        for (byte, of_digest) in bytes.iter_mut().zip(digest) {
            *byte = of_digest;
        }
        Fingerprint(bytes)
    }
}
