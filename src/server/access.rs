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
use super::problem::Problem;

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
    /// None where the head was refused: then nobody knows what it says.
    method: Option<String>,
    path: Option<String>,
    /// None where the connection ended before an answer began.
    status: Option<u16>,
    /// Bytes of the answer's body.
    bytes: u64,
    duration_us: u64,
    /// Whether the answer was written to its end.
    complete: bool,
    /// Why the head was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// How long the last lines are waited for: who reads the log may have stopped reading.
const LAST_LINES: Duration = Duration::from_secs(1);

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

    /// A head was refused.
    pub(super) fn refused(&self, peer: Peer, problem: &Problem) {
        self.send(|| Line {
            time: rfc3339(SystemTime::now()),
            peer: peer.address(),
            method: None,
            path: None,
            status: Some(problem.status()),
            bytes: problem.length(),
            duration_us: 0,
            complete: true,
            refused: Some(problem.detail().to_owned()),
        });
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
        let Some(handle) = self.0 else { return };
        let began = Instant::now();
        while !handle.is_finished() && began.elapsed() < LAST_LINES {
            std::thread::sleep(Duration::from_millis(1));
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

/// A request from its head to the last byte of its answer; counted and logged when it is dropped.
pub(super) struct Measured {
    app: Arc<App>,
    clock: Arc<Clock>,
    began: Instant,
    time: SystemTime,
    peer: Peer,
    method: Method,
    path: String,
    status: Option<u16>,
    bytes: u64,
    is_complete: bool,
}

/// The body of an answer.
pub(super) struct MeasuredBody {
    body: Body,
    request: Measured,
}

impl Measured {
    pub(super) fn begin<B>(app: Arc<App>, request: &Request<B>, peer: Peer, clock: Arc<Clock>) -> Self {
        Self {
            app,
            clock,
            began: Instant::now(),
            time: SystemTime::now(),
            peer,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            status: None,
            bytes: 0,
            is_complete: false,
        }
    }

    pub(super) fn answered(mut self, status: u16, body: Body) -> MeasuredBody {
        self.status = Some(status);
        self.is_complete = body.is_end_stream();
        MeasuredBody { body, request: self }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.clock.idle();
        let duration = self.began.elapsed();
        self.app.metrics.request(&self.path, self.status);
        self.app.log.send(|| Line {
            time: rfc3339(self.time),
            peer: self.peer.address(),
            method: Some(self.method.to_string()),
            path: Some(std::mem::take(&mut self.path)),
            status: self.status,
            bytes: self.bytes,
            duration_us: micros(duration),
            complete: self.is_complete,
            refused: None,
        });
    }
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl HttpBody for MeasuredBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, request } = self.get_mut();
        let polled = Pin::new(&mut *body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                request.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                request.is_complete |= body.is_end_stream();
            }
            Poll::Ready(None) => request.is_complete = true,
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
