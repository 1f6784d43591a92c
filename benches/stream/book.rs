//! The made-up rules as rule files: what the command line would load.
//!
//! A file has one connector, so that the rules stand in the order of their connectors. Every rule has an example, as rule
//! files demand; a rule of which no failure can be found that it wins is left out.

use std::error::Error;

use faultbook::matcher::{Lexicon, Matcher, Scratch};
use faultbook::{Failure, Rule, RuleSet, Sources};
use serde_json::{Value as Json, json};
use toml::{Table, Value};

use super::workload::Workload;

/// Failures that are tried as example of a rule.
const TRIES: usize = 400;

/// A rule set of so many made-up rules, with what their patterns need and no `[facts]`.
pub fn rule_set(world: &Workload) -> Result<RuleSet, Box<dyn Error>> {
    let mut order: Vec<usize> = (0..world.rules.len()).collect();
    order.sort_by_key(|&index| world.rules[index].connectors.clone());
    let sorted: Vec<Rule> = order.iter().map(|&index| world.rules[index].clone()).collect();
    let matcher = Matcher::new(sorted, Lexicon::default());
    let mut scratch = Scratch::default();
    let mut files: Vec<(Vec<String>, Vec<Value>)> = Vec::new();
    for (place, &index) in order.iter().enumerate() {
        let rule = &world.rules[index];
        let mut wins = |failure: &Failure<'_>| matcher.first(failure, None, &mut scratch) == Some(place);
        let Some(example) = world.hits(index..index + 1, 200).take(TRIES).find(|failure| wins(failure)) else {
            continue;
        };
        let entry = toml(&entry(rule, index, &example)?)?;
        match files.last_mut().filter(|(connectors, _)| *connectors == rule.connectors) {
            Some((_, entries)) => entries.push(entry),
            None => files.push((rule.connectors.clone(), vec![entry])),
        }
    }
    let mut sources = Vec::new();
    for (number, (connectors, entries)) in files.iter().enumerate() {
        let mut file = Table::new();
        file.insert("format".to_owned(), Value::Integer(1));
        if !connectors.is_empty() {
            file.insert("connector".to_owned(), toml(&json!(connectors))?);
        }
        if number == 0 {
            file.insert("codes".to_owned(), toml(&codes())?);
        }
        file.insert("rules".to_owned(), Value::Array(entries.clone()));
        sources.push((format!("made{number}.toml"), file.to_string()));
    }
    let names: Vec<&String> = sources.iter().map(|(name, _)| name).collect();
    let manifest = json!({
        "format": 1,
        "order": names,
        "fallback": "DSUNK001",
        "statuses": ["Failed"],
        "families": { "DSUNK": { "title": "Unknown" }, "DSXX": { "title": "Made up" } },
    });
    sources.push(("faultbook.toml".to_owned(), toml::to_string(&manifest)?));
    let (set, _) = RuleSet::load(Sources::from_texts(sources)).map_err(|rejected| rejected.to_string())?;
    Ok(set)
}

fn codes() -> Json {
    let code = |title: &str, retry: &str| {
        json!({
            "title": title, "status": "Failed", "retry": retry, "since": "2026.11",
            "meaning": "It is made up.", "remedy": ["Wait."],
        })
    };
    json!({ "DSUNK001": code("Undiagnosed", "undiagnosed"), "DSXX001": code("Made up", "retried") })
}

/// A rule as its entry in a rule file.
fn entry(rule: &Rule, index: usize, example: &Failure<'_>) -> Result<Json, serde_json::Error> {
    let conditions = |conditions: &[faultbook::matcher::Condition]| -> Result<Json, serde_json::Error> {
        let mut table = serde_json::Map::new();
        for condition in conditions {
            let condition = serde_json::to_value(condition)?;
            let values = &condition["is"];
            let items = numbers(&values["items"]);
            let items = if values["quantifier"] == "all" { json!({ "all": items }) } else { items };
            table.insert(condition["on"].as_str().unwrap_or_default().to_owned(), items);
        }
        Ok(Json::Object(table))
    };
    let mut entry = json!({
        "id": format!("made-{index}"),
        "code": rule.code.as_str(),
        "when": conditions(&rule.when)?,
        "examples": [{ "failure": example }],
    });
    if !rule.unless.is_empty() {
        entry["unless"] = conditions(&rule.unless)?;
    }
    Ok(entry)
}

/// Items with single statuses as numbers, as rule files write them.
fn numbers(items: &Json) -> Json {
    let number = |item: &Json| item.as_str().and_then(|text| text.parse::<u16>().ok()).map(Json::from);
    items
        .as_array()
        .map_or(Json::Null, |items| items.iter().map(|item| number(item).unwrap_or_else(|| item.clone())).collect())
}

fn toml(json: &Json) -> Result<Value, toml::ser::Error> {
    Value::try_from(json)
}
