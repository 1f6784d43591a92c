//! How well a rule set is proven, for people: a table, what fails as a diff, what nothing covers, and which changes
//! nobody notices, each with a failure that can be written down as a case.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::model::Failure;
use crate::ruleset::proof::{Answer, CaseKind, CasePlace, CaseResult, MutationScore, Proof, RuleProof, Telling};

use super::escaped;

/// What is shown of a proof.
#[derive(Debug, Clone, Copy)]
pub struct ProofView {
    /// Every rule and every case instead of one line for each file.
    pub verbose: bool,
    /// Uncovered items and surviving mutants that are shown at most, each.
    pub shown: usize,
    /// Whether colors are wanted.
    pub styled: bool,
}

/// The proof for people.
#[must_use]
pub fn proof(proof: &Proof, view: ProofView) -> String {
    let mut out = String::new();
    table(&mut out, proof, view);
    for case in proof.failing() {
        failing(&mut out, case, view);
    }
    uncovered(&mut out, proof, view);
    if let Some(mutation) = &proof.mutation {
        survivors(&mut out, mutation, view);
    }
    out
}

/// One line: counts, coverage and score.
#[must_use]
pub fn proof_summary(proof: &Proof) -> String {
    let failing = proof.failing().count();
    let passed = match failing {
        0 => "all pass".to_owned(),
        1 => "1 fails".to_owned(),
        many => format!("{many} fail"),
    };
    let mut line = format!(
        "{}, {}, {}: {passed}; coverage {} % ({} of {})",
        plural(proof.codes, "code"),
        plural(proof.rules.len(), "rule"),
        plural(proof.cases.len(), "case"),
        percent(proof.coverage.percent()),
        proof.coverage.covered,
        proof.coverage.items
    );
    if let Some(mutation) = &proof.mutation {
        let _ = write!(
            line,
            "; mutation score {} ({} of {} killed, {} equivalent)",
            score(mutation),
            mutation.killed,
            mutation.mutants - mutation.equivalent,
            mutation.equivalent
        );
    }
    line
}

/// The score with two digits, cut and not rounded: 0.90 is what it says.
#[must_use]
pub fn score(mutation: &MutationScore) -> String {
    format!("{:.2}", (mutation.score() * 100.0 + 1e-9).floor() / 100.0)
}

fn percent(percent: f64) -> String {
    let cut = (percent * 10.0 + 1e-9).floor() / 10.0;
    if cut >= 100.0 { "100".to_owned() } else { format!("{cut:.1}") }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A line of the table.
struct Row<'p> {
    name: &'p str,
    code: &'p str,
    rules: usize,
    examples: usize,
    counterexamples: usize,
    covered: usize,
    items: usize,
    killed: usize,
    mutants: usize,
}

fn table(out: &mut String, proof: &Proof, view: ProofView) {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for rule in &proof.rules {
        match rows.last_mut().filter(|row| !view.verbose && row.name == rule.place.file) {
            Some(row) => add(row, rule),
            None => {
                let (name, code) = if view.verbose { (&*rule.rule, &*rule.code) } else { (&*rule.place.file, "") };
                let mut row = Row {
                    name,
                    code,
                    rules: 0,
                    examples: 0,
                    counterexamples: 0,
                    covered: 0,
                    items: 0,
                    killed: 0,
                    mutants: 0,
                };
                add(&mut row, rule);
                rows.push(row);
            }
        }
    }
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default().max(4);
    let second = if view.verbose { "CODE     " } else { "RULES" };
    let name = if view.verbose { "RULE" } else { "FILE" };
    let mutants = if proof.mutation.is_some() { "  MUTANTS KILLED" } else { "" };
    let _ = writeln!(out, "{name:<width$}  {second}  EXAMPLES  COUNTEREXAMPLES  ITEMS COVERED{mutants}");
    for row in rows {
        let second = if view.verbose { format!("{:<9}", row.code) } else { format!("{:>5}", row.rules) };
        let _ = write!(
            out,
            "{:<width$}  {second}  {:>8}  {:>15}  {:>13}",
            row.name,
            row.examples,
            row.counterexamples,
            format!("{}/{}", row.covered, row.items)
        );
        if proof.mutation.is_some() {
            let _ = write!(out, "  {:>14}", format!("{}/{}", row.killed, row.mutants));
        }
        out.push('\n');
        if view.verbose {
            for case in proof.cases.iter().filter(|case| case.owner == row.name) {
                case_line(out, case, view);
            }
        }
    }
    if view.verbose {
        for case in proof.cases.iter().filter(|case| case.kind == CaseKind::CodeExample) {
            case_line(out, case, view);
        }
    }
}

fn add(row: &mut Row<'_>, rule: &RuleProof) {
    row.rules += 1;
    row.examples += rule.examples;
    row.counterexamples += rule.counterexamples;
    row.covered += rule.covered;
    row.items += rule.items;
    row.killed += rule.killed;
    row.mutants += rule.mutants;
}

fn case_line(out: &mut String, case: &CaseResult, view: ProofView) {
    let mark = if case.passed { paint("ok  ", GOOD, view) } else { paint("FAIL", BAD, view) };
    let rule = case.actual.rule.as_deref().unwrap_or_default();
    let _ = writeln!(out, "  {mark}  {}  {:<14}  {}  {rule}", at(&case.place), kind(case.kind), case.actual.code);
}

