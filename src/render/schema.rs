//! JSON Schemas: of rule files from the key tables, of answers from their types.
//!
//! Closed words are `enum`, not `oneOf`: editors then show one clear error for a misspelt word.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::engine::Status;
use crate::model::{Decision, Trace, limits};
use crate::rulefile::keys::{self, Key, Kind, NameKind};
use crate::ruleset::proof::Proof;

use super::report::ReportDocument;

/// A schema by name: `manifest`, `rules`, `ledger`, `failure`, `decision`, `trace`, `status`, `report` or `test`.
#[must_use]
pub fn schema(name: &str) -> Option<Value> {
    Some(match name {
        "manifest" => {
            document("faultbook manifest", "faultbook.toml: order, statuses, families, facts.", keys::MANIFEST, false)
        }
        "rules" => document("faultbook rules", "A file of codes and the rules that give them.", keys::RULE_FILE, false),
        "ledger" => document(
            "faultbook ledger",
            "Every code ever issued; written by `faultbook ledger --write`.",
            keys::LEDGER,
            false,
        ),
        "failure" => document(
            "faultbook failure",
            "A failure. Every field is optional; unknown fields are ignored and counted.",
            keys::FAILURE,
            true,
        ),
        "decision" => typed::<Decision<'static>>("faultbook decision"),
        "trace" => typed::<Trace>("faultbook trace"),
        "status" => typed::<Status>("faultbook status"),
        "report" => typed::<ReportDocument>("faultbook report"),
        "test" => typed::<Proof>("faultbook test"),
        _ => return None,
    })
}

fn typed<T: schemars::JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

fn document(title: &str, about: &str, keys: &[Key], open: bool) -> Value {
    let mut schema = table(keys, open);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        schema.insert("title".to_owned(), title.into());
        schema.insert("description".to_owned(), about.into());
    }
    schema
}

/// An object with known keys; an open one takes others as well, as failures from connectors do.
fn table(keys: &[Key], open: bool) -> Value {
    let mut properties = Map::new();
    for key in keys {
        let mut schema = kind(key.kind, open);
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), key.about.into());
            let examples = examples(key.kind);
            if !open && examples != json!([]) {
                schema.insert("examples".to_owned(), examples);
            }
        }
        properties.insert(key.name.to_owned(), schema);
    }
    let required: Vec<&str> = keys.iter().filter(|key| key.required && !open).map(|key| key.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": open });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Values that editors show where the kind alone says little.
fn examples(kind: Kind) -> Value {
    match kind {
        Kind::Code => json!(["DSEX001"]),
        Kind::Id => json!(["secret-expired"]),
        Kind::StatusCondition => json!([404, "5xx", [408, 429, "500-599"]]),
        Kind::NumberCondition => json!([1205, [1205, 1222]]),
        Kind::Status => json!([404]),
        Kind::Integers => json!([[1205]]),
        Kind::Patterns => json!([r"\bAADSTS[0-9]+\b"]),
        _ => json!([]),
    }
}

fn kind(kind: Kind, open: bool) -> Value {
    let text = || json!({ "type": "string", "minLength": 1 });
    let list = |item: Value| json!({ "type": "array", "minItems": 1, "items": item });
    let one_or_all = |item: Value| {
        let mut each = list(item.clone());
        each["description"] = json!("What must all be there; a list without `all` is any of them.");
        let all = json!({ "type": "object", "properties": { "all": each }, "required": ["all"], "additionalProperties": false });
        json!({ "anyOf": [item, list(item.clone()), all] })
    };
    let integer = || json!({ "type": "integer" });
    match kind {
        Kind::Format => json!({ "type": "integer", "const": crate::rulefile::FORMAT }),
        Kind::Text | Kind::Markdown if open => json!({ "type": ["string", "null"] }),
        Kind::Text | Kind::Markdown => text(),
        Kind::Texts if open => json!({ "type": ["array", "null"], "items": { "type": "string" } }),
        Kind::Texts => list(text()),
        Kind::OneOrMore | Kind::Patterns => json!({ "anyOf": [text(), list(text())] }),
        Kind::Bool => json!({ "type": "boolean", "default": false }),
        Kind::Integers => json!({ "type": "array", "items": integer() }),
        Kind::Code => json!({ "type": "string", "pattern": NameKind::Code.pattern() }),
        Kind::Id => json!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Condition => one_or_all(text()),
        Kind::StatusCondition => one_or_all(json!({ "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": "^([1-5][xX]{2}|[1-5][0-9]{2}(-[1-5][0-9]{2})?)$" }
        ] })),
        Kind::NumberCondition => one_or_all(integer()),
        Kind::AttributeConditions => {
            json!({ "type": "object", "additionalProperties": one_or_all(json!({ "type": ["string", "integer", "boolean"] })) })
        }
        Kind::NamedPatterns(names) => {
            json!({ "type": "object", "patternProperties": { names.pattern(): text() }, "additionalProperties": false })
        }
        Kind::TypeLists => json!({ "type": "object", "additionalProperties": { "type": "array", "items": text() } }),
        Kind::Attributes => {
            json!({ "type": "object", "maxProperties": limits::FACTS, "additionalProperties": { "type": ["string", "integer", "boolean"] } })
        }
        Kind::Index => json!({ "type": "integer", "minimum": 0 }),
        // Connectors send odd statuses; the engine reads them as absent and says so.
        Kind::Status if open => json!({ "type": ["integer", "string", "null", "number"] }),
        Kind::Status => json!({ "type": "integer", "minimum": 100, "maximum": 599 }),
        Kind::Table(keys) => table(keys, open),
        Kind::Tables(keys) => json!({ "type": "array", "items": table(keys, open) }),
        Kind::TablesByName(keys, names) => {
            json!({ "type": "object", "patternProperties": { names.pattern(): table(keys, open) }, "additionalProperties": false })
        }
    }
}
