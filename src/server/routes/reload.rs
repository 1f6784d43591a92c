//! `POST /v1/reload`: loads the rules again, for the holder of the token.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::engine::{Changes, ReloadOutcome};
use crate::render;

use super::{Content, Handle, JSON, Operation, Problem, Shape, json, shared};

pub(in crate::server) const OPERATION: Operation = Operation {
    id: "reload",
    method: "post",
    path: "/v1/reload",
    summary: "Load the rules again",
    description: "Answers when the load has ended, with what came of it. Rules that do not load change nothing; the \
                  problem says what is wrong with them.",
    parameters: &[],
    request: None,
    answer: Content { media_type: JSON, schema: Shape::One("reload"), about: "How the load ended." },
    problems: &[401, 422, 429],
};

/// How a load ended.
#[derive(Serialize, schemars::JsonSchema)]
pub(in crate::server) struct Reload {
    /// `swapped`, or `unchanged` when the rules decide as before.
    outcome: &'static str,
    /// Number of the set in force.
    generation: u64,
    /// Digest of the set in force.
    ruleset: String,
    /// What has changed.
    changes: Changes,
}

pub(super) async fn answer(State(handle): State<Handle>) -> Result<Response, Problem> {
    let engine = std::sync::Arc::clone(&shared(&handle)?.engine);
    let load = tokio::task::spawn_blocking(move || engine.reload());
    let outcome = load.await.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))?;
    let name = outcome.as_str();
    match outcome {
        ReloadOutcome::Swapped { generation, ruleset, changes } => {
            json(&Reload { outcome: name, generation, ruleset, changes: (*changes).clone() })
        }
        ReloadOutcome::Unchanged { generation, ruleset } => {
            json(&Reload { outcome: name, generation, ruleset, changes: Changes::default() })
        }
        ReloadOutcome::Rejected(rejected) => {
            let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, rejected.to_string());
            Err(problem.with_report(render::document(rejected.report())))
        }
    }
}
