//! `POST /v1/classify`: a failure in, a decision out; or a list of them.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::value::RawValue;

use crate::input::records::Raw;
use crate::render;

use super::{Content, JSON, Json, Operation, Problem, Shape, aside, decide, json_body, kept};

pub(in crate::server) const OPERATION: Operation = Operation {
    id: "classify",
    method: "post",
    path: "/v1/classify",
    summary: "Say what a failure is",
    description: "One failure gives one decision. A list gives a list, in order; an item that cannot be read gives a \
                  decision with `unknown_reason` `unreadable` and `error`. A single failure that cannot be read is a \
                  problem, whose member `decision` is what to go on with.",
    parameters: &[],
    request: Some(Content {
        media_type: JSON,
        schema: Shape::OneOrMany("failure"),
        about: "A failure, or a list of them.",
    }),
    answer: Content {
        media_type: JSON,
        schema: Shape::OneOrMany("decision"),
        about: "The decision, or a list of them.",
    },
    problems: &[400, 408, 413, 415],
};

pub(super) async fn answer(body: Json) -> Result<Response, Problem> {
    if body.is_list {
        return aside(|| list(&body));
    }
    let Json { app, bytes, .. } = body;
    let generation = app.engine.current();
    let decision = decide(&app, &generation, Raw::Json(&bytes));
    kept(&app, &decision)?;
    if let Some(error) = &decision.error {
        let problem = Problem::new(StatusCode::BAD_REQUEST, error.clone());
        return Err(problem.with_decision(decision.into_owned()));
    }
    let mut out = Vec::with_capacity(1024);
    // A decision holds texts and numbers only: writing it to memory cannot fail.
    let _ = render::json_line(&decision, &mut out);
    Ok(json_body(out))
}

fn list(body: &Json) -> Result<Response, Problem> {
    let items: Vec<&RawValue> = serde_json::from_slice(&body.bytes)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the list is no JSON: {error}")))?;
    let most = body.app.config.limits.batch_records;
    if items.len() > most {
        let detail =
            format!("the list has {} failures, more than {most}; send several lists, or a stream", items.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    // One set for the whole list, whatever is loaded meanwhile.
    let generation = body.app.engine.current();
    let mut out = Vec::with_capacity(items.len() * 1024 + 2);
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let decision = decide(&body.app, &generation, Raw::Json(item.get().as_bytes()));
        kept(&body.app, &decision)?;
        let _ = render::json_line(&decision, &mut out);
    }
    out.push(b']');
    Ok(json_body(out))
}
