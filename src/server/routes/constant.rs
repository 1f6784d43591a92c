//! `POST /v1/constant`, in builds for measuring: a request is taken in as for a decision, and nothing is decided.

use axum::response::Response;

use super::{Json, json_body};

/// Where it is; no part of the interface.
pub(super) const PATH: &str = "/v1/constant";

/// As long as an ordinary decision.
const ANSWER: &[u8] = br#"{"schema_version":1,"code":"DSUNK001","rule":null,"status":"failed","retry":"manual","matched":[],"message":"a constant answer, beside which the answers of the engine are measured: the same server, the same requests, the same length, and nothing decided; what is missing to them is what deciding costs, and it is as long as a decision with its message, its evidence and the digest of its rules usually is, so that both write as much: the text goes on up to here for no other reason than that, as nobody has to read it","unknown_reason":null}"#;

pub(super) async fn answer(_body: Json) -> Response {
    json_body(ANSWER)
}
