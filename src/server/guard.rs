//! For whom the service answers: rules that hold for every route.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::App;
use super::connection::Peer;
use super::problem::Problem;
use super::routes::{Handle, PROBES};

/// How often something may happen: ten times at once, ten times a second.
#[derive(Debug)]
pub(super) struct Rate(Mutex<(f64, Instant)>);

/// Times at once, and each second.
const RATE: f64 = 10.0;

impl Default for Rate {
    fn default() -> Self {
        Self(Mutex::new((RATE, Instant::now())))
    }
}

impl Rate {
    /// Whether it may happen once more.
    pub(super) fn take(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = (state.0 + state.1.elapsed().as_secs_f64() * RATE).min(RATE);
        *state = (if left >= 1.0 { left - 1.0 } else { left }, Instant::now());
        left >= 1.0
    }
}

/// Lets a request through, or says why not.
pub(super) async fn guard(State(app): State<Handle>, request: Request, next: Next) -> Response {
    let Some(app) = app.upgrade() else {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the service ends").into_response();
    };
    match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(app: &Arc<App>, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let is_probe = PROBES.contains(&request.uri().path());
    let is_socket = request.extensions().get() == Some(&Peer::Socket);
    if !is_probe && !is_socket {
        // A page in a browser may have had its name pointed here (DNS rebinding).
        let host = headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let is_meant = |host: &Authority| is_own(app, host.host());
        if !host.as_ref().is_some_and(is_meant) || !request.uri().authority().is_none_or(is_meant) {
            let detail =
                "the request is meant for another host; `allowed_hosts` (`--allowed-host`) names those of this service";
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
        }
    }
    if headers.contains_key(ORIGIN) {
        let detail = "pages in browsers are not answered: there is no CORS";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let detail = "compressed bodies are not read; send them without `Content-Encoding`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let is_reload = request.uri().path() == super::routes::RELOAD;
    if let Some(token) = &app.token
        && !is_probe
        && !is_reload
        && !token.is_in(headers.get(AUTHORIZATION).map(AsRef::as_ref))
    {
        return Err(wrong_token(app));
    }
    if is_reload && request.method() == Method::POST {
        let Some(token) = &app.reload_token else {
            let detail = "reloading is off; give `reload_token_file` (`--reload-token-file`)";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        };
        if !token.is_in(headers.get(AUTHORIZATION).map(AsRef::as_ref)) {
            return Err(wrong_token(app));
        }
        if !app.reloads.take() {
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many reloads").retry_after("1"));
        }
    }
    Ok(())
}

/// A token is missing or wrong; who guesses does not get far.
fn wrong_token(app: &App) -> Problem {
    if app.wrong_tokens.take() {
        Problem::unauthorized("a token is needed: `Authorization: Bearer …`")
    } else {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens").retry_after("1")
    }
}

/// Whether a host is this service by one of its names.
fn is_own(app: &App, host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_address =
        |address: IpAddr| address.is_loopback() || app.config.listen.is_some_and(|own| own.ip() == address);
    bare.parse().is_ok_and(is_address)
        || host.eq_ignore_ascii_case("localhost")
        || app.config.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
}