fn failing(out: &mut String, case: &CaseResult, view: ProofView) {
    let title = format!("{}: {} of `{}`", paint("FAIL", BAD, view), kind(case.kind), case.owner);
    let _ = writeln!(out, "\n{title}\n  --> {}", at(&case.place));
    let mut line = |name: &str, expected: Option<&str>, actual: Option<&str>| {
        let Some(expected) = expected else {
            let _ = writeln!(out, "    {name:<8} {}", escaped(actual.unwrap_or_default()));
            return;
        };
        let actual = actual.unwrap_or_default();
        if expected == actual {
            let _ = writeln!(out, "    {name:<8} {}", escaped(expected));
        } else {
            let _ = writeln!(out, "  {}", paint(&format!("- {name:<8} {}", escaped(expected)), BAD, view));
            let _ = writeln!(out, "  {}", paint(&format!("+ {name:<8} {}", escaped(actual)), GOOD, view));
        }
    };
    line("rule", case.expected.rule.as_deref(), case.actual.rule.as_deref());
    line("code", Some(&case.expected.code), Some(&case.actual.code));
    if case.expected.message.is_some() {
        line("message", case.expected.message.as_deref(), case.actual.message.as_deref());
    }
}

fn uncovered(out: &mut String, proof: &Proof, view: ProofView) {
    let list = &proof.coverage.uncovered;
    for item in list.iter().take(view.shown) {
        let _ = writeln!(out, "\n{}: {} of `{}`", paint("not covered", WARN, view), escaped(&item.item), item.rule);
        let _ = writeln!(out, "  --> {}", at(&item.place));
        match &item.telling {
            Some(telling) => told(out, telling, "a failure that would cover it"),
            None => out.push_str("  no failure that would cover it was found\n"),
        }
    }
    rest(out, list.len(), view.shown, "uncovered item");
}

fn survivors(out: &mut String, mutation: &MutationScore, view: ProofView) {
    for survivor in mutation.survivors.iter().take(view.shown) {
        let title =
            format!("{}: {} {}", paint("survives", WARN, view), survivor.kind.as_str(), escaped(&survivor.change));
        let _ = writeln!(out, "\n{title} in `{}`\n  --> {}", survivor.rule, at(&survivor.place));
        match &survivor.telling {
            Some(telling) => {
                let about = match (&telling.changed.rule, &telling.changed.message) {
                    (_, Some(_)) => "a failure that would tell: with the change it gets another message".to_owned(),
                    (rule, None) => format!(
                        "a failure that would tell: with the change `{}` gives {}",
                        rule.as_deref().unwrap_or_default(),
                        telling.changed.code
                    ),
                };
                told(out, telling, &about);
            }
            None => out.push_str("  no failure that would tell was found\n"),
        }
    }
    rest(out, mutation.survivors.len(), view.shown, "surviving mutant");
    out.push('\n');
    for kind in &mutation.kinds {
        let equivalent = if kind.equivalent == 0 { String::new() } else { format!(", {} equivalent", kind.equivalent) };
        let counted = kind.mutants - kind.equivalent;
        let _ = writeln!(out, "{:<17} {:>5} of {counted} killed{equivalent}", kind.kind.as_str(), kind.killed);
    }
    if view.verbose {
        for reason in &mutation.reasons {
            let _ = writeln!(out, "equivalent        {:>5}: {}", reason.count, escaped(&reason.reason));
        }
    }
}

fn rest(out: &mut String, count: usize, shown: usize, noun: &str) {
    if count > shown {
        let _ = writeln!(out, "\n{} not shown; `--all` shows them", plural(count - shown, &format!("more {noun}")));
    }
}

fn told(out: &mut String, telling: &Telling, about: &str) {
    let _ = writeln!(out, "  {about}:\n");
    for line in case_toml(telling).lines() {
        let _ = writeln!(out, "    {line}");
    }
}

/// A telling failure as it is written into a rule file.
#[must_use]
pub fn case_toml(telling: &Telling) -> String {
    let Telling { kind, expected: Answer { code, message, .. }, failure, .. } = telling;
    let mut out = match kind {
        CaseKind::Counterexample => format!("[[rules.counterexamples]]\ncode = \"{code}\"\n"),
        CaseKind::Example | CaseKind::CodeExample => "[[rules.examples]]\n".to_owned(),
    };
    let _ = writeln!(out, "failure = {}", failure_toml(failure));
    if let Some(message) = message {
        let _ = writeln!(out, "message = {}", quoted(message));
    }
    out
}

/// The order in which the fields of a failure and of an exception are written.
const ORDER: [&str; 13] = [
    "connector",
    "operation",
    "phase",
    "http_status",
    "provider_codes",
    "type",
    "message",
    "ancestors",
    "error_numbers",
    "parent",
    "exceptions",
    "attributes",
    "text",
];

/// A failure as an inline table.
fn failure_toml(failure: &Failure<'_>) -> String {
    let mut out = String::new();
    // Texts and numbers only: they have a JSON form.
    inline(&serde_json::to_value(failure).unwrap_or_default(), &mut out);
    out
}

fn inline(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Object(map) => {
            let mut separator = "{ ";
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()));
            for (key, value) in entries {
                let is_bare =
                    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
                let key = if is_bare { key.clone() } else { quoted(key) };
                let _ = write!(out, "{separator}{key} = ");
                inline(value, out);
                separator = ", ";
            }
            out.push_str(" }");
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                inline(item, out);
            }
            out.push(']');
        }
        Value::String(text) => out.push_str(&quoted(text)),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// A basic string: on one line, with everything escaped that a terminal might take for a command.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if escaped(c.encode_utf8(&mut [0; 4])) != c.encode_utf8(&mut [0; 4]) as &str => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();

fn paint(text: &str, style: Style, view: ProofView) -> String {
    if view.styled { format!("{}{text}{}", style.render(), style.render_reset()) } else { text.to_owned() }
}

fn kind(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Example | CaseKind::CodeExample => "example",
        CaseKind::Counterexample => "counterexample",
    }
}

fn at(place: &CasePlace) -> String {
    format!("{}:{}:{}", escaped(&place.file), place.start.line, place.start.column)
}
