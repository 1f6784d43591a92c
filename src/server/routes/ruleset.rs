//! `GET /v1/ruleset`: which rules are in force, since when, and how loading them goes.

use axum::extract::State;
use axum::response::Response;

use super::{Content, Handle, JSON, Operation, Problem, Shape, json, shared};

pub(in crate::server) const OPERATION: Operation = Operation {
    id: "getRuleset",
    method: "get",
    path: "/v1/ruleset",
    summary: "The rules in force",
    description: "Digest, number and age of the rule set in force, how the last load ended, and how often each rule won.",
    parameters: &[],
    request: None,
    answer: Content { media_type: JSON, schema: Shape::One("status"), about: "How the engine stands." },
    problems: &[],
};

pub(super) async fn answer(State(handle): State<Handle>) -> Result<Response, Problem> {
    json(&shared(&handle)?.engine.status())
}
