//! Values as rule files write them.

use std::fmt::Write as _;

use crate::model::{Attribute, Exception, Failure, is_status};

/// A text in quotes: single ones where something in it would need an escape in double ones.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| !needs_escape(c) && c != '\'';
    if text.contains(['"', '\\']) && text.chars().all(is_plain) && !is_mixed(text) {
        return format!("'{text}'");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let is_mixed = is_mixed(word);
        for c in word.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if needs_escape(c) || (is_mixed && !c.is_ascii()) => {
                    let number = u32::from(c);
                    let _ =
                        if number > 0xffff { write!(out, "\\U{number:08X}") } else { write!(out, "\\u{number:04X}") };
                }
                c => out.push(c),
            }
        }
    }
    out.push('"');
    out
}

/// Whether a reader of the file may not see what the character is.
fn needs_escape(c: char) -> bool {
    const MARKS: &str = "«»‹›‘’‚“”„…–—·•→°€£§±×";
    c.is_control() || (!c.is_ascii() && !c.is_alphanumeric() && !MARKS.contains(c))
}

/// Whether letters beside Latin ones stand in one word with them.
fn is_mixed(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word.contains(|c: char| c.is_ascii_alphabetic()) && word.contains(|c: char| c > '\u{36f}'))
}

/// A key, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

pub(super) fn attribute(value: &Attribute<'_>) -> String {
    match value {
        Attribute::Bool(value) => value.to_string(),
        Attribute::Number(number) => number.to_string(),
        Attribute::Text(text) => quoted(text),
    }
}

/// A failure on one line, as examples have it. What says nothing is left out.
pub(super) fn failure(failure: &Failure<'_>) -> String {
    let mut parts = Vec::new();
    let text = |name: &str, value: &Option<std::borrow::Cow<'_, str>>| {
        let value = value.as_deref().filter(|value| !value.trim().is_empty())?;
        Some(format!("{name} = {}", quoted(value)))
    };
    parts.extend(text("connector", &failure.connector));
    parts.extend(text("operation", &failure.operation));
    parts.extend(text("phase", &failure.phase));
    if !failure.exceptions.is_empty() {
        let exceptions: Vec<_> = failure.exceptions.iter().map(exception).collect();
        parts.push(format!("exceptions = [{}]", exceptions.join(", ")));
    }
    parts.extend(text("message", &failure.message));
    parts.extend(
        failure.http_status.filter(|&status| is_status(status)).map(|status| format!("http_status = {status}")),
    );
    let codes: Vec<_> =
        failure.provider_codes.iter().filter(|code| !code.trim().is_empty()).map(|code| quoted(code)).collect();
    if !codes.is_empty() {
        parts.push(format!("provider_codes = [{}]", codes.join(", ")));
    }
    parts.extend(numbers(&failure.error_numbers));
    if !failure.attributes.is_empty() {
        let pairs = failure.attributes.iter().map(|(name, value)| format!("{} = {}", key(name), attribute(value)));
        parts.push(format!("attributes = {{ {} }}", pairs.collect::<Vec<_>>().join(", ")));
    }
    parts.extend(text("text", &failure.text));
    format!("{{ {} }}", parts.join(", "))
}

fn exception(exception: &Exception<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(name) = exception.type_name.as_deref().filter(|name| !name.trim().is_empty()) {
        parts.push(format!("type = {}", quoted(name)));
    }
    parts.extend(exception.message.as_deref().map(|message| format!("message = {}", quoted(message))));
    let ancestors: Vec<_> =
        exception.ancestors.iter().filter(|name| !name.trim().is_empty()).map(|name| quoted(name)).collect();
    if !ancestors.is_empty() {
        parts.push(format!("ancestors = [{}]", ancestors.join(", ")));
    }
    parts.extend(numbers(&exception.error_numbers));
    parts.extend(exception.parent.map(|parent| format!("parent = {parent}")));
    if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
}

fn numbers(numbers: &[i64]) -> Option<String> {
    let list: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    (!list.is_empty()).then(|| format!("error_numbers = [{}]", list.join(", ")))
}

/// Words as an id: small letters, digits and hyphens.
pub(super) fn kebab(words: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in words.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
                out.push('-');
            }
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
        before = c;
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

#[cfg(test)]
mod tests {
    use super::{kebab, quoted};

    #[test]
    fn texts_stand_in_the_quotes_that_need_no_escape() {
        assert_eq!(quoted("plain"), "\"plain\"");
        assert_eq!(quoted(r#"say "x""#), "'say \"x\"'");
        assert_eq!(quoted("it's \"x\""), r#""it's \"x\"""#);
        assert_eq!(quoted("a\nb\u{a0}c\u{7f}"), "\"a\\nb\\u00A0c\\u007F\"");
        assert_eq!(quoted("Müller сервер"), "\"Müller сервер\"");
        assert_eq!(quoted("sеrver"), "\"s\\u0435rver\"");
    }

    #[test]
    fn ids_are_kebab_case() {
        assert_eq!(kebab("GraphGatewayUnavailable"), "graph-gateway-unavailable");
        assert_eq!(kebab("ErrorItemNotFound"), "error-item-not-found");
        assert_eq!(kebab("Expired client secret (AADSTS7000222)"), "expired-client-secret-aadsts7000222");
        assert_eq!(kebab("404: ÄÖ"), "404");
    }
}
