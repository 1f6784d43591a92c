//! `GET /openapi.json`: what can be asked, for machines.

use axum::response::Response;

use super::{Content, JSON, Operation, Problem, Shape, json};

pub(in crate::server) const OPERATION: Operation = Operation {
    id: "openapi",
    method: "get",
    path: "/openapi.json",
    summary: "This document",
    description: "What can be asked, as OpenAPI 3.1.",
    parameters: &[],
    request: None,
    answer: Content { media_type: JSON, schema: Shape::One("object"), about: "The document." },
    problems: &[],
};

pub(super) async fn answer() -> Result<Response, Problem> {
    json(&crate::server::openapi())
}
