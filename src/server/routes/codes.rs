//! `GET /v1/codes` and `GET /v1/codes/{code}`: the catalogue.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::diagnostic::did_you_mean;
use crate::model::CatalogEntry;

use super::{Content, Handle, JSON, Operation, Parameter, Problem, Shape, json, shared};

pub(in crate::server) const ALL: Operation = Operation {
    id: "listCodes",
    method: "get",
    path: "/v1/codes",
    summary: "All codes of the rules in force",
    description: "The catalogue: what each code means, its status and retry class, and what to do.",
    parameters: &[],
    request: None,
    answer: Content { media_type: JSON, schema: Shape::One("codes"), about: "The catalogue." },
    problems: &[],
};

pub(in crate::server) const ONE: Operation = Operation {
    id: "getCode",
    method: "get",
    path: "/v1/codes/{code}",
    summary: "What a code means",
    description: "A code with the rules that give it.",
    parameters: &[Parameter {
        name: "code",
        is_in_path: true,
        about: "A code such as DSEX001; capital and small letters are the same.",
        schema: r#"{"type": "string", "minLength": 1}"#,
    }],
    request: None,
    answer: Content { media_type: JSON, schema: Shape::One("code"), about: "The code." },
    problems: &[404],
};

/// The catalogue.
#[derive(Serialize, schemars::JsonSchema)]
pub(in crate::server) struct Codes<'s> {
    /// The codes, in the order of the rule files.
    codes: &'s [CatalogEntry],
    /// Digest of the rules in force.
    ruleset: &'s str,
}

/// A code of the catalogue.
#[derive(Serialize, schemars::JsonSchema)]
pub(in crate::server) struct CodePage<'s> {
    /// The code.
    code: &'s CatalogEntry,
    /// The rules that give it, in their order.
    rules: Vec<&'s str>,
    /// Digest of the rules in force.
    ruleset: &'s str,
}

pub(super) async fn all(State(handle): State<Handle>) -> Result<Response, Problem> {
    let generation = shared(&handle)?.engine.current();
    let set = generation.rules();
    json(&Codes { codes: set.codes(), ruleset: set.digest() })
}

pub(super) async fn one(
    State(handle): State<Handle>,
    code: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(code) = code.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the code is not UTF-8"))?;
    let generation = shared(&handle)?.engine.current();
    let set = generation.rules();
    let wanted = code.to_ascii_uppercase();
    let Some(entry) = set.code(&wanted) else {
        let help = did_you_mean(&wanted, set.codes().iter().map(|entry| entry.code.as_str()));
        let detail = format!("there is no such code in the rules in force. {help}");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail.trim_end().to_owned()));
    };
    let rules = set.rules_of(&entry.code).map(|rule| rule.id.as_str()).collect();
    json(&CodePage { code: entry, rules, ruleset: set.digest() })
}
