//! tau-engine: one rule after the other, each a small tree of searches over named fields.

use std::collections::HashMap;

use faultbook::{Failure, Rule};
use serde_json::{Map, Value, json};
use tau_engine::Optimisations;
use tau_engine::Rule as TauRule;

use crate::engine::{Built, Case, Engine, Facts};
use crate::portable::{Document, Part, Portable, Term, Word, portable};

struct Tau {
    rules: Vec<TauRule>,
    documents: HashMap<usize, Value>,
}

pub fn plain(rules: &[Rule]) -> Built {
    build(rules, false)
}

pub fn optimised(rules: &[Rule]) -> Built {
    build(rules, true)
}

fn build(rules: &[Rule], optimise: bool) -> Built {
    let mut built = Vec::new();
    for rule in portable(rules)? {
        // YAML reads JSON as well.
        let rule = TauRule::from_str(&detection(&rule).to_string()).map_err(|error| error.to_string())?;
        built.push(if optimise { rule.optimise(Optimisations::default()) } else { rule });
    }
    Ok(Box::new(Tau { rules: built, documents: HashMap::new() }))
}

fn detection(rule: &Portable) -> Value {
    let mut blocks = Map::new();
    let mut name = |block: Value| {
        let name = format!("B{}", blocks.len());
        blocks.insert(name.clone(), block);
        name
    };
    let mut all = Vec::new();
    if !rule.connectors.is_empty() {
        all.push(name(json!({ "connector": rule.connectors.iter().map(|text| exact(text)).collect::<Vec<_>>() })));
    }
    all.extend(rule.when.iter().map(|condition| term(condition, &mut name)));
    all.extend(rule.unless.iter().map(|condition| format!("not {}", term(condition, &mut name))));
    blocks.insert("condition".to_owned(), all.join(" and ").into());
    json!({ "detection": blocks, "true_positives": [], "true_negatives": [] })
}

fn term(term: &Term, name: &mut impl FnMut(Value) -> String) -> String {
    match term {
        Term::Status(ranges) => {
            let ranges: Vec<String> = ranges
                .iter()
                .map(|(first, last)| {
                    let low = name(json!({ "status": format!(">={first}") }));
                    let high = name(json!({ "status": format!("<={last}") }));
                    format!("({low} and {high})")
                })
                .collect();
            format!("({})", ranges.join(" or "))
        }
        Term::Codes(words) => name(json!({ "codes": words.iter().map(word).collect::<Vec<_>>() })),
        Term::Types(words) => name(json!({ "types": words.iter().map(word).collect::<Vec<_>>() })),
        Term::Texts { all, parts } => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => format!("i*{text}*"),
                    Part::Pattern { source, ignore_case: true } => format!("i?{source}"),
                    Part::Pattern { source, ignore_case: false } => format!("?{source}"),
                })
                .collect();
            let field = if *all { "all(text)" } else { "text" };
            name(json!({ field: parts }))
        }
    }
}

fn word(word: &Word) -> String {
    match word {
        Word::Is(text) => exact(text),
        Word::Ends(end) => format!("*{end}"),
        Word::Fits(regex) => format!("?{regex}"),
    }
}

/// A leading `i` means "ignore case" here, so that a word that begins with one needs another.
fn exact(text: &str) -> String {
    if text.starts_with('i') { format!("i{text}") } else { text.to_owned() }
}

fn value(document: &Document) -> Value {
    json!({
        "connector": document.connector, "status": document.status, "codes": document.codes,
        "types": document.types, "text": document.text,
    })
}

impl Engine for Tau {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        let key = std::ptr::from_ref(case.failure).addr();
        let document = self.documents.entry(key).or_insert_with(|| value(&Document::new(&case.facts)));
        self.rules.iter().position(|rule| rule.matches(document))
    }

    fn first_of(&mut self, failure: &Failure<'_>) -> Option<usize> {
        let document = value(&Document::new(&Facts::new(failure)));
        self.rules.iter().position(|rule| rule.matches(&document))
    }
}
