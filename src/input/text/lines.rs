//! What loggers and test runners write before a line: stamps, levels, categories, quote marks.
//!
//! Knows prefixes only; what the rest of the line says is read elsewhere.

use super::pattern::pattern;

pattern!(QUOTED, r"^(?:[>|]\s|E {3,}|//\s)");
pattern!(
    STAMP,
    r"(?x)^ [\[(]? (?:
        \d{4}[-/.]\d{2}[-/.]\d{2} (?: [T\ _,]+ \d{1,2}:\d{2} (?: :\d{2} (?:[.,:]\d{1,9})? )? )? (?: Z | \ ?[+-]\d{2}:?\d{2} )?
      | \d{1,2}[/.-]\d{1,2}[/.-]\d{2,4},? \ + \d{1,2}:\d{2} (?: :\d{2} (?:[.,]\d{1,9})? )? (?: \ ?[AaPp]\.?[Mm]\.? )?
      | \d{2}-\d{2}\ \d{2}:\d{2}:\d{2}\.\d{3}
      | (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\ (?:[A-Z][a-z]{2}\ +\d{1,2}|\d{1,2}\ [A-Z][a-z]{2})[\ \d:]*
      | (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\ +\d{1,2}\ \d{2}:\d{2}:\d{2}
      | \d{1,2}:\d{2}:\d{2} (?:[.,]\d{1,9})?
    ) [\])]? (?: \s*[|:\-]\s | \|{1,2} | :?\s+ | $ )"
);
pattern!(
    LEVEL,
    r"(?x)^ (?:
        [\[(<|] \s? (?: \d{2}:\d{2}:\d{2}(?:[.,]\d{1,7})?\ )? (?i: err|error|fatal|ftl|warn|wrn|warning|info|inf|information|dbg|debug|trace|trc|vrb|verbose|crit|critical|severe|notice ) \s? [\])>|] :?
      | (?: ERR|ERROR|FATAL|FTL|WARN|WRN|WARNING|INFO|INF|INFORMATION|DBG|DEBUG|TRACE|CRITICAL|SEVERE|ERRO ) (?: \s*[|:\-] | \s | \[\d+\] )
      | (?: fail|crit|info|warn|dbug|trce ) : \s (?: [A-Za-z][\w.]*\[\d+\] )?
      | (?: Error|Warn|Fatal|Info ) \|
    ) \s*"
);
pattern!(
    SOURCE,
    r"(?x)^ (?:
        \[xUnit\.net\ [\d:.]+\]
      | \[ (?: \d{1,6}\s* | [A-Z][\w]*Thread[\w\ -]* | (?:[A-Za-z_]\w*\.)+\w+ | [A-Za-z]\w*::\w+ | [A-Za-z][\w-]*\#?\d+ | [A-Z0-9]{8,} ) \] :?
      | \( (?: [A-Z]\w*Thread | [A-Za-z]\w*[_-]\d+ | [a-z]+-thread-\d+ ) \)
      | [VDIWEF]/[\w.$-]+ (?:\s*\(\s*\d+\s*\))? :
      | \d{1,6}\s+\d{1,6}\ [VDIWEF]\ [\w.]+\s*:
    ) \s*"
);
pattern!(STRING, "^\"[^\"]*\",?$");

/// A line without what a logger wrote before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// The line as pasted, without the spaces at its end.
    pub(super) raw: &'a str,
    /// What the program said.
    pub(super) said: &'a str,
    /// Whether a level shows that a new log record begins here.
    pub(super) record: bool,
    /// How far the rest is indented behind the prefix.
    pub(super) indent: usize,
}

/// Takes the prefixes off a line.
pub(super) fn read(line: &str) -> Line<'_> {
    let raw = line.trim_end();
    let mut rest = raw.trim_start();
    let mut indent = raw.len() - rest.len();
    let (mut stamped, mut leveled) = (false, false);
    for _ in 0..6 {
        // Only a few characters begin a prefix; most lines are spared the patterns.
        if !may_begin_prefix(rest) {
            break;
        }
        let before = rest.len();
        if let Some(found) = QUOTED.find(rest) {
            rest = &rest[found.end()..];
        } else if let Some(found) = LEVEL.find(rest) {
            rest = &rest[found.end()..];
            leveled = true;
        } else if let Some(found) = STAMP.find(rest) {
            rest = &rest[found.end()..];
            stamped = true;
        } else if let Some(found) = SOURCE.find(rest).filter(|found| !names_type(found.as_str())) {
            rest = &rest[found.end()..];
        }
        if rest.len() == before {
            break;
        }
        let trimmed = rest.trim_start();
        indent = rest.len() - trimmed.len();
        rest = trimmed;
    }
    if STRING.is_match(rest) {
        rest = rest.trim_end_matches(',').trim_matches('"').trim();
    }
    Line { raw, said: rest, record: leveled && (stamped || raw.ends_with(']') || raw.contains("]: ")), indent }
}

/// Whether a bracket holds an exception's type and no category.
fn names_type(bracket: &str) -> bool {
    let name = bracket.trim_end_matches([':', ' ']);
    name.ends_with("Exception]") || name.ends_with("Error]")
}

fn may_begin_prefix(rest: &str) -> bool {
    rest.bytes().next().is_some_and(|b| {
        b.is_ascii_digit()
            || matches!(b, b'[' | b'(' | b'<' | b'>' | b'|' | b'/')
            || b.is_ascii_uppercase()
            || matches!(b, b'f' | b'c' | b'i' | b'w' | b'd' | b't')
    })
}

/// The text with every second line taken out when all of those are blank, as mail programs and web pages leave it.
pub(super) fn unspaced(text: &str) -> Option<String> {
    // Four lines with a blank one between each.
    if memchr::memchr_iter(b'\n', text.as_bytes()).take(6).count() < 6 {
        return None;
    }
    let lines: Vec<&str> = text.lines().collect();
    let said = lines.iter().filter(|line| !line.trim().is_empty()).count();
    let spaced = said >= 4 && lines.windows(2).all(|pair| pair.iter().any(|line| line.trim().is_empty()));
    spaced.then(|| lines.iter().filter(|line| !line.trim().is_empty()).copied().collect::<Vec<_>>().join("\n"))
}
