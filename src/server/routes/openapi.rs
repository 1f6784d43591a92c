//! `GET /openapi.json`: what can be asked, for machines.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::response::Response;

use super::{Content, JSON, Operation, Shape, json_body};

/// Made once: it takes longer than any other answer.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| crate::server::openapi().to_string().into());

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

pub(super) async fn answer() -> Response {
    json_body(DOCUMENT.clone())
}
