//! Rules as a careful program without this crate would write them down: cheap checks first, nothing allocated while
//! matching.

use std::error::Error;

use faultbook::Rule;
use faultbook::matcher::{CodePattern, Condition, Quantifier, TypePattern, Values};
use globset::GlobBuilder;
use regex::bytes::Regex as ByteRegex;

use super::engine::{Facts, Type};

/// All rules, and the message patterns that they name by number.
pub struct Prepared {
    pub rules: Vec<PreparedRule>,
    /// Regular expressions in rule order; literals are escaped and ignore ASCII case.
    pub patterns: Vec<String>,
}

pub struct PreparedRule {
    connectors: Vec<String>,
    when: Vec<Check>,
    unless: Vec<Check>,
}

enum Check {
    Status(Vec<(u16, u16)>),
    Provider(Vec<CodeCheck>),
    Types(Vec<TypeCheck>),
    /// Any of the texts fits any, or all, of the patterns.
    Texts {
        all: bool,
        patterns: std::ops::Range<usize>,
    },
}

enum CodeCheck {
    Exact(String),
    Glob(ByteRegex),
}

enum TypeCheck {
    Full(String),
    Short(String),
    /// `**.Name`: the name alone or behind any namespace.
    Behind(String),
    GlobShort(ByteRegex),
    GlobFull(ByteRegex),
}

impl Prepared {
    pub fn new(rules: &[Rule]) -> Result<Self, Box<dyn Error>> {
        let mut patterns = Vec::new();
        let rules = rules
            .iter()
            .map(|rule| {
                Ok(PreparedRule {
                    connectors: rule.connectors.clone(),
                    when: checks(&rule.when, &mut patterns)?,
                    unless: checks(&rule.unless, &mut patterns)?,
                })
            })
            .collect::<Result<_, Box<dyn Error>>>()?;
        Ok(Self { rules, patterns })
    }

    /// The first rule that applies, when `fits` says whether a pattern fits one of the texts.
    #[inline]
    pub fn first(&self, facts: &Facts<'_>, mut fits: impl FnMut(usize) -> bool) -> Option<usize> {
        self.rules.iter().position(|rule| {
            let connector = rule.connectors.is_empty()
                || facts.connector.is_some_and(|sent| rule.connectors.iter().any(|wanted| wanted == sent));
            connector
                && rule.when.iter().all(|check| check.holds(facts, &mut fits))
                && !rule.unless.iter().any(|check| check.holds(facts, &mut fits))
        })
    }
}

impl Check {
    #[inline]
    fn holds(&self, facts: &Facts<'_>, mut fits: impl FnMut(usize) -> bool) -> bool {
        match self {
            Self::Status(ranges) => {
                facts.status.is_some_and(|status| ranges.iter().any(|(first, last)| (*first..=*last).contains(&status)))
            }
            Self::Provider(codes) => {
                facts.provider_codes.iter().any(|sent| codes.iter().any(|code| code.matches(sent)))
            }
            Self::Types(types) => facts.types.iter().any(|sent| types.iter().any(|wanted| wanted.matches(sent))),
            Self::Texts { all: false, patterns } => patterns.clone().any(fits),
            Self::Texts { all: true, patterns } => patterns.clone().all(&mut fits),
        }
    }

    /// What is cheap comes first.
    fn cost(&self) -> usize {
        match self {
            Self::Status(_) => 0,
            Self::Provider(_) => 1,
            Self::Types(_) => 2,
            Self::Texts { .. } => 3,
        }
    }
}

impl CodeCheck {
    fn new(pattern: &CodePattern) -> Result<Self, Box<dyn Error>> {
        let source = pattern.as_str();
        if source.contains(['*', '{']) {
            let glob = GlobBuilder::new(source).case_insensitive(true).backslash_escape(false).build()?;
            Ok(Self::Glob(ByteRegex::new(glob.regex())?))
        } else {
            Ok(Self::Exact(source.to_owned()))
        }
    }

    fn matches(&self, sent: &str) -> bool {
        match self {
            Self::Exact(code) => code.eq_ignore_ascii_case(sent),
            Self::Glob(glob) => glob.is_match(sent.as_bytes()),
        }
    }
}

