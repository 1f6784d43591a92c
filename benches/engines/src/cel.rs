//! cel: one expression for each rule. Patterns are compiled anew at every evaluation.

use std::collections::HashMap;

use cel::{Context, Program, Value};
use faultbook::{Failure, Rule};

use crate::engine::{Built, Case, Engine, Facts};
use crate::portable::{Document, Part, Portable, Term, Word, portable};

struct Cel {
    programs: Vec<Program>,
    contexts: HashMap<usize, Context<'static, 'static>>,
}

pub fn build(rules: &[Rule]) -> Built {
    let mut programs = Vec::new();
    for rule in portable(rules)? {
        let source = expression(&rule);
        programs.push(Program::compile(&source).map_err(|error| format!("{source}: {error}"))?);
    }
    Ok(Box::new(Cel { programs, contexts: HashMap::new() }))
}

fn expression(rule: &Portable) -> String {
    let mut all = Vec::new();
    if !rule.connectors.is_empty() {
        all.push(any(rule.connectors.iter().map(|name| format!("connector == {}", quoted(name)))));
    }
    all.extend(rule.when.iter().map(term));
    all.extend(rule.unless.iter().map(|condition| format!("!{}", term(condition))));
    all.join(" && ")
}

fn term(term: &Term) -> String {
    match term {
        Term::Status(ranges) => {
            any(ranges.iter().map(|(first, last)| format!("(status >= {first} && status <= {last})")))
        }
        Term::Codes(words) => any(words.iter().map(|wanted| word("codes", wanted))),
        Term::Types(words) => any(words.iter().map(|wanted| word("types", wanted))),
        Term::Texts { all, parts } => {
            let parts: Vec<String> = parts.iter().map(part).collect();
            format!("({})", parts.join(if *all { " && " } else { " || " }))
        }
    }
}

fn part(part: &Part) -> String {
    match part {
        Part::Literal(text) => format!("lower.contains({})", quoted(text)),
        Part::Pattern { source, ignore_case } => {
            let flags = if *ignore_case { "(?i)" } else { "" };
            format!("text.matches({})", quoted(&format!("{flags}{source}")))
        }
    }
}

fn word(list: &str, word: &Word) -> String {
    match word {
        Word::Is(text) => format!("{} in {list}", quoted(text)),
        Word::Ends(end) => format!("{list}.exists(w, w.endsWith({}))", quoted(end)),
        Word::Fits(regex) => format!("{list}.exists(w, w.matches({}))", quoted(regex)),
    }
}

fn any(terms: impl Iterator<Item = String>) -> String {
    format!("({})", terms.collect::<Vec<_>>().join(" || "))
}

/// The escapes of JSON are escapes of CEL as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn context(document: &Document) -> Context<'static, 'static> {
    let mut context = Context::default();
    context.add_variable_from_value("connector", document.connector.as_str());
    context.add_variable_from_value("status", i64::from(document.status));
    context.add_variable_from_value("codes", document.codes.clone());
    context.add_variable_from_value("types", document.types.clone());
    context.add_variable_from_value("lower", document.text.to_ascii_lowercase());
    context.add_variable_from_value("text", document.text.as_str());
    context
}

fn first(programs: &[Program], context: &Context<'_, '_>) -> Option<usize> {
    programs.iter().position(|program| matches!(program.execute(context), Ok(Value::Bool(true))))
}

impl Engine for Cel {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        let key = std::ptr::from_ref(case.failure).addr();
        let context = self.contexts.entry(key).or_insert_with(|| context(&Document::new(&case.facts)));
        first(&self.programs, context)
    }

    fn first_of(&mut self, failure: &Failure<'_>) -> Option<usize> {
        first(&self.programs, &context(&Document::new(&Facts::new(failure))))
    }
}
