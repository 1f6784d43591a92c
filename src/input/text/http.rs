//! Where a text states an HTTP status outright: status lines, `Status Code:` lines, headings of error pages.
//!
//! Numbers inside sentences are not read here; rule sets say which of those count.

use super::pattern::pattern;

pattern!(STATUS_LINE, r"(?:^|[\s>])HTTP/\d(?:\.\d)? ([1-5]\d\d)\b( [A-Z][A-Za-z' -]*)?");
pattern!(CODE_LINE, r"(?i)^\W{0,3}(?:http ?)?status ?code ?:? ?\[?(\d{3}|[a-z]+)\b\]?(.?)");
pattern!(STATUS_FIELD, r#"(?i)^["']?(?:\w{1,20}_)?status(?:_?code)?["']?\s?[:=]\s?(\d{3})\b(?: \(([\w ]+)\))?,?$"#);
pattern!(MSAL_CODE, r", StatusCode: (\d{3})\b");
pattern!(RESPONSE, r"\bStatusCode: (\d{3}), ReasonPhrase:");
pattern!(BARE, r"^([1-5]\d\d)(?:\s?[:-]?\s([A-Z][A-Za-z' -]+))?\.?$");
pattern!(
    PAGE,
    r"(?i)^(?:http )?(?:error |status )?(?:code )?(?:- )?([45]\d\d)\b[\s.:!|()\w-]*|\b(?:error|http status|status) ([45]\d\d)\b"
);
pattern!(HEADER, r"^[A-Za-z][A-Za-z0-9-]+\s?:(?: |$)");
pattern!(
    INLINE_HEADER,
    r"(?i) (?:connection|date|server|content-type|content-length|cache-control|x-[a-z-]+|set-cookie|transfer-encoding|vary|keep-alive|pragma|expires|retry-after|www-authenticate): "
);

/// The names of `System.Net.HttpStatusCode` that differ from nothing but spaces from the reason phrases.
const NAMES: &[(u16, &str)] = &[
    (200, "ok"),
    (201, "created"),
    (202, "accepted"),
    (204, "nocontent"),
    (301, "movedpermanently"),
    (301, "moved"),
    (302, "found"),
    (302, "redirect"),
    (304, "notmodified"),
    (307, "temporaryredirect"),
    (308, "permanentredirect"),
    (400, "badrequest"),
    (401, "unauthorized"),
    (402, "paymentrequired"),
    (403, "forbidden"),
    (404, "notfound"),
    (405, "methodnotallowed"),
    (406, "notacceptable"),
    (407, "proxyauthenticationrequired"),
    (408, "requesttimeout"),
    (409, "conflict"),
    (410, "gone"),
    (411, "lengthrequired"),
    (412, "preconditionfailed"),
    (413, "requestentitytoolarge"),
    (413, "payloadtoolarge"),
    (413, "contenttoolarge"),
    (414, "requesturitoolong"),
    (414, "uritoolong"),
    (415, "unsupportedmediatype"),
    (416, "requestedrangenotsatisfiable"),
    (417, "expectationfailed"),
    (421, "misdirectedrequest"),
    (422, "unprocessableentity"),
    (422, "unprocessablecontent"),
    (423, "locked"),
    (424, "faileddependency"),
    (426, "upgraderequired"),
    (428, "preconditionrequired"),
    (429, "toomanyrequests"),
    (431, "requestheaderfieldstoolarge"),
    (451, "unavailableforlegalreasons"),
    (500, "internalservererror"),
    (501, "notimplemented"),
    (502, "badgateway"),
    (503, "serviceunavailable"),
    (503, "servicetemporarilyunavailable"),
    (504, "gatewaytimeout"),
    (505, "httpversionnotsupported"),
    (507, "insufficientstorage"),
    (511, "networkauthenticationrequired"),
];

/// A status line of a raw reply, and the part of the line that is not headers.
pub(super) fn status_line(line: &str) -> Option<(u16, &str)> {
    if !line.contains("HTTP/") {
        return None;
    }
    let found = STATUS_LINE.captures(line)?;
    let status = found.get(1)?.as_str().parse().ok()?;
    let behind = found.get(1)?.end();
    let end = INLINE_HEADER.find_at(line, behind).map_or(line.len(), |header| header.start());
    Some((status, &line[..end]))
}

/// A status that a line states and hardly anything else.
pub(super) fn stated(line: &str) -> Option<u16> {
    // Every form holds the word, in one spelling or another.
    if !(line.contains("tatus") || line.contains("STATUS")) {
        return None;
    }
    if let Some(found) = CODE_LINE.captures(line) {
        let value = found.get(1)?.as_str();
        // A sentence that begins with the words goes on; a line of a report ends or lists.
        if value.starts_with(|c: char| c.is_ascii_digit()) || found.get(2).is_none_or(|c| c.as_str().is_empty()) {
            return number(value).or_else(|| named(value));
        }
        return None;
    }
    let found = STATUS_FIELD.captures(line).or_else(|| MSAL_CODE.captures(line)).or_else(|| RESPONSE.captures(line))?;
    number(found.get(1)?.as_str())
}

/// The status of a reply that .NET printed as an object: `StatusCode: 415, ReasonPhrase: …`.
pub(super) fn printed(text: &str) -> Option<u16> {
    if !text.contains("ReasonPhrase") {
        return None;
    }
    number(RESPONSE.captures(text)?.get(1)?.as_str())
}

/// A line that is a status and its name, as in `404 Not Found`; the number alone counts only before a body.
pub(super) fn bare(line: &str, before_body: bool) -> Option<u16> {
    if !line.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let found = BARE.captures(line)?;
    let status = number(found.get(1)?.as_str())?;
    match found.get(2) {
        Some(phrase) => (named(phrase.as_str()) == Some(status)).then_some(status),
        None => (before_body && status >= 400).then_some(status),
    }
}

/// The status in the heading of an error page.
pub(super) fn page_status(heading: &str) -> Option<u16> {
    let found = PAGE.captures(heading)?;
    number(found.get(1).or_else(|| found.get(2))?.as_str())
}

/// Whether a line is a header.
pub(super) fn is_header(line: &str) -> bool {
    HEADER.is_match(line)
}

fn number(digits: &str) -> Option<u16> {
    digits.parse().ok().filter(|n| (100..600).contains(n))
}

/// The status with this name or reason phrase.
pub(in crate::input) fn named(phrase: &str) -> Option<u16> {
    let name: String = phrase.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.iter().find(|(_, known)| *known == name).map(|(status, _)| *status)
}
