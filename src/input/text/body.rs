//! What a body says: codes and status of a remote side, exceptions that a program wrote as JSON, sentences.
//!
//! Knows keys, not syntax. What a remote side reports is never an exception of ours: under `error` everything is a
//! sentence, and only an object that names its own type as an exception states one.

use crate::input::exception::{self, Found, Stated};
use crate::input::value::Value;

use super::bodies;
use super::bounds::NESTING_LIMIT;
use super::frames;
use super::http;

/// What one lifted body says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Body {
    /// The body as pasted.
    pub(super) raw: String,
    /// Sentences, in order.
    pub(super) said: Vec<String>,
    /// Texts of a log record, which may hold whole exceptions.
    pub(super) logged: Vec<String>,
    /// Exceptions that the body spells out.
    pub(super) exceptions: Vec<Stated>,
    /// Codes of the remote side.
    pub(super) codes: Vec<String>,
    /// The HTTP status.
    pub(super) status: Option<u16>,
    /// Whether nothing is to be kept of the body when it has no sentences.
    pub(super) silent: bool,
}

/// Keys whose text is a sentence, however short.
const SENTENCES: &[&str] = &[
    "message",
    "errormessage",
    "errmessage",
    "msg",
    "errormsg",
    "errordescription",
    "description",
    "errordetail",
    "detail",
    "details",
    "title",
    "reason",
    "faultstring",
    "text",
    "usermessage",
    "developermessage",
    "exceptionmessage",
    "m",
    "mt",
    "rendered",
    "renderedmessage",
    "summary",
    "diagnostics",
    "internalmessage",
    "value",
];
/// Parts of keys whose text is not about the failure.
const NOISE: &[&str] = &[
    "stack",
    "trace",
    "timestamp",
    "uri",
    "url",
    "requestid",
    "correlation",
    "header",
    "agent",
    "assembly",
    "callsite",
    "token",
    "secret",
    "password",
    "authorization",
    "instance",
    "documentation",
    "helplink",
    "watson",
    "machinename",
    "schema",
];
/// Keys that a logger writes a whole exception under.
const LOGGED: &[&str] = &[
    "x",
    "exception",
    "exceptions",
    "exceptiondetail",
    "exceptiondetails",
    "exceptionstring",
    "exceptiontext",
    "exceptionstacktrace",
    "errorstacktrace",
    "fullexception",
];
/// Keys that make an object a log record rather than a body.
const RECORD: &[&str] =
    &["@t", "@l", "@x", "@mt", "level", "loglevel", "severitylevel", "logger", "messagetemplate", "sourcecontext"];

/// Reads a value that stands in a text as `raw`, nested in so many others.
pub(super) fn read(value: &Value, raw: &str, nesting: usize) -> Body {
    let mut body = Body { raw: raw.to_owned(), ..Body::default() };
    let mut found = Found::default();
    if exception::read(value, &mut found) {
        body.found(found);
    } else {
        walk(value, Place { remote: false, top: true, nesting }, &mut body);
    }
    body
}

#[derive(Clone, Copy)]
struct Place {
    remote: bool,
    top: bool,
    nesting: usize,
}

fn walk(value: &Value, place: Place, body: &mut Body) {
    match value {
        Value::Array(items) => {
            for item in items {
                walk(item, place, body);
            }
        }
        Value::Object(members) => {
            if place.top {
                top_facts(value, body);
            }
            for (key, member) in members {
                member_of(value, key, member, place, body);
            }
        }
        Value::Text(_) | Value::Bare(_) => {}
    }
}

fn member_of(object: &Value, key: &str, member: &Value, place: Place, body: &mut Body) {
    let norm = normal(key);
    if NOISE.iter().any(|noise| norm.contains(noise)) && !LOGGED.contains(&norm.as_str()) {
        return;
    }
    let record = RECORD.iter().any(|name| object.get(name).is_some());
    match member {
        Value::Text(text) if !place.remote && LOGGED.contains(&norm.as_str()) => {
            body.logged.push(text.clone());
        }
        Value::Text(text) if record && SENTENCES.contains(&norm.as_str()) => {
            body.logged.push(text.clone());
        }
        Value::Text(text) => sentence(&norm, text, place, body),
        Value::Object(_) | Value::Array(_) => {
            let error =
                place.top && matches!(norm.as_str(), "error" | "odataerror" | "fault" | "errors" | "innererror");
            if error {
                error_facts(member, body);
            }
            let wrapper = place.top && matches!(norm.as_str(), "response" | "body" | "data" | "responsebody");
            if wrapper {
                body.status = body.status.or_else(|| status_of(member));
            }
            let mut found = Found::default();
            if !place.remote && !error && exception::read_member(&norm, member, &mut found) {
                body.found(found);
                return;
            }
            let remote = place.remote || error;
            walk(
                member,
                Place {
                    remote, // Many things are called data; an error in it tells that it is a body.
                    top: wrapper && (norm != "data" || member.get("error").is_some()),
                    nesting: place.nesting,
                },
                body,
            );
        }
        Value::Bare(_) => {}
    }
}

