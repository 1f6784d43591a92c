//! yara-x: all rules in one scanner, which finds all that match; the first one counts.
//!
//! Its strength is one scan for all patterns at once, so that names are told as bytes behind the text wherever they can
//! be looked for in that scan.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;

use faultbook::{Failure, Rule};
use yara_x::{Compiler, Rules, Scanner};

use crate::engine::{Built, Case, Engine, Facts};
use crate::portable::{Document, Part, Portable, Term, Word, portable};

struct Yara {
    scanner: Scanner<'static>,
    documents: HashMap<usize, Scanned>,
}

pub fn build(rules: &[Rule]) -> Built {
    let mut compiler = Compiler::new();
    compiler.define_global("status", 0)?;
    compiler.define_global("types", "")?;
    for (index, rule) in portable(rules)?.iter().enumerate() {
        let source = source(index, rule);
        compiler.add_source(source.as_str()).map_err(|error| format!("{source}: {error}"))?;
    }
    // The scanner borrows the rules; both live as long as the process.
    let rules: &'static Rules = Box::leak(Box::new(compiler.build()));
    let mut scanner = Scanner::new(rules);
    scanner.fast_scan(true).max_matches_per_pattern(1);
    Ok(Box::new(Yara { scanner, documents: HashMap::new() }))
}

fn source(index: usize, rule: &Portable) -> String {
    let mut strings = Strings::default();
    // What the scan has found costs nothing to ask for; variables are looked up by a call.
    let mut all = Vec::new();
    if !rule.connectors.is_empty() {
        let names = rule.connectors.iter().map(|name| strings.add(&escaped(&CONNECTOR.whole(name))));
        all.push(format!("({})", names.collect::<Vec<_>>().join(" or ")));
    }
    let (statuses, others): (Vec<&Term>, Vec<&Term>) =
        rule.when.iter().partition(|condition| matches!(condition, Term::Status(_)));
    all.extend(others.into_iter().map(|condition| strings.term(condition)));
    all.extend(rule.unless.iter().map(|condition| format!("not {}", strings.term(condition))));
    all.extend(statuses.into_iter().map(|condition| strings.term(condition)));
    let strings = if strings.written.is_empty() { String::new() } else { format!("strings:\n{}", strings.written) };
    format!("rule r{index} {{\n{strings}condition: {}\n}}\n", all.join(" and "))
}

/// What a rule looks for.
#[derive(Default)]
struct Strings {
    written: String,
    count: usize,
}

impl Strings {
    fn add(&mut self, pattern: &str) -> String {
        self.count += 1;
        _ = writeln!(self.written, "$p{} = {pattern}", self.count);
        format!("$p{}", self.count)
    }

    fn term(&mut self, term: &Term) -> String {
        let (terms, joint): (Vec<String>, _) = match term {
            Term::Status(ranges) => {
                let range = |(first, last): &(u16, u16)| format!("(status >= {first} and status <= {last})");
                (ranges.iter().map(range).collect(), " or ")
            }
            Term::Codes(words) => (words.iter().map(|word| self.word(&CODE, word)).collect(), " or "),
            Term::Types(words) => (words.iter().map(|word| self.word(&TYPE, word)).collect(), " or "),
            Term::Texts { all, parts } => {
                (parts.iter().map(|part| self.part(part)).collect(), if *all { " and " } else { " or " })
            }
        };
        format!("({})", terms.join(joint))
    }

    fn part(&mut self, part: &Part) -> String {
        match part {
            Part::Literal(text) => self.add(&format!("{} nocase", serde_json::Value::from(text.as_str()))),
            Part::Pattern { source, ignore_case } => {
                let source = source.replace("(?m)^", r"(^|\n)").replace('/', r"\/");
                self.add(&format!("/{source}/{}", if *ignore_case { "i" } else { "" }))
            }
        }
    }

    fn word(&mut self, frame: &Frame, word: &Word) -> String {
        match word {
            Word::Is(text) => self.add(&escaped(&frame.whole(text))),
            Word::Ends(end) => self.add(&escaped(&frame.end(end))),
            // Of types alone: there is no variable for other names, and no rule that would need one.
            Word::Fits(regex) => {
                let inner = regex.trim_start_matches('^').trim_end_matches('$');
                format!("{} matches /\\n{inner}\\n/", frame.list)
            }
        }
    }
}

/// A name as bytes that no text has: those of its letters with the highest bit set, between two marks.
struct Frame {
    list: &'static str,
    before: u8,
    behind: u8,
}

const CONNECTOR: Frame = Frame { list: "connectors", before: 5, behind: 6 };
const CODE: Frame = Frame { list: "codes", before: 1, behind: 2 };
const TYPE: Frame = Frame { list: "types", before: 3, behind: 4 };

impl Frame {
    fn whole(&self, name: &str) -> Vec<u8> {
        [vec![self.before], self.end(name)].concat()
    }

    fn end(&self, name: &str) -> Vec<u8> {
        name.bytes().map(|byte| byte | 0x80).chain([self.behind]).collect()
    }
}

/// Bytes as a text of a rule.
fn escaped(bytes: &[u8]) -> String {
    let mut text = "\"".to_owned();
    for byte in bytes {
        _ = write!(text, "\\x{byte:02x}");
    }
    text + "\""
}

/// What a scan is told.
struct Scanned {
    status: i64,
    types: String,
    /// The text, and below it the names.
    bytes: Vec<u8>,
}

impl Scanned {
    fn new(facts: &Facts<'_>) -> Self {
        let document = Document::new(facts);
        let mut bytes = document.text.into_bytes();
        let connector = vec![document.connector];
        for (frame, names) in [(CONNECTOR, &connector), (CODE, &document.codes), (TYPE, &document.types)] {
            for name in names {
                bytes.push(b'\n');
                bytes.extend(frame.whole(name));
            }
        }
        Self { status: document.status.into(), types: format!("\n{}\n", document.types.join("\n")), bytes }
    }
}

fn first(scanner: &mut Scanner<'static>, told: &Scanned) -> Result<Option<usize>, Box<dyn Error>> {
    scanner.set_global("status", told.status)?;
    scanner.set_global("types", told.types.as_str())?;
    let results = scanner.scan(&told.bytes)?;
    Ok(results.matching_rules().filter_map(|rule| rule.identifier()[1..].parse().ok()).min())
}

/// An engine that fails gives an answer that no rule has.
fn answer(answer: Result<Option<usize>, Box<dyn Error>>) -> Option<usize> {
    answer.unwrap_or(Some(usize::MAX))
}

impl Engine for Yara {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        let key = std::ptr::from_ref(case.failure).addr();
        let scanned = self.documents.entry(key).or_insert_with(|| Scanned::new(&case.facts));
        answer(first(&mut self.scanner, scanned))
    }

    fn first_of(&mut self, failure: &Failure<'_>) -> Option<usize> {
        let scanned = Scanned::new(&Facts::new(failure));
        answer(first(&mut self.scanner, &scanned))
    }
}
