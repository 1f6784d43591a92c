//! zen-engine: one decision table, of which the first row that applies counts. Patterns are compiled anew at every
//! evaluation.

use std::collections::{HashMap, HashSet};
use std::error::Error;

use faultbook::{Failure, Rule};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};
use zen_engine::model::GraphContent;
use zen_engine::{Decision, Variable};

use crate::engine::{Built, Case, Engine, Facts};
use crate::portable::{Document, Part, Portable, Term, Word, portable};

struct Zen {
    runtime: Runtime,
    decision: Decision,
    documents: HashMap<usize, Variable>,
}

/// The columns of the table, each with the field that it looks at. Cheap ones first: the cells of a row are tried in
/// this order. What must not hold is always a literal.
const COLUMNS: [(&str, &str); 7] = [
    ("connector", "connector"),
    ("status", "status"),
    ("codes", "codes"),
    ("types", "types"),
    ("lower", "lower"),
    ("unless", "lower"),
    ("text", "text"),
];

pub fn build(rules: &[Rule]) -> Built {
    let rows: Vec<Value> =
        portable(rules)?.iter().enumerate().map(|(index, rule)| row(index, rule)).collect::<Result<_, _>>()?;
    let cells: HashSet<String> = rows
        .iter()
        .flat_map(|row| COLUMNS.iter().filter_map(|(column, _)| row[column].as_str()))
        .map(str::to_owned)
        .collect();
    let inputs: Vec<Value> =
        COLUMNS.iter().map(|(name, field)| json!({ "id": name, "name": name, "field": field })).collect();
    let mut content: GraphContent = serde_json::from_value(json!({
        "nodes": [
            { "id": "in", "name": "in", "type": "inputNode", "content": {} },
            { "id": "table", "name": "table", "type": "decisionTableNode", "content": {
                "hitPolicy": "first", "inputs": inputs, "rules": rows,
                "outputs": [{ "id": "rule", "name": "rule", "field": "rule" }],
            } },
            { "id": "out", "name": "out", "type": "outputNode", "content": {} },
        ],
        "edges": [
            { "id": "e1", "sourceId": "in", "targetId": "table" },
            { "id": "e2", "sourceId": "table", "targetId": "out" },
        ],
    }))?;
    content.compile();
    // A cell that does not compile would be tried again at every evaluation, and never hold.
    let compiled = content.compiled_cache.as_ref().ok_or("nothing was compiled")?;
    if let Some(cell) = cells.iter().find(|cell| !compiled.unary.contains_key(cell.as_str())) {
        return Err(format!("this cell does not compile: {cell}").into());
    }
    let runtime = Builder::new_current_thread().build()?;
    Ok(Box::new(Zen { runtime, decision: Decision::from(content), documents: HashMap::new() }))
}

fn row(index: usize, rule: &Portable) -> Result<Value, Box<dyn Error>> {
    let mut row = Map::new();
    row.insert("_id".to_owned(), format!("r{index}").into());
    row.insert("rule".to_owned(), quoted(&index.to_string()).into());
    if !rule.connectors.is_empty() {
        let names: Vec<String> = rule.connectors.iter().map(|name| quoted(name)).collect();
        row.insert("connector".to_owned(), names.join(", ").into());
    }
    for condition in &rule.when {
        let (column, cell) = cell(condition);
        if row.insert(column.to_owned(), cell.into()).is_some() {
            return Err(format!("rule {index} has two conditions on {column}").into());
        }
    }
    let unless: Vec<String> = rule.unless.iter().map(|condition| format!("not ({})", cell(condition).1)).collect();
    if !unless.is_empty() {
        row.insert("unless".to_owned(), unless.join(" and ").into());
    }
    Ok(row.into())
}

/// The column of a condition, and what stands in it: values that the engine can look up where it can.
fn cell(term: &Term) -> (&'static str, String) {
    match term {
        Term::Status(ranges) => {
            let range = |(first, last): &(u16, u16)| {
                if first == last { first.to_string() } else { format!("[{first}..{last}]") }
            };
            ("status", ranges.iter().map(range).collect::<Vec<_>>().join(", "))
        }
        Term::Codes(words) => ("codes", any(words)),
        Term::Types(words) => ("types", any(words)),
        Term::Texts { all, parts } => {
            let column = if matches!(parts[0], Part::Literal(_)) { "lower" } else { "text" };
            let parts: Vec<String> = parts.iter().map(part).collect();
            (column, parts.join(if *all { " and " } else { " or " }))
        }
    }
}

fn part(part: &Part) -> String {
    match part {
        Part::Literal(text) => format!("contains($, {})", quoted(text)),
        Part::Pattern { source, ignore_case } => {
            let flags = if *ignore_case { "(?i)" } else { "" };
            format!("matches($, {})", quoted(&format!("{flags}{source}")))
        }
    }
}

fn any(words: &[Word]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| match word {
            Word::Is(text) => format!("contains($, {})", quoted(text)),
            Word::Ends(end) => format!("some($, endsWith(#, {}))", quoted(end)),
            Word::Fits(regex) => format!("some($, matches(#, {}))", quoted(regex)),
        })
        .collect();
    words.join(" or ")
}

/// Strings have no escapes; nothing in the workload holds a quote.
fn quoted(text: &str) -> String {
    format!("'{text}'")
}

fn value(document: &Document) -> Variable {
    Variable::from(json!({
        "connector": document.connector, "status": document.status, "codes": document.codes,
        "types": document.types, "text": document.text, "lower": document.text.to_ascii_lowercase(),
    }))
}

impl Zen {
    fn run(&self, document: Variable) -> Result<Option<usize>, Box<dyn Error>> {
        let response = self.runtime.block_on(self.decision.evaluate(document));
        let result = response.map_err(|error| error.to_string())?.result;
        Ok(result.dot("rule").and_then(|rule| rule.as_str()?.parse().ok()))
    }
}

/// An engine that fails gives an answer that no rule has.
fn answer(answer: Result<Option<usize>, Box<dyn Error>>) -> Option<usize> {
    answer.unwrap_or(Some(usize::MAX))
}

impl Engine for Zen {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        let key = std::ptr::from_ref(case.failure).addr();
        let document = self.documents.entry(key).or_insert_with(|| value(&Document::new(&case.facts)));
        // What the engine writes must not stay; the copy shares the texts.
        let document = document.depth_clone(1);
        answer(self.run(document))
    }

    fn first_of(&mut self, failure: &Failure<'_>) -> Option<usize> {
        answer(self.run(value(&Document::new(&Facts::new(failure)))))
    }
}
