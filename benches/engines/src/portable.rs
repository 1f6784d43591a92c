//! The rules in the few words that all rule engines have: equality, ranges, `contains`, regular expressions.

use std::error::Error;

use faultbook::Rule;
use faultbook::matcher::{CodePattern, Condition, Quantifier, TypePattern};
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

/// What a name must be.
pub enum Word {
    Is(String),
    Ends(String),
    /// A regular expression for the whole name.
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

impl Portable {
    /// Whether the rule needs an engine of regular expressions.
    pub fn has_expression(&self) -> bool {
        self.when.iter().chain(&self.unless).any(|term| match term {
            Term::Status(_) => false,
            Term::Codes(words) | Term::Types(words) => words.iter().any(|word| matches!(word, Word::Fits(_))),
            Term::Texts { parts, .. } => parts.iter().any(|part| matches!(part, Part::Pattern { .. })),
        })
    }
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
        Condition::ProviderCode(values) => Term::Codes(words(values.items.iter().map(CodePattern::as_str), false)?),
        Condition::Exception(values) => Term::Types(words(values.items.iter().map(TypePattern::as_str), true)?),
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

/// Globs in the cheapest form that says the same; for types a name without a dot stands for any namespace.
fn words<'g>(globs: impl Iterator<Item = &'g str>, is_type: bool) -> Result<Vec<Word>, Box<dyn Error>> {
    let mut words = Vec::new();
    for glob in globs.flat_map(alternatives) {
        let glob = glob.as_str();
        let short = glob.strip_prefix("**.").unwrap_or(glob);
        if is_type && !short.contains('*') && (short != glob || !short.contains('.')) {
            words.extend([Word::Is(short.to_owned()), Word::Ends(format!(".{short}"))]);
        } else if !glob.contains('*') {
            words.push(Word::Is(glob.to_owned()));
        } else if let Some(end) = glob.strip_prefix('*').filter(|end| !end.contains(['*', '.'])) {
            words.push(Word::Ends(end.to_owned()));
        } else {
            words.push(Word::Fits(expression(glob, is_type)?));
        }
    }
    Ok(words)
}

/// A glob for each of the alternatives between braces.
fn alternatives(glob: &str) -> Vec<String> {
    let parts = glob.split_once('{').and_then(|(before, rest)| rest.split_once('}').map(|rest| (before, rest)));
    match parts {
        Some((before, (names, behind))) => names.split(',').map(|name| format!("{before}{name}{behind}")).collect(),
        None => vec![glob.to_owned()],
    }
}

fn expression(glob: &str, is_type: bool) -> Result<String, Box<dyn Error>> {
    let slashed = if is_type { glob.replace('.', "/") } else { glob.to_owned() };
    let built = GlobBuilder::new(&slashed).literal_separator(is_type).backslash_escape(false).build()?;
    let regex = built.regex().trim_start_matches("(?-u)").trim_start_matches('^').trim_end_matches('$');
    let space = if is_type && !slashed.contains('/') { "(?:.*/)?" } else { "" };
    let regex = format!("^{space}{regex}$");
    Ok(if is_type { regex.replace('/', r"\.").replace(r"[^\.]", "[^.]") } else { regex })
}
