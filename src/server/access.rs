//! The access log: a line of JSON for each request, written by a thread of its own that nobody waits for.

use std::io::{self, Write};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::task::{Context, Poll};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, Request};
use hyper::body::{Frame, SizeHint};
use serde::Serialize;

use crate::error::{Error, ErrorKind};

use super::App;
use super::clock::Clock;
use super::config::AccessLog;
use super::connection::Peer;

/// Lines that may wait to be written; further ones are dropped and counted.
const WAITING_LINES: usize = 4096;

/// Writes the access log.
#[derive(Debug)]
pub(super) struct Log {
    lines: Option<SyncSender<Line>>,
    dropped: AtomicU64,
}

/// A request that was answered.
#[derive(Debug, Serialize)]
struct Line {
    /// When it came: RFC 3339, UTC.
    time: String,
    peer: Option<IpAddr>,
    method: String,
    path: String,
    status: u16,
    /// Bytes of the answer's body.
    bytes: u64,
    duration_us: u64,
    /// Whether the answer was written to its end.
    complete: bool,
}

/// Ends with the log, when everything is written.
pub(super) struct Writing(Option<JoinHandle<()>>);

impl Log {
    /// Starts the thread that writes.
    pub(super) fn start(target: AccessLog) -> Result<(Self, Writing), Error> {
        let write: fn(Receiver<Line>) = match target {
            AccessLog::Off => return Ok((Self { lines: None, dropped: AtomicU64::new(0) }, Writing(None))),
            AccessLog::Stdout => |lines| write(&lines, io::stdout()),
            AccessLog::Stderr => |lines| write(&lines, io::stderr()),
        };
        let (sender, receiver) = sync_channel(WAITING_LINES);
        let spawned = Builder::new().name("access-log".to_owned()).spawn(move || write(receiver));
        let handle = spawned.map_err(|error| Error::new(ErrorKind::Io, "cannot start a thread").with_source(error))?;
        Ok((Self { lines: Some(sender), dropped: AtomicU64::new(0) }, Writing(Some(handle))))
    }

    /// Lines that nobody could write in time.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn send(&self, line: impl FnOnce() -> Line) {
        let Some(lines) = &self.lines else { return };
        match lines.try_send(line()) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Writing {
    /// Waits until the last line is written; the log must be gone.
    pub(super) fn join(self) {
        if let Some(handle) = self.0 {
            let _ = handle.join();
        }
    }
}

/// Writes lines until nobody sends any; together where several wait.
fn write(lines: &Receiver<Line>, mut out: impl Write) {
    let mut buffer = Vec::new();
    while let Ok(line) = lines.recv() {
        buffer.clear();
        let mut next = Some(line);
        while let Some(line) = next {
            // A value of texts and numbers: writing it to memory cannot fail.
            let _ = serde_json::to_writer(&mut buffer, &line);
            buffer.push(b'\n');
            next = if buffer.len() < 64 * 1024 { lines.try_recv().ok() } else { None };
        }
        // A log that nobody reads any more must not end the service.
        let _ = out.write_all(&buffer).and_then(|()| out.flush());
    }
}

/// A request from its head to the last byte of its answer.
pub(super) struct Measured {
    app: Arc<App>,
    clock: Arc<Clock>,
    began: Instant,
    time: SystemTime,
    peer: Peer,
    method: Method,
    path: String,
}

/// The body of an answer; says when it is written.
pub(super) struct MeasuredBody {
    body: Body,
    request: Option<Measured>,
    status: u16,
    bytes: u64,
    is_complete: bool,
}

impl Measured {
    pub(super) fn begin<B>(app: Arc<App>, request: &Request<B>, peer: Peer, clock: Arc<Clock>) -> Self {
        let path = request.uri().path().to_owned();
        Self {
            app,
            clock,
            began: Instant::now(),
            time: SystemTime::now(),
            peer,
            method: request.method().clone(),
            path,
        }
    }

    pub(super) fn answered(self, status: u16, body: Body) -> MeasuredBody {
        MeasuredBody { is_complete: body.is_end_stream(), body, request: Some(self), status, bytes: 0 }
    }

    fn end(self, status: u16, bytes: u64, is_complete: bool) {
        self.clock.idle();
        let duration = self.began.elapsed();
        self.app.metrics.request(&self.path, status);
        self.app.log.send(|| Line {
            time: humantime::format_rfc3339_millis(self.time).to_string(),
            peer: match self.peer {
                Peer::Address(address) => Some(address),
                Peer::Socket => None,
            },
            method: self.method.to_string(),
            path: self.path,
            status,
            bytes,
            duration_us: micros(duration),
            complete: is_complete,
        });
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl HttpBody for MeasuredBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let measured = self.get_mut();
        let polled = Pin::new(&mut measured.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                measured.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                measured.is_complete |= measured.body.is_end_stream();
            }
            Poll::Ready(None) => measured.is_complete = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for MeasuredBody {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            request.end(self.status, self.bytes, self.is_complete);
        }
    }
}