/// Facts of the outermost object of a body.
fn top_facts(object: &Value, body: &mut Body) {
    if let Some(code) = object.get("error").and_then(Value::text) {
        push_code(code, body);
    }
    for key in ["error_codes", "errorCodes"] {
        if let Some(Value::Array(numbers)) = object.get(key) {
            for number in numbers.iter().filter_map(Value::number).filter(|n| *n > 0) {
                push_code(&format!("AADSTS{number}"), body);
            }
        }
    }
    let worded = ["message", "error_description", "errorMessage", "error", "title", "detail", "msg", "error_message"]
        .iter()
        .any(|key| object.get(key).is_some());
    // An error object of Node has a code of the operating system, not of a remote side.
    let local = ["errno", "syscall", "stack"].iter().any(|key| object.get(key).is_some());
    if worded && !local {
        for key in ["code", "error_code", "errorCode", "ErrorCode", "err_code", "ResponseCode"] {
            if let Some(code) = object.get(key).and_then(Value::text) {
                push_code(code, body);
            }
        }
    }
    if let Some(status) = status_of(object)
        && (worded || status >= 400)
    {
        body.status = body.status.or(Some(status));
    }
}

/// Facts of what stands under `error`, and of the inner errors below it.
fn error_facts(error: &Value, body: &mut Body) {
    let mut level = Some(error);
    for depth in 0..8 {
        let Some(object) = level else { break };
        if let Value::Array(items) = object {
            for item in items.iter().take(8) {
                error_facts(item, body);
            }
            return;
        }
        for key in ["code", "errorCode", "status"] {
            match object.get(key) {
                Some(Value::Text(code)) => push_code(code, body),
                Some(Value::Bare(number)) if depth == 0 => {
                    let status = number.parse().ok().filter(|n| (400..600).contains(n));
                    body.status = body.status.or(status);
                }
                _ => {}
            }
        }
        if body.status.is_none() && depth == 0 {
            body.status = status_of(object);
        }
        level = object.get("innererror").or_else(|| object.get("inner_error"));
    }
}

fn status_of(object: &Value) -> Option<u16> {
    ["status", "statusCode", "status_code", "httpStatusCode", "http_status", "httpStatus"]
        .iter()
        .find_map(|key| object.get(key)?.number())
        .and_then(|n| u16::try_from(n).ok())
        .filter(|n| (100..600).contains(n))
}

fn sentence(norm: &str, text: &str, place: Place, body: &mut Body) {
    let text = text.trim();
    if text.contains(['{', '<']) && place.nesting < NESTING_LIMIT {
        let lifted = bodies::lift(text, place.nesting + 1);
        if !lifted.bodies.is_empty() {
            for inner in &lifted.bodies {
                body.adopt(inner);
            }
            keep(&lifted.expanded(), body);
            return;
        }
    }
    let words = text.split_whitespace().take(3).count();
    if !text.is_empty() && (words >= 3 || SENTENCES.contains(&norm) || (norm == "error" && words == 2)) {
        keep(text, body);
    }
}

fn keep(text: &str, body: &mut Body) {
    let said: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !frames::is_frame(line)).collect();
    let said = said.join("\n");
    body.status = body.status.or_else(|| http::printed(&said));
    if !said.is_empty() && !body.said.contains(&said) {
        body.said.push(said);
    }
}

impl Body {
    /// Takes over what a body inside this one says, except its sentences.
    pub(super) fn adopt(&mut self, inner: &Body) {
        for code in &inner.codes {
            push_code(code, self);
        }
        self.status = self.status.or(inner.status);
    }

    /// Takes over what exceptions of the body say.
    fn found(&mut self, found: Found) {
        let first = self.exceptions.len();
        self.exceptions.extend(
            found.exceptions.into_iter().map(|stated| Stated { parent: stated.parent.map(|p| p + first), ..stated }),
        );
        self.said.extend(found.said);
        for code in found.codes {
            push_code(&code, self);
        }
        self.status = self.status.or(found.status);
    }

    /// The sentences, or the body itself when nobody would miss its braces.
    pub(super) fn words(&self) -> String {
        if self.said.is_empty() && self.logged.is_empty() && !self.silent && self.exceptions.is_empty() {
            return self.raw.clone();
        }
        self.said.join("\n")
    }
}

/// Adds a code of the remote side, when it is one: a word that begins with a letter.
pub(super) fn push_code(code: &str, body: &mut Body) {
    if let Some(code) = code_word(code)
        && !body.codes.iter().any(|known| known == code)
    {
        body.codes.push(code.to_owned());
    }
}

/// The code in a text that should be one.
pub(in crate::input) fn code_word(code: &str) -> Option<&str> {
    let code = code.trim();
    let worded = code.starts_with(|c: char| c.is_ascii_alphabetic())
        && (2..=160).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b':'));
    let empty =
        ["error", "null", "none", "true", "false", "exception", "undefined", "fail", "failed", "failure", "string"]
            .iter()
            .any(|word| code.eq_ignore_ascii_case(word));
    (worded && !empty).then_some(code)
}

/// A key without the marks that products disagree about.
pub(super) fn normal(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
