//! `GET /healthz` and `GET /readyz`: whether the service lives, and whether it should be asked.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::engine::RulesSource;
use crate::server::connection::Ending;

use super::{Content, Handle, Operation, Problem, Shape, shared};

/// The media type of texts.
const TEXT: &str = "text/plain; charset=utf-8";

pub(in crate::server) const LIVE: Operation = Operation {
    id: "healthz",
    method: "get",
    path: "/healthz",
    summary: "Whether the service lives",
    description: "Answered to everybody, without a token and for any host.",
    parameters: &[],
    request: None,
    answer: Content { media_type: TEXT, schema: Shape::Text, about: "It lives." },
    problems: &[],
};

pub(in crate::server) const READY: Operation = Operation {
    id: "readyz",
    method: "get",
    path: "/readyz",
    summary: "Whether the service should be asked",
    description: "It has rules, and is not about to end. Rules that were refused do not count: the last good ones are \
                  still in force.",
    parameters: &[],
    request: None,
    answer: Content { media_type: TEXT, schema: Shape::Text, about: "It should be asked." },
    problems: &[503],
};

pub(super) async fn live() -> Response {
    text("ok\n")
}

pub(super) async fn ready(State(handle): State<Handle>) -> Result<Response, Problem> {
    let app = shared(&handle)?;
    let not_ready = |detail: &str| Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    if *app.ending.borrow() > Ending::No {
        return not_ready("the service ends");
    }
    if app.engine.status().source == RulesSource::FallbackOnly {
        return not_ready("no rules are loaded; every answer is the fallback");
    }
    Ok(text("ready\n"))
}

fn text(text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    response
}
