//! What went wrong with a request, as problem details (RFC 9457).

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use crate::model::Decision;
use crate::render::ReportDocument;

/// The media type of problem details.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong with a request.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub(super) struct Problem {
    /// `about:blank`: the status says what kind of problem it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, and what to do instead.
    detail: String,
    /// What to answer with nevertheless: the failure could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Box<Decision<'static>>>,
    /// What is wrong with the rules, when a reload was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Box<ReportDocument>>,
    #[serde(skip)]
    headers: Vec<(axum::http::HeaderName, &'static str)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            decision: None,
            report: None,
            headers: Vec::new(),
        }
    }

    /// With the decision that a connector can use all the same.
    pub(super) fn with_decision(mut self, decision: Decision<'static>) -> Self {
        self.decision = Some(Box::new(decision));
        self
    }

    /// With what is wrong with the rules.
    pub(super) fn with_report(mut self, report: ReportDocument) -> Self {
        self.report = Some(Box::new(report));
        self
    }

    /// With the methods that there are instead.
    pub(super) fn allow(mut self, methods: &'static str) -> Self {
        self.headers.push((ALLOW, methods));
        self
    }

    /// With the seconds after which it is worth asking again.
    pub(super) fn retry_after(mut self, seconds: &'static str) -> Self {
        self.headers.push((RETRY_AFTER, seconds));
        self
    }

    /// A token is missing or wrong.
    pub(super) fn unauthorized(detail: &str) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, detail);
        problem.headers.push((WWW_AUTHENTICATE, "Bearer"));
        problem
    }

    /// Its HTTP status.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// What is wrong.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// Bytes of its body.
    pub(super) fn length(&self) -> u64 {
        self.json().len() as u64
    }

    /// The whole response as bytes, for a connection that ends with it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let body = self.json();
        let Self { status, title, .. } = self;
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} {title}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {length}\r\nconnection: close\r\n"
        );
        let more: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let more = more.concat();
        [head.as_bytes(), more.as_bytes(), b"\r\n", &body].concat()
    }

    fn json(&self) -> Vec<u8> {
        // A value of texts and numbers: writing it to memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        for (name, value) in self.headers {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
