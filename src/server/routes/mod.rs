//! What the service answers: one file for each route, and the table from which the document of the interface is made.

mod classify;
mod codes;
#[cfg(feature = "measure")]
mod constant;
mod health;
mod metrics;
mod openapi;
mod reload;
mod ruleset;
mod stream;
mod trace;

use std::sync::{Arc, Weak};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt as _;
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;

use crate::engine::Generation;
use crate::input::records::Raw;
use crate::input::without_mark;
use crate::model::Decision;

use super::App;
use super::guard::guard;
use super::problem::Problem;

pub(super) use codes::{CodePage, Codes};
pub(super) use reload::Reload;

/// The routes are a part of what they share.
pub(super) type Handle = Weak<App>;

/// What a health check asks; answered to everybody.
pub(super) const PROBES: [&str; 2] = [health::LIVE.path, health::READY.path];
/// What only the holder of its own token may ask.
pub(super) const RELOAD: &str = reload::OPERATION.path;

/// One thing that can be asked, as the document of the interface describes it.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) request: Option<Content>,
    /// The answer when all is well.
    pub(super) answer: Content,
    /// Statuses of problem details, besides those that every operation has.
    pub(super) problems: &'static [u16],
}

/// A part of the path or the query.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) is_in_path: bool,
    pub(super) about: &'static str,
    /// Its JSON Schema.
    pub(super) schema: &'static str,
}

/// A body.
#[derive(Clone, Copy)]
pub(super) struct Content {
    pub(super) media_type: &'static str,
    /// Names of schemas: one of them, or a list of the first where the second is `[]`.
    pub(super) schema: Shape,
    pub(super) about: &'static str,
}

/// What a body looks like.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A value.
    One(&'static str),
    /// A value, or a list of such values.
    OneOrMany(&'static str),
    /// A value on each line.
    Lines(&'static str),
    /// A text.
    Text,
}

/// The media type of values.
pub(super) const JSON: &str = "application/json";
/// The media type of values line by line.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// All that can be asked.
pub(super) const OPERATIONS: [&Operation; 11] = [
    &classify::OPERATION,
    &stream::OPERATION,
    &trace::OPERATION,
    &codes::ALL,
    &codes::ONE,
    &ruleset::OPERATION,
    &reload::OPERATION,
    &health::LIVE,
    &health::READY,
    &metrics::OPERATION,
    &openapi::OPERATION,
];

/// The routes, behind the guard.
pub(super) fn router(app: Handle) -> Router {
    let routes = Router::new()
        .route(classify::OPERATION.path, post(classify::answer))
        .route(stream::OPERATION.path, post(stream::answer))
        .route(trace::OPERATION.path, post(trace::answer))
        .route(codes::ALL.path, get(codes::all))
        .route(codes::ONE.path, get(codes::one))
        .route(ruleset::OPERATION.path, get(ruleset::answer))
        .route(reload::OPERATION.path, post(reload::answer))
        .route(health::LIVE.path, get(health::live))
        .route(health::READY.path, get(health::ready))
        .route(metrics::OPERATION.path, get(metrics::answer))
        .route(openapi::OPERATION.path, get(openapi::answer));
    #[cfg(feature = "measure")]
    let routes = routes.route(constant::PATH, post(constant::answer));
    behind_guard(app, routes)
}

fn behind_guard(app: Handle, routes: Router<Handle>) -> Router {
    routes
        .fallback(nowhere)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(CatchPanicLayer::custom(broken(app.clone())))
        .with_state(app)
}

/// The route of a path, for counting; paths that are none are one.
pub(super) fn route_of(path: &str) -> &'static str {
    let is_code = path.strip_prefix("/v1/codes/").is_some_and(|code| !code.is_empty() && !code.contains('/'));
    let known = OPERATIONS.iter().map(|operation| operation.path).find(|known| *known == path);
    known.unwrap_or(if is_code { codes::ONE.path } else { "other" })
}

async fn nowhere() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing here; `GET /openapi.json` says what there is")
}

async fn other_method(request: Request) -> Problem {
    let route = route_of(request.uri().path());
    let methods = OPERATIONS.iter().find(|operation| operation.path == route).map(|operation| operation.method);
    let methods = if methods == Some("post") { "POST" } else { "GET, HEAD" };
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this takes {methods}")).allow(methods)
}

/// A fault of the service itself costs one request its answer, and nothing else; the problem has what to go on with.
fn broken(app: Handle) -> impl Fn(Box<dyn std::any::Any + Send + 'static>) -> Response + Clone {
    move |_| {
        let what = "internal error; please report the request";
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, what);
        match app.upgrade() {
            Some(app) => problem.with_decision(app.engine.current().unreadable(what).into_owned()),
            None => problem,
        }
        .into_response()
    }
}

