//! The schemas in `schema/` are fresh, and they accept what the engine accepts.

use std::fs;

use faultbook::cli::SCHEMAS;
use faultbook::render;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::codes::rules;
use super::snapshot::{files, root};

pub fn trials() -> Vec<Trial> {
    let fresh = SCHEMAS.iter().map(|(name, _)| Trial::test(format!("schema/{name}_is_fresh"), move || is_fresh(name)));
    let mut trials: Vec<Trial> = fresh.collect();
    trials.push(Trial::test("schema/every_file_has_a_schema", || {
        let names: Vec<_> = SCHEMAS.iter().map(|(name, _)| format!("{name}.schema")).collect();
        let present = files(&root().join("schema"), "json")?;
        let stray: Vec<_> = present.iter().filter(|name| !names.contains(name)).collect();
        if stray.is_empty() { Ok(()) } else { Err(format!("no schema of the tool: {stray:?}").into()) }
    }));
    trials.push(Trial::test("schema/accepts_every_rule_file", accepts_rule_files));
    trials.push(Trial::test("schema/accepts_every_decision_and_failure", accepts_decisions));
    trials.push(Trial::test("schema/refuses_what_the_engine_refuses", refuses));
    trials
}

/// `INSTA_UPDATE=always cargo test schema/` writes them anew.
fn is_fresh(name: &str) -> Result<(), Failed> {
    let path = root().join("schema").join(format!("{name}.schema.json"));
    let schema = render::schema(name).ok_or("no such schema")?;
    let text = format!("{}\n", serde_json::to_string_pretty(&schema)?);
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        fs::write(&path, &text)?;
    }
    if fs::read_to_string(&path).unwrap_or_default() == text {
        return Ok(());
    }
    Err(format!("{} is stale: run `faultbook schema {name} > schema/{name}.schema.json`", path.display()).into())
}

fn validator(name: &str) -> Result<jsonschema::Validator, Failed> {
    let schema = render::schema(name).ok_or("no such schema")?;
    jsonschema::validator_for(&schema).map_err(|error| error.to_string().into())
}

fn validate(validator: &jsonschema::Validator, what: &str, value: &Value) -> Result<(), Failed> {
    let errors: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{what}: {} at {}", error, error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n").into()) }
}

fn accepts_rule_files() -> Result<(), Failed> {
    for stem in files(&root().join("rules"), "toml")? {
        let text = fs::read_to_string(root().join("rules").join(format!("{stem}.toml")))?;
        let value: Value = toml::from_str(&text)?;
        let name = match stem.as_str() {
            "faultbook" => "manifest",
            "ledger" => "ledger",
            _ => "rules",
        };
        if !text.starts_with(&format!("#:schema ../schema/{name}.schema.json\n")) {
            return Err(format!("{stem}.toml does not start with its #:schema line").into());
        }
        validate(&validator(name)?, &stem, &value)?;
    }
    Ok(())
}

fn accepts_decisions() -> Result<(), Failed> {
    let (decision, failure, trace) = (validator("decision")?, validator("failure")?, validator("trace")?);
    for entry in rules().codes() {
        for example in rules().examples_of(&entry.code) {
            validate(&failure, entry.code.as_str(), &serde_json::to_value(example)?)?;
            validate(&decision, entry.code.as_str(), &serde_json::to_value(rules().classify(example))?)?;
            validate(&trace, entry.code.as_str(), &serde_json::to_value(rules().trace(example, 3))?)?;
        }
    }
    validate(&trace, "unreadable", &serde_json::to_value(rules().trace_unreadable("expected an object"))?)?;
    validate(&decision, "unreadable", &serde_json::to_value(rules().unreadable("expected an object"))?)
}

fn refuses() -> Result<(), Failed> {
    let cases = [
        ("rules", r#"{ "format": 2 }"#),
        ("rules", r#"{ "format": 1, "ruels": [] }"#),
        (
            "rules",
            r#"{ "format": 1, "codes": { "dsex001": { "title": "a", "status": "b", "retry": "none", "meaning": "c", "remedy": ["d"] } } }"#,
        ),
        (
            "rules",
            r#"{ "format": 1, "codes": { "DSEX001": { "title": "a", "status": "b", "retry": "maybe", "meaning": "c", "remedy": ["d"] } } }"#,
        ),
        ("rules", r#"{ "format": 1, "rules": [{ "id": "a", "code": "DSEX001", "when": { "http_status": 600 } }] }"#),
        ("rules", r#"{ "format": 1, "rules": [{ "id": "a", "code": "DSEX001", "when": { "mesage": "x" } }] }"#),
        ("rules", r#"{ "format": 1, "rules": [{ "id": "A b", "code": "DSEX001", "when": { "message": "x" } }] }"#),
        (
            "rules",
            r#"{ "format": 1, "rules": [{ "id": "a", "code": "DSEX001", "when": { "message": "x" }, "capture": { "Id": "x" } }] }"#,
        ),
        ("manifest", r#"{ "format": 1, "order": [], "fallback": "DSUNK001", "statuses": ["Failed"], "families": {} }"#),
        ("decision", r#"{ "code": "DSEX001" }"#),
    ];
    for (name, text) in cases {
        if validator(name)?.is_valid(&serde_json::from_str(text)?) {
            return Err(format!("the schema `{name}` accepts {text}").into());
        }
    }
    Ok(())
}
