//! `GET /metrics`: numbers for operators.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::server::metrics::MEDIA_TYPE;

use super::{Content, Handle, Operation, Problem, Shape, shared};

pub(in crate::server) const OPERATION: Operation = Operation {
    id: "metrics",
    method: "get",
    path: "/metrics",
    summary: "Numbers for operators",
    description: "OpenMetrics text, as Prometheus reads it. Labels come from closed sets.",
    parameters: &[],
    request: None,
    answer: Content { media_type: MEDIA_TYPE, schema: Shape::Text, about: "The numbers." },
    problems: &[],
};

pub(super) async fn answer(State(handle): State<Handle>) -> Result<Response, Problem> {
    let app = shared(&handle)?;
    let text = app
        .metrics
        .text(&app)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the numbers cannot be written"))?;
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok(response)
}