/// What the routes share, as long as the service runs.
fn shared(app: &Handle) -> Result<Arc<App>, Problem> {
    app.upgrade().ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the service ends"))
}

/// The whole body of a request as JSON bytes, within the limits.
struct Json {
    app: Arc<App>,
    bytes: Vec<u8>,
    is_list: bool,
}

impl FromRequest<Handle> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, handle: &Handle) -> Result<Self, Problem> {
        let app = shared(handle)?;
        media_type(request.headers(), &[JSON])?;
        let (bytes, is_list) = match tokio::time::timeout(app.config.timeouts.body, collect(&app, request)).await {
            Ok(read) => read?,
            Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
        };
        Ok(Self { app, bytes, is_list })
    }
}

async fn collect(app: &App, request: Request) -> Result<(Vec<u8>, bool), Problem> {
    let limits = &app.config.limits;
    let too_large = |limit: usize, what: &str| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("{what} has more than {limit} bytes"))
    };
    let mut body = request.into_body();
    if hyper::body::Body::size_hint(&body).lower() > limits.batch_bytes as u64 {
        return Err(too_large(limits.batch_bytes, "the body"));
    }
    let mut bytes = Vec::new();
    let mut first = None;
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is cut off or not well-formed"))?;
        let Ok(data) = frame.into_data() else { continue };
        bytes.extend_from_slice(&data);
        // Each byte is looked at once, in however many parts it comes. A byte order mark is nothing.
        let is_something = |b: &u8| !b.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(b);
        first = first.or_else(|| data.iter().copied().find(is_something));
        let is_list = first == Some(b'[');
        if is_list && bytes.len() > limits.batch_bytes {
            return Err(too_large(limits.batch_bytes, "the list"));
        }
        if !is_list && bytes.len() > limits.body_bytes {
            return Err(too_large(limits.body_bytes, "the failure"));
        }
    }
    let mark = bytes.len() - without_mark(&bytes).len();
    bytes.drain(..mark);
    Ok((bytes, first == Some(b'[')))
}

/// Refuses a body of another kind than is read.
fn media_type(headers: &HeaderMap, wanted: &[&str]) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (kind, parameters) = given.split_once(';').unwrap_or((given, ""));
    let is_utf8 = parameters.split(';').all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if is_utf8 && wanted.iter().any(|wanted| kind.trim().eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let detail = format!("send `Content-Type: {}` in UTF-8", wanted[0]);
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

/// Answers a failure and counts how long that took.
fn decide<'g>(app: &App, generation: &'g Generation, record: Raw<'_>) -> Decision<'g> {
    let began = Instant::now();
    let decision = crate::answer::answer(generation, &app.keeper, record, |_| {});
    app.metrics.decided(began.elapsed());
    decision
}

/// Refuses where everything unknown has to be kept and this was not.
fn kept(app: &App, decision: &Decision<'_>) -> Result<(), Problem> {
    if app.config.spool_required && decision.spooled == Some(false) {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the unknown failure could not be kept");
        return Err(problem.retry_after("1").with_decision(decision.clone().into_owned()));
    }
    Ok(())
}

/// A body of JSON.
fn json_body(bytes: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(bytes.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

/// A value as a body of JSON.
fn json(value: &impl Serialize) -> Result<Response, Problem> {
    let bytes = serde_json::to_vec(value)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error; please report the request"))?;
    Ok(json_body(bytes))
}

/// Work that takes longer than answering a failure: other requests are not to wait for it.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

#[cfg(test)]
mod tests {
    use axum::http::header::HOST;
    use axum::http::{Method, Request};
    use tower::ServiceExt as _;

    use super::*;
    use crate::engine::Engine;
    use crate::server::Server;
    use crate::server::config::Config;
    use crate::spool::Keeper;

    async fn broken_route() -> Response {
        panic!("the secret of the request")
    }

    /// A fault in a route costs one request its answer: the service lives, and says what to go on with.
    #[test]
    fn panic_in_a_route() {
        let config = Config { listen: "127.0.0.1:0".parse().ok(), ..Config::default() };
        let engine = Arc::new(Engine::builtin());
        let server = Server::bind(config, engine, Arc::new(Keeper::default()), |_| {}).unwrap();
        let tried = Router::new().route("/broken", get(broken_route)).route(health::LIVE.path, get(health::live));
        let guarded = behind_guard(Arc::downgrade(&server.app), tried);
        let ask = |path: &str| {
            let request = Request::builder().method(Method::GET).uri(path).header(HOST, "localhost");
            server.runtime.block_on(async {
                let response = guarded.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                (response.status(), response.into_body().collect().await.unwrap().to_bytes())
            })
        };
        for _ in 0..3 {
            let (status, body) = ask("/broken");
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["decision"]["code"], "DSUNK001");
            assert!(!problem.to_string().contains("secret"), "{problem}");
            assert_eq!(ask("/healthz").0, StatusCode::OK);
        }
    }
}