impl TypeCheck {
    fn new(pattern: &TypePattern) -> Result<Self, Box<dyn Error>> {
        let source = pattern.as_str();
        let is_short = !source.contains('.');
        if !source.contains(['*', '{']) {
            return Ok(if is_short { Self::Short(source.to_owned()) } else { Self::Full(source.to_owned()) });
        }
        if let Some(name) = source.strip_prefix("**.").filter(|name| !name.contains(['*', '{'])) {
            return Ok(Self::Behind(name.to_owned()));
        }
        let glob =
            GlobBuilder::new(&source.replace('.', "/")).literal_separator(true).backslash_escape(false).build()?;
        let regex = ByteRegex::new(glob.regex())?;
        Ok(if is_short { Self::GlobShort(regex) } else { Self::GlobFull(regex) })
    }

    #[inline]
    fn matches(&self, sent: &Type<'_>) -> bool {
        match self {
            Self::Full(name) => sent.name.full() == name,
            Self::Short(name) => {
                let full = sent.name.full();
                full.ends_with(name.as_str()) && sent.name.short() == name
            }
            Self::Behind(name) => sent
                .name
                .full()
                .strip_suffix(name.as_str())
                .is_some_and(|space| space.is_empty() || space.ends_with('.')),
            Self::GlobShort(glob) => glob.is_match(sent.name.short().as_bytes()),
            Self::GlobFull(glob) => glob.is_match(sent.slashed.as_bytes()),
        }
    }
}

fn checks(conditions: &[Condition], patterns: &mut Vec<String>) -> Result<Vec<Check>, Box<dyn Error>> {
    let mut checks = conditions.iter().map(|condition| check(condition, patterns)).collect::<Result<Vec<_>, _>>()?;
    checks.sort_by_key(Check::cost);
    Ok(checks)
}

fn check(condition: &Condition, patterns: &mut Vec<String>) -> Result<Check, Box<dyn Error>> {
    let start = patterns.len();
    let all = match condition {
        Condition::HttpStatus(values) => {
            let ranges = values.items.iter().map(|status| {
                let written = status.to_string();
                let (first, last) = written.split_once('-').unwrap_or((&written, &written));
                Ok((first.parse()?, last.parse()?))
            });
            return Ok(Check::Status(ranges.collect::<Result<_, Box<dyn Error>>>()?));
        }
        Condition::ProviderCode(values) => return Ok(Check::Provider(each(values, CodeCheck::new)?)),
        Condition::Exception(values) => return Ok(Check::Types(each(values, TypeCheck::new)?)),
        Condition::Message(values) => {
            patterns.extend(values.items.iter().map(|pattern| ascii(pattern.as_str())));
            values.quantifier
        }
        Condition::Contains(values) => {
            patterns.extend(values.items.iter().map(|literal| format!("(?i-u:{})", regex::escape(literal.as_str()))));
            values.quantifier
        }
        other => return Err(format!("the workload has no condition on {}", other.key()).into()),
    };
    Ok(Check::Texts { all: all == Quantifier::All, patterns: start..patterns.len() })
}

/// The message patterns of all conditions that must hold, one by one.
pub fn message_patterns(rules: &[Rule]) -> Vec<String> {
    let conditions = rules.iter().flat_map(|rule| &rule.when);
    let patterns = conditions.filter_map(|condition| match condition {
        Condition::Message(values) => Some(&values.items),
        _ => None,
    });
    patterns.flatten().map(|pattern| ascii(pattern.as_str())).collect()
}

fn each<T, U>(values: &Values<T>, make: impl Fn(&T) -> Result<U, Box<dyn Error>>) -> Result<Vec<U>, Box<dyn Error>> {
    values.items.iter().map(make).collect()
}

/// The classes that the workload uses, as this crate means them: ASCII.
fn ascii(pattern: &str) -> String {
    pattern.replace(r"\b", r"(?-u:\b)").replace(r"\S", r"[^\t\n\x0B\x0C\r ]")
}
