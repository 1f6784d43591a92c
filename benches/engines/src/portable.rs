//! The rules in the few words that all rule engines have: equality, ranges, `contains`, regular expressions.

use std::error::Error;

use faultbook::Rule;
use faultbook::matcher::{Condition, Quantifier};
use globset::GlobBuilder;

use crate::engine::Facts;

/// A rule as other engines may be told it.
pub struct Portable {
    pub connectors: Vec<String>,
    pub when: Vec<Term>,
    pub unless: Vec<Term>,
}

pub enum Term {
    Status(Vec<(u16, u16)>),
    /// Codes in lower case.
    Codes(Vec<Word>),
    Types(Vec<Word>),
    Texts {
        all: bool,
        parts: Vec<Part>,
    },
}

/// A name that must be equal, or a regular expression for the whole of it.
pub enum Word {
    Is(String),
    Fits(String),
}

/// What a text must hold.
pub enum Part {
    /// In lower case; the case of the text does not matter.
    Literal(String),
    Pattern {
        source: String,
        ignore_case: bool,
    },
}

/// A failure as other engines are told it; unknown facts are empty or zero.
pub struct Document {
    pub connector: String,
    pub status: u16,
    pub codes: Vec<String>,
    pub types: Vec<String>,
    /// All texts, one below the other: no pattern of the workload crosses a line.
    pub text: String,
}

impl Document {
    pub fn new(facts: &Facts<'_>) -> Self {
        Self {
            connector: facts.connector.unwrap_or_default().to_owned(),
            status: facts.status.unwrap_or_default(),
            codes: facts.provider_codes.iter().map(|code| code.to_ascii_lowercase()).collect(),
            types: facts.types.iter().map(|sent| sent.name.full().to_owned()).collect(),
            text: facts.texts.join("\n"),
        }
    }
}

pub fn portable(rules: &[Rule]) -> Result<Vec<Portable>, Box<dyn Error>> {
    let terms = |conditions: &[Condition]| conditions.iter().map(term).collect::<Result<Vec<_>, _>>();
    let one = |rule: &Rule| {
        Ok(Portable { connectors: rule.connectors.clone(), when: terms(&rule.when)?, unless: terms(&rule.unless)? })
    };
    rules.iter().map(one).collect()
}

fn term(condition: &Condition) -> Result<Term, Box<dyn Error>> {
    Ok(match condition {
        Condition::HttpStatus(values) => {
            let ranges = values.items.iter().map(|status| {
                let written = status.to_string();
                let (first, last) = written.split_once('-').unwrap_or((&written, &written));
                Ok((first.parse()?, last.parse()?))
            });
            Term::Status(ranges.collect::<Result<_, Box<dyn Error>>>()?)
        }
        Condition::ProviderCode(values) => {
            Term::Codes(values.items.iter().map(|code| word(code.as_str(), false)).collect::<Result<_, _>>()?)
        }
        Condition::Exception(values) => {
            Term::Types(values.items.iter().map(|name| word(name.as_str(), true)).collect::<Result<_, _>>()?)
        }
        Condition::Message(values) => {
            let parts = values.items.iter().map(|pattern| {
                let source = pattern.as_str().replace("(?P<secs>", "(?:").replace("(?P<host>", "(?:");
                match source.strip_prefix("(?i)") {
                    Some(source) => Part::Pattern { source: source.to_owned(), ignore_case: true },
                    None => Part::Pattern { source, ignore_case: false },
                }
            });
            Term::Texts { all: values.quantifier == Quantifier::All, parts: parts.collect() }
        }
        Condition::Contains(values) => Term::Texts {
            all: values.quantifier == Quantifier::All,
            parts: values.items.iter().map(|literal| Part::Literal(literal.as_str().to_ascii_lowercase())).collect(),
        },
        other => return Err(format!("the workload has no condition on {}", other.key()).into()),
    })
}

/// A glob as a regular expression; for types a name without a dot stands for any namespace.
fn word(source: &str, is_type: bool) -> Result<Word, Box<dyn Error>> {
    let is_short = is_type && !source.contains('.');
    if !is_short && !source.contains(['*', '{']) {
        return Ok(Word::Is(source.to_owned()));
    }
    let slashed = if is_type { source.replace('.', "/") } else { source.to_owned() };
    let glob = GlobBuilder::new(&slashed).literal_separator(is_type).backslash_escape(false).build()?;
    let regex = glob.regex().trim_start_matches("(?-u)").trim_start_matches('^').trim_end_matches('$');
    let space = if is_short { "(?:.*/)?" } else { "" };
    let regex = format!("^{space}{regex}$");
    Ok(Word::Fits(if is_type { regex.replace('/', r"\.").replace(r"[^\.]", "[^.]") } else { regex }))
}
