//! `POST /v1/constant`, in builds for measuring: a request is taken in as for a decision, and nothing is decided.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::response::Response;

use super::{Json, json_body};

/// Where it is; no part of the interface.
pub(super) const PATH: &str = "/v1/constant";

/// Bytes of an ordinary decision.
const LENGTH: usize = 545;

static ANSWER: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(format!("\"{}\"", "-".repeat(LENGTH - 2))));

pub(super) async fn answer(_body: Json) -> Response {
    json_body(ANSWER.clone())
}
