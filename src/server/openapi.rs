//! The document of the interface, OpenAPI 3.1: made from the table of operations and the schemas of the values.

use serde_json::{Map, Value, json};

use crate::engine::Status;
use crate::render;

use super::problem::{self, Problem};
use super::routes::{self, Content, OPERATIONS, Operation, PROBES, Parameter, RELOAD, Shape};

/// What can be asked, as OpenAPI 3.1.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(operation);
    }
    let mut schemas = Map::new();
    schemas.insert("object".to_owned(), json!({ "type": "object" }));
    for name in ["failure", "decision", "trace"] {
        add(&mut schemas, name, render::schema(name).unwrap_or_default());
    }
    add(&mut schemas, "status", schemars::schema_for!(Status).to_value());
    add(&mut schemas, "codes", schemars::schema_for!(routes::Codes<'static>).to_value());
    add(&mut schemas, "code", schemars::schema_for!(routes::CodePage<'static>).to_value());
    add(&mut schemas, "reload", schemars::schema_for!(routes::Reload).to_value());
    add(&mut schemas, "problem", schemars::schema_for!(Problem).to_value());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "faultbook",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Says what went wrong in a stable word, and what happens next.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "Where this document came from." }],
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "problem": {
                    "description": "The request was not answered; `detail` says why and what to do instead.",
                    "content": content(problem::MEDIA_TYPE, &reference("problem")),
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "Where the service asks for a token." },
                "reloadToken": { "type": "http", "scheme": "bearer", "description": "Of `POST /v1/reload` alone." },
            },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let mut responses = Map::new();
    let answer = &operation.answer;
    responses.insert(
        "200".to_owned(),
        json!({ "description": answer.about, "content": content(answer.media_type, &schema(answer)) }),
    );
    // What the guard says, and what is said while the service ends.
    let of_guard: &[u16] =
        if PROBES.contains(&operation.path) { &[403, 415, 503] } else { &[401, 403, 415, 421, 429, 503] };
    // What the gate says, and what is left when a route fails.
    let of_all = [400, 405, 408, 414, 431, 500];
    let problems = operation.problems.iter().chain(of_guard).chain(&of_all);
    for status in problems.collect::<std::collections::BTreeSet<_>>() {
        responses.insert(status.to_string(), json!({ "$ref": "#/components/responses/problem" }));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "responses": responses,
    });
    if !operation.parameters.is_empty() {
        described["parameters"] = operation.parameters.iter().map(parameter).collect();
    }
    if let Some(request) = &operation.request {
        described["requestBody"] = json!({
            "required": true,
            "description": request.about,
            "content": content(request.media_type, &schema(request)),
        });
    }
    if PROBES.contains(&operation.path) {
        described["security"] = json!([]);
    } else if operation.path == RELOAD {
        described["security"] = json!([{ "reloadToken": [] }]);
    }
    described
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": if parameter.is_in_path { "path" } else { "query" },
        "required": parameter.is_in_path,
        "description": parameter.about,
        "schema": serde_json::from_str::<Value>(parameter.schema).unwrap_or_default(),
    })
}

fn content(media_type: &str, schema: &Value) -> Value {
    let mut content = Map::new();
    content.insert(media_type.to_owned(), json!({ "schema": schema }));
    Value::Object(content)
}

fn schema(content: &Content) -> Value {
    match content.schema {
        Shape::One(name) => reference(name),
        Shape::OneOrMany(name) => {
            json!({ "anyOf": [reference(name), { "type": "array", "items": reference(name) }] })
        }
        // A document cannot say what stands on the lines of a text but in words.
        Shape::Lines(name) => json!({ "type": "string", "description": format!("Lines of `{name}`.") }),
        Shape::Text => json!({ "type": "string" }),
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Adds a schema together with those that it is made of.
fn add(schemas: &mut Map<String, Value>, name: &str, mut schema: Value) {
    if let Some(root) = schema.as_object_mut() {
        root.remove("$schema");
        if let Some(Value::Object(parts)) = root.remove("$defs") {
            for (part, mut schema) in parts {
                point_to_components(&mut schema);
                schemas.insert(part, schema);
            }
        }
    }
    point_to_components(&mut schema);
    schemas.insert(name.to_owned(), schema);
}

fn point_to_components(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(target) if name == "$ref" => {
                        *target = target.replace("#/$defs/", "#/components/schemas/");
                    }
                    _ => point_to_components(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        _ => {}
    }
}
