//! `POST /v1/trace`: why a failure has its code.

use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::input::json::Record;
use crate::input::records::Raw;
use crate::render;

use super::{Content, Handle, JSON, Json, Operation, Parameter, Problem, Shape, aside, json_body};

/// Rules that nearly apply, when nobody says how many.
const MISSES: usize = 3;
/// Rules that nearly apply, at most.
const MOST_MISSES: usize = 50;

pub(in crate::server) const OPERATION: Operation = Operation {
    id: "trace",
    method: "post",
    path: "/v1/trace",
    summary: "Why a failure has its code",
    description: "The rule that wins, rules that apply as well and lose by order, and rules that nearly apply.",
    parameters: &[Parameter {
        name: "misses",
        is_in_path: false,
        about: "How many rules that nearly apply are shown.",
        schema: r#"{"type": "integer", "minimum": 0, "maximum": 50, "default": 3}"#,
    }],
    request: Some(Content { media_type: JSON, schema: Shape::One("failure"), about: "A failure." }),
    answer: Content { media_type: JSON, schema: Shape::One("trace"), about: "The trace." },
    problems: &[400, 408, 413, 415],
};

pub(super) async fn answer(State(handle): State<Handle>, request: Request) -> Result<Response, Problem> {
    let misses = misses(request.uri().query().unwrap_or_default())?;
    let body = Json::from_request(request, &handle).await?;
    if body.is_list {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "give one failure, not a list"));
    }
    aside(|| {
        let generation = body.app.engine.current();
        let set = generation.rules();
        let Record { failure, notes } =
            Raw::Json(&body.bytes).read().map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error))?;
        let mut trace = set.trace(&failure, misses);
        trace.decision = set.noted(trace.decision, notes);
        let mut out = Vec::new();
        // A trace holds texts and numbers only: writing it to memory cannot fail.
        let _ = render::trace_line(&trace, &mut out);
        Ok(json_body(out))
    })
}

fn misses(query: &str) -> Result<usize, Problem> {
    let Some(given) = query.split('&').find_map(|pair| pair.strip_prefix("misses=")) else { return Ok(MISSES) };
    match given.parse() {
        Ok(misses) if misses <= MOST_MISSES => Ok(misses),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("`misses` must be a whole number from 0 to {MOST_MISSES}"),
        )),
    }
}
