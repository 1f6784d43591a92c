//! The page of a code and the table of all codes, as text.

use std::fmt::Write as _;

use crate::model::{CatalogEntry, Condition, Decision, Failure, Rule};
use crate::ruleset::RuleSet;

use super::escaped;

/// What a code means, what to do, which rules give it, with an example and what is decided on it.
#[must_use]
pub fn page(set: &RuleSet, entry: &CatalogEntry, example: Option<(&Failure<'_>, &Decision<'_>)>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}  {}", entry.code, entry.title);
    let provisional = if entry.provisional { " (provisional)" } else { "" };
    let _ =
        writeln!(out, "status {}{provisional}, retry {}, {}", entry.status, entry.retry.label(), entry.action.label());
    if let Some(retired) = &entry.retired {
        let _ = writeln!(out, "RETIRED: {retired}");
    }
    let _ = writeln!(out, "\nWhat it means\n{}", indented(&entry.meaning, 2));
    let _ = writeln!(out, "\nWhat to do");
    for (index, step) in entry.remedy.iter().enumerate() {
        let _ = writeln!(out, "  {}. {}", index + 1, indented(step, 5).trim_start());
    }
    rules(&mut out, set, entry);
    if let Some((failure, decision)) = example {
        let json = serde_json::to_string(failure).unwrap_or_default();
        let _ = writeln!(out, "\nExample\n  {}\n  → {}", escaped(&json), escaped(&decision.message));
    }
    if !entry.links.is_empty() {
        let _ = writeln!(
            out,
            "\nRead more\n{}",
            entry.links.iter().map(|link| format!("  {link}")).collect::<Vec<_>>().join("\n")
        );
    }
    if let Some(since) = &entry.since {
        let _ = writeln!(out, "\nIssued since {since}.");
    }
    out
}

fn rules(out: &mut String, set: &RuleSet, entry: &CatalogEntry) {
    let _ = writeln!(out, "\nRules that give it");
    let mut any = false;
    for rule in set.rules_of(&entry.code) {
        any = true;
        let _ = writeln!(out, "  {}", rule.id);
        for condition in &rule.when {
            let _ = writeln!(out, "    when {}", describe(condition));
        }
        for condition in &rule.unless {
            let _ = writeln!(out, "    unless {}", describe(condition));
        }
    }
    if entry.code == set.fallback().code {
        let _ = writeln!(out, "  fallback: everything that no rule knows");
    } else if !any {
        let _ = writeln!(out, "  none");
    }
}

/// A condition on one line: its key and its values as written.
fn describe(condition: &Condition) -> String {
    let value = serde_json::to_value(condition).unwrap_or_default();
    format!("{} {}", condition.key(), values(&value["is"]))
}

fn values(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::String(text) => escaped(text).into_owned(),
        Value::Array(items) => items.iter().map(values).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            if let Some(list) = map.get("items").or_else(|| map.get("values").and_then(|values| values.get("items"))) {
                let all = map.get("quantifier").and_then(Value::as_str) == Some("all");
                let joined = list
                    .as_array()
                    .map(|items| items.iter().map(values).collect::<Vec<_>>().join(if all { " and " } else { " | " }));
                return joined.unwrap_or_default();
            }
            if let Some(Value::Array(conditions)) = map.get("conditions") {
                let part = |condition: &Value| {
                    format!("{} {}", condition["on"].as_str().unwrap_or_default(), values(&condition["is"]))
                };
                return format!("{{ {} }}", conditions.iter().map(part).collect::<Vec<_>>().join("; "));
            }
            map.iter().map(|(name, value)| format!("{name} {}", values(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn indented(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    text.trim()
        .lines()
        .map(|line| if line.is_empty() { String::new() } else { format!("{margin}{line}") })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The catalogue and the order in which rules are tried.
#[must_use]
pub fn catalogue(set: &RuleSet) -> String {
    let mut out = String::new();
    let width =
        |of: fn(&CatalogEntry) -> &str| set.codes().iter().map(|entry| of(entry).chars().count()).max().unwrap_or(0);
    let (title, status) = (width(|entry| &entry.title), width(|entry| &entry.status));
    let _ = writeln!(out, "{:<9}  {:<title$}  {:<status$}  RETRY", "CODE", "TITLE", "STATUS");
    for entry in set.codes() {
        let marks = match (&entry.retired, entry.provisional) {
            (Some(_), _) => " (retired)",
            (None, true) => " (provisional)",
            (None, false) => "",
        };
        let _ = writeln!(
            out,
            "{:<9}  {:<title$}  {:<status$}  {}{marks}",
            entry.code.as_str(),
            entry.title,
            entry.status,
            entry.retry.label()
        );
    }
    let _ = writeln!(out, "\nRules in the order in which they are tried; the first that applies wins:");
    for (index, rule) in set.rules().iter().enumerate() {
        let _ = writeln!(out, "{:>4}  {:<9}  {}{}", index + 1, rule.code.as_str(), rule.id, scope(rule));
    }
    let _ = writeln!(
        out,
        "{:>4}  {:<9}  {}",
        set.rules().len() + 1,
        set.fallback().code.as_str(),
        crate::ruleset::FALLBACK_RULE
    );
    out
}

fn scope(rule: &Rule) -> String {
    if rule.connectors.is_empty() { String::new() } else { format!("  [{}]", rule.connectors.join(", ")) }
}
