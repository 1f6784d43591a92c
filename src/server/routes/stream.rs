//! `POST /v1/classify/stream`: failures line by line in, decisions line by line out, as they come.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use hyper::body::Frame;

use crate::input::records::Raw;
use crate::input::without_mark;
use crate::render;

use super::{App, Content, Handle, NDJSON, Operation, Problem, Shape, decide, media_type, shared};
use crate::server::clock::Clock;

pub(in crate::server) const OPERATION: Operation = Operation {
    id: "classifyStream",
    method: "post",
    path: "/v1/classify/stream",
    summary: "Say what failures are, as they come",
    description: "One failure on each line in, one decision on each line out, in order; every line is answered as soon \
                  as it has come. A line that cannot be read gives a decision with `unknown_reason` `unreadable`.",
    parameters: &[],
    request: Some(Content { media_type: NDJSON, schema: Shape::Lines("failure"), about: "A failure on each line." }),
    answer: Content { media_type: NDJSON, schema: Shape::Lines("decision"), about: "A decision on each line." },
    problems: &[400, 415],
};

pub(super) async fn answer(State(handle): State<Handle>, request: Request) -> Result<Response, Problem> {
    let app = shared(&handle)?;
    media_type(request.headers(), &[NDJSON, "application/ndjson", "application/jsonl"])?;
    let clock = request.extensions().get::<Arc<Clock>>().map(Arc::clone);
    if let Some(clock) = &clock {
        clock.stream();
    }
    let lines = Lines { most: app.config.limits.line_bytes, ..Lines::default() };
    let answers = Answers { app, clock, body: request.into_body(), lines, is_over: false };
    let mut response = Response::new(Body::new(answers));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    Ok(response)
}

/// The answers to a stream: asked for more, it reads more, and never further ahead.
struct Answers {
    app: Arc<App>,
    clock: Option<Arc<Clock>>,
    body: Body,
    lines: Lines,
    is_over: bool,
}

/// Bytes put together to lines.
#[derive(Debug, Default)]
struct Lines {
    /// The start of a line whose end has not come.
    open: Vec<u8>,
    /// Whether that line is too long; the rest of it is skipped.
    is_too_long: bool,
    /// Whether a line was handed on; the first may begin with a byte order mark.
    has_begun: bool,
    most: usize,
}

impl Lines {
    /// Hands on every line that has its end.
    fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(Raw<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (part, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.is_too_long || self.open.len() + part.len() > self.most {
                line(Raw::TooLong);
            } else if self.open.is_empty() {
                line(self.record(part));
            } else {
                self.open.extend_from_slice(part);
                line(self.record(&self.open));
            }
            self.open.clear();
            self.is_too_long = false;
            self.has_begun = true;
            bytes = rest;
        }
        if self.is_too_long || self.open.len() + bytes.len() > self.most {
            self.is_too_long = true;
            self.open = Vec::new();
        } else {
            self.open.extend_from_slice(bytes);
        }
    }

    /// Hands on the last line, when it has no end.
    fn finish(&mut self, mut line: impl FnMut(Raw<'_>)) {
        if self.is_too_long {
            line(Raw::TooLong);
        } else if !self.open.is_empty() {
            line(self.record(&self.open));
        }
        *self = Self { most: self.most, ..Self::default() };
    }

    fn record<'l>(&self, line: &'l [u8]) -> Raw<'l> {
        let line = if self.has_begun { line } else { without_mark(line) };
        Raw::Json(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl HttpBody for Answers {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let answers = self.get_mut();
        while !answers.is_over {
            let frame = ready!(Pin::new(&mut answers.body).poll_frame(cx));
            let mut out = Vec::new();
            // One set for lines that came together, whatever is loaded meanwhile.
            let generation = answers.app.engine.current();
            let mut line = |record: Raw<'_>| {
                let decision = decide(&answers.app, &generation, record);
                // A decision holds texts and numbers only: writing it to memory cannot fail.
                let _ = render::json_line(&decision, &mut out);
                out.push(b'\n');
            };
            match frame {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        answers.lines.push(data, &mut line);
                    }
                }
                Some(Err(error)) => {
                    answers.is_over = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    answers.is_over = true;
                    answers.lines.finish(&mut line);
                }
            }
            if !out.is_empty() {
                // Parts of a line that never ends are no reason to wait on.
                if let Some(clock) = &answers.clock {
                    clock.stream();
                }
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
        Poll::Ready(None)
    }
}
