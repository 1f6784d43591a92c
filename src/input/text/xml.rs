//! SOAP faults, HTML error pages and other XML replies.
//!
//! A fault is what a remote side said, so its text is a sentence and never an exception of ours. Every fault adds the
//! code `SoapFault` beside its own, which rules can ask for; the codes of the SOAP specification itself (`Client`,
//! `Server`, `Sender`, `Receiver`, …) say nothing more and are dropped.

use regex::Match;

use super::body::{self, Body};
use super::http;
use super::markup;
use super::pattern::pattern;

/// The code that every SOAP fault has.
pub(super) const SOAP_FAULT: &str = "SoapFault";

pattern!(
    OPEN,
    r"<(?:\?xml\b|!DOCTYPE (?:html|HTML)|(?:html|HTML)\b|(?:[A-Za-z][\w-]*:)?(?:Envelope|Fault)\b|[A-Za-z][\w-]*:Body\b|(?:[a-z]+:)?[Ee]rror(?:Response)?(?: xmlns[^>]*)?>)"
);
pattern!(ROOT, r"<([A-Za-z][\w.:-]*)");
pattern!(FAULT, r"<(?:[A-Za-z][\w-]*:)?(?:faultstring|faultcode|Fault>\s*<(?:[A-Za-z][\w-]*:)?(?:Code|Reason))\b");
pattern!(FAULT_STRING, r"<(?:\w[\w-]*:)?faultstring\b[^>]*>");
pattern!(REASON, r"<(?:\w[\w-]*:)?Reason\b[^>]*>\s*<(?:\w[\w-]*:)?Text\b[^>]*>");
pattern!(FAULT_CODE, r"<(?:\w[\w-]*:)?faultcode\b[^>]*>");
pattern!(VALUE, r"<(?:\w[\w-]*:)?Value\b[^>]*>");
pattern!(DETAIL, r"(?s)<(?:\w[\w-]*:)?[Dd]etail\b[^>]*>(.*?)(?:</(?:\w[\w-]*:)?[Dd]etail>|$)");
pattern!(HEADING, r"(?is)<(?:title|h1|h2|h3)\b[^>]*>(.*?)</(?:title|h1|h2|h3)>");
pattern!(CODE, r"<(?:\w+:)?[Cc]ode\b[^>]*>\s*([A-Za-z][\w.]+)\s*<");

/// The most beginnings of documents that are tried.
const START_LIMIT: usize = 256;
/// The longest opening tag.
const TAG_LIMIT: usize = 2048;

/// Codes that every SOAP stack has.
const GENERIC: &[&str] = &[
    "Client",
    "Server",
    "Sender",
    "Receiver",
    "VersionMismatch",
    "MustUnderstand",
    "DataEncodingUnknown",
    "ServerFaultCode",
    "Fault",
];

/// Where documents may begin, in order.
pub(super) fn starts(text: &str) -> Vec<usize> {
    OPEN.find_iter(text).map(|found| found.start()).take(START_LIMIT).collect()
}

/// Where the document at `at` ends; `None` when a sentence only mentions an element.
pub(super) fn end(text: &str, at: usize) -> Option<usize> {
    let mut from = at;
    while text[from..].starts_with("<?") || text[from..].starts_with("<!") {
        // A declaration: the document itself follows it.
        let Some(close) = text[from..].find('>') else {
            return Some(text.len());
        };
        from += close + 1;
        from += text[from..].len() - text[from..].trim_start().len();
    }
    let Some(root) = ROOT.captures_at(text, from).filter(|found| found.get(0).is_some_and(|all| all.start() == from))
    else {
        return (from > at).then_some(from);
    };
    let close = format!("</{}>", root.get(1).map_or("", |name| name.as_str()));
    let rest = &text[from..];
    // Without an end of the tag near by there is no element, and searching further would not pay.
    let tag = rest.bytes().take(TAG_LIMIT).position(|b| b == b'>')?;
    if let Some(found) = rest.find(&close) {
        return Some(from + found + close.len());
    }
    (from > at || rest[tag + 1..].trim_start().starts_with('<')).then_some(text.len())
}

/// Reads the document that stands in a text as `raw`.
pub(super) fn read(raw: &str) -> Body {
    let mut body = Body { raw: raw.to_owned(), silent: true, ..Body::default() };
    if FAULT.is_match(raw) {
        read_fault(raw, &mut body);
    } else {
        body.status = HEADING
            .captures_iter(raw)
            .filter_map(|found| found.get(1))
            .find_map(|heading| http::page_status(&markup::words(heading.as_str())));
        if let Some(code) = CODE.captures(raw).and_then(|found| found.get(1)) {
            body::push_code(code.as_str(), &mut body);
        }
        let words = markup::words(raw);
        if !words.is_empty() {
            body.said.push(words);
        }
    }
    body
}

fn read_fault(raw: &str, body: &mut Body) {
    // What stands behind a tag up to the next one, or up to the next that closes something.
    let behind = |tag: Match<'_>, next: &str| raw[tag.end()..].split(next).next().unwrap_or_default();
    let codes = FAULT_CODE.find_iter(raw).chain(VALUE.find_iter(raw));
    for code in codes.map(|tag| behind(tag, "<").trim_ascii()).filter(|code| !code.is_empty()).take(4) {
        let code = code.rsplit(':').next().unwrap_or(code);
        if !GENERIC.contains(&code) {
            body::push_code(code, body);
        }
    }
    body::push_code(SOAP_FAULT, body);
    let said = FAULT_STRING.find(raw).or_else(|| REASON.find(raw));
    let said = said.map(|tag| markup::words(behind(tag, "</"))).unwrap_or_default();
    let detail = DETAIL
        .captures(raw)
        .and_then(|found| found.get(1))
        .map(|text| markup::words(text.as_str()))
        .unwrap_or_default();
    if !said.is_empty() {
        body.said.push(said.clone());
    }
    for line in detail.lines() {
        // A detail repeats the fault, or lists keys and types; only further sentences are worth keeping.
        if line.split_whitespace().count() >= 3 && !said.contains(line) {
            body.said.push(line.to_owned());
        }
    }
}
