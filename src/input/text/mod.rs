//! Pasted or logged text in, facts out: what a text states explicitly about a failure.
//!
//! Knows the shapes in which runtimes, loggers, test runners, debuggers and remote services write failures; knows no rule
//! and no product code. Whatever it cannot place stays a sentence.
//!
//! * Exceptions come out as a chain or tree, from the outermost to the innermost, each stated once. A second, separate
//!   exception of the same text is a branch of the first.
//! * Everything said outside of exceptions is the message. A text without exceptions keeps its words as they are; frames,
//!   headers of replies and dividing lines are dropped, frames being kept apart for people.
//! * What a remote side reported (a SOAP fault, an error body) is a message and never an exception of ours. A SOAP fault
//!   adds the provider code `SoapFault`, and its own fault code unless that is one of the SOAP specification.
//! * Status and codes are read only from structure: bodies, status lines, labelled lines. Numbers in sentences are left to
//!   the rule sets.
//!
//! Reading takes time in proportion to the text, which is cut to its head and tail first.

mod bodies;
pub(super) mod body;
pub(super) mod bounds;
mod chain;
mod constructors;
mod frames;
mod header;
pub(super) mod http;
mod json;
mod labelled;
mod labels;
mod lines;
mod marker;
mod markup;
mod memo;
mod pattern;
mod quoting;
mod reader;
mod report;
mod sentences;
pub(super) mod types;
mod xml;

use std::borrow::Cow;

use crate::model::Failure;

pub(crate) use memo::Memo;
use pattern::pattern;
use reader::Reader;
use report::Report;

pattern!(ESCAPED_BREAK, r"\\+r\\+n|\\+n");
pattern!(ESCAPED_FRAME, r"(?:\\+r)?\\+n((?:\s|\\+t)*(?:at\s|---|bei\s))");
pattern!(DEBUG_CODE, r#"\bcode: Some\(\s*"([A-Za-z]\w+)""#);

/// What a pasted text states explicitly.
#[must_use]
pub fn read(text: &str) -> Failure<'static> {
    let mut report = Report::default();
    walk(&bounds::prepare(text), &mut report);
    report.into_failure()
}

/// Reads a prepared text, or one that a logger wrote into a field of a prepared text.
fn walk(text: &str, report: &mut Report) {
    let lifted = bodies::lift(text, report.nesting());
    for found in DEBUG_CODE.captures_iter(&lifted.flat).filter_map(|found| found.get(1)) {
        report.code(found.as_str());
    }
    let flat = unescaped(&lifted.flat);
    let flat = lines::unspaced(&flat).unwrap_or(flat);
    Reader::new(report, &lifted.bodies).read(&flat);
}

/// The text with those escaped line breaks undone that a copy out of a string has left.
fn unescaped(flat: &str) -> String {
    let arrows = if flat.contains('&') {
        Cow::Owned(flat.replace("---&gt;", "--->").replace("&lt;---", "<---"))
    } else {
        Cow::Borrowed(flat)
    };
    if !arrows.contains('\n') && arrows.contains("\\r\\n") {
        return ESCAPED_BREAK.replace_all(&arrows, "\n").into_owned();
    }
    ESCAPED_FRAME.replace_all(&arrows, "\n$1").into_owned()
}
