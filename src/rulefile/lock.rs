//! `faultbook.lock`: the exact files of a published set, a line each as `sha256sum` writes them.
//!
//! A set that has one is used as a whole or not at all: a file that is cut off, missing, too many or of another version
//! does not fit. `sha256sum --check faultbook.lock` tells the same.

use std::fmt::Write as _;
use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::diagnostic::{Diagnostic, Source, Sources, Span, lints};

/// The lock file's name.
pub const LOCK: &str = "faultbook.lock";

/// SHA-256 in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The text of the lock for files and their digests.
#[cfg(feature = "cli")]
#[must_use]
pub fn write(digests: &[(String, String)]) -> String {
    let mut lines: Vec<String> = digests.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
    format!("# The files of this rule set. Written by `faultbook publish`; do not edit.\n{}", lines.concat())
}

/// Compares the files that were read with their lock, and keeps what does not fit as findings.
pub fn compare(sources: &mut Sources, text: String) {
    let id = sources.push(Source { name: LOCK.to_owned(), text, is_refused: true });
    let mut findings = Vec::new();
    let mut finding = |range: Range<usize>, message: String| {
        let help = "Put back what the lock names, or run `faultbook publish DIR` when the files are as they should be.";
        findings.push(Diagnostic::new(lints::LOCK_MISMATCH, Span { source: id, range }, message).help(help));
    };
    let text = &sources.get(id).text;
    let mut locked = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.trim_end().len();
        at += line.len();
        match read_line(line) {
            Some(None) => {}
            Some(Some(entry)) => locked.push((entry, range)),
            None => {
                finding(range, "this is no line of a lock: 64 hexadecimal digits, two spaces, a file name".to_owned());
            }
        }
    }
    for ((digest, name), range) in &locked {
        match sources.digests().iter().find(|(read, _)| read == name) {
            Some((_, read)) if read.eq_ignore_ascii_case(digest) => {}
            Some(_) => finding(range.clone(), format!("`{name}` is not the file that was published")),
            None => finding(range.clone(), format!("`{name}` was published and is not there, or cannot be read")),
        }
    }
    for (name, _) in sources.digests() {
        if locked.iter().all(|((_, locked), _)| locked != name) {
            finding(0..0, format!("`{name}` was not published with this set"));
        }
    }
    sources.set_locked(findings.is_empty());
    for finding in findings {
        sources.add_finding(finding);
    }
}

/// Digest and name of a line; an empty one inside for blank lines and comments.
#[expect(clippy::option_option, reason = "no line, a line without a file, a line with one")]
fn read_line(line: &str) -> Option<Option<(&str, &str)>> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return Some(None);
    }
    let (digest, name) = line.split_once("  ")?;
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_digest && !name.is_empty()).then_some(Some((digest, name)))
}
