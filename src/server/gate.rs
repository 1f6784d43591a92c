//! The gate in front of the HTTP library: requests that two readers could read differently never get through.
//!
//! It looks at the head of every request, and follows bodies only to know where the next head begins. What it lets
//! through has one way to be read (RFC 9112, sections 6.3 and 11.2): lines that end in CR LF, one length, one host.

use std::future::Future as _;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::clock::Clock;
use super::config::Limits;
use super::problem::Problem;

/// Bytes that are read at a time.
const READ_BYTES: usize = 32 * 1024;
/// Bytes of a line that says how long a chunk is, with its extensions.
const CHUNK_LINE_BYTES: usize = 1024;
/// Bytes that are still read from somebody who was refused, so that the answer arrives.
const LINGER_BYTES: usize = 64 * 1024;
/// How long they are waited for.
const LINGER: Duration = Duration::from_secs(1);

/// A socket behind the gate.
pub(super) struct Gate<S> {
    socket: S,
    clock: Arc<Clock>,
    limits: Limits,
    /// What was read and not handed on.
    buffer: BytesMut,
    /// Bytes at its start that may be handed on.
    passed: usize,
    next: Next,
    refusal: Option<Problem>,
}

/// What comes next on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Head,
    /// That many bytes of a body.
    Body(u64),
    /// The length of a chunk.
    ChunkSize,
    /// That many bytes of a chunk, its line end included.
    Chunk(u64),
    /// The lines behind the last chunk, and how many bytes of them came.
    Trailer(usize),
    /// Nothing that is read any more.
    End,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Gate<S> {
    pub(super) fn new(socket: S, clock: Arc<Clock>, limits: Limits) -> Self {
        Self { socket, clock, limits, buffer: BytesMut::new(), passed: 0, next: Next::Head, refusal: None }
    }

    /// Ends the connection: with an answer for somebody who was refused, and without losing the last answer to somebody
    /// who is still sending.
    pub(super) async fn finish(mut self, last: Option<Problem>) {
        let is_sending = self.next != Next::Head || !self.buffer.is_empty() || self.refusal.is_some() || last.is_some();
        let finish = async {
            if let Some(problem) = self.refusal.take().or(last) {
                self.socket.write_all(&problem.to_bytes()).await?;
            }
            self.socket.shutdown().await?;
            if is_sending {
                let mut rest = (&mut self.socket).take(LINGER_BYTES as u64);
                tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
            }
            io::Result::Ok(())
        };
        // Whether the other side has heard it is its own affair.
        let _ = tokio::time::timeout(LINGER, finish).await;
    }

    /// Why the last request was refused.
    pub(super) fn refusal(&self) -> Option<&Problem> {
        self.refusal.as_ref()
    }

    /// Looks at what was read; what may be handed on is counted as passed.
    fn examine(&mut self) {
        while self.passed < self.buffer.len() || self.next == Next::Body(0) {
            let rest = &self.buffer[self.passed..];
            let (taken, next) = match self.next {
                Next::Head => {
                    // Blank lines in front of a request are nobody's (RFC 9112, section 2.2).
                    if self.passed == 0 && rest.starts_with(b"\r\n") {
                        self.buffer.advance(2);
                        continue;
                    }
                    if rest == b"\r" {
                        return;
                    }
                    match head(rest, &self.limits) {
                        Ok(None) => return,
                        Ok(Some((length, next))) => {
                            self.clock.request();
                            (length, next)
                        }
                        Err(problem) => {
                            self.refusal = Some(*problem);
                            (0, Next::End)
                        }
                    }
                }
                Next::Body(0) => (0, Next::Head),
                Next::Body(length) => {
                    let taken = length.min(rest.len() as u64);
                    (bounded(taken), Next::Body(length - taken))
                }
                Next::ChunkSize => match chunk_size(rest) {
                    Line::Open => return,
                    Line::Wrong => (0, Next::End),
                    Line::Read(length, 0) => (length, Next::Trailer(0)),
                    // A line end follows the chunk.
                    Line::Read(length, size) => (length, Next::Chunk(size + 2)),
                },
                Next::Chunk(length) => {
                    let taken = length.min(rest.len() as u64);
                    let left = length - taken;
                    (bounded(taken), if left == 0 { Next::ChunkSize } else { Next::Chunk(left) })
                }
                Next::Trailer(before) => match trailer(rest, self.limits.head_bytes.saturating_sub(before)) {
                    Line::Open => return,
                    Line::Wrong => (0, Next::End),
                    Line::Read(length, 0) => (length, Next::Head),
                    Line::Read(length, _) => (length, Next::Trailer(before + length)),
                },
                Next::End => return,
            };
            self.passed += taken;
            self.next = next;
            // The request behind this one waits until this one is answered.
            if next == Next::Head {
                return;
            }
        }
    }
}

/// The length of something that is in memory.
fn bounded(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// A line of a chunked body: not whole yet, not allowed, or read with its length and what it says.
enum Line {
    Open,
    Wrong,
    Read(usize, u64),
}

/// The line that says how long a chunk is.
fn chunk_size(bytes: &[u8]) -> Line {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() > CHUNK_LINE_BYTES { Line::Wrong } else { Line::Open };
    };
    let Some(line) = bytes[..end].strip_suffix(b"\r").filter(|line| line.len() <= CHUNK_LINE_BYTES) else {
        return Line::Wrong;
    };
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let extension = &line[digits..];
    let is_fine = matches!(digits, 1..=15)
        && matches!(extension.first(), None | Some(b';'))
        && !extension.iter().any(|b| b.is_ascii_control() && *b != b'\t');
    let size = std::str::from_utf8(&line[..digits]).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match size.filter(|_| is_fine) {
        Some(size) => Line::Read(end + 1, size),
        None => Line::Wrong,
    }
}

/// A line behind the last chunk; the blank one is the last.
fn trailer(bytes: &[u8], left: usize) -> Line {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() > left { Line::Wrong } else { Line::Open };
    };
    match bytes[..end].strip_suffix(b"\r") {
        Some(b"") => Line::Read(end + 1, 0),
        Some(_) if end < left => Line::Read(end + 1, 1),
        _ => Line::Wrong,
    }
}

/// Reads the head of a request: how long it is, and what follows. None when it is not whole yet.
fn head(bytes: &[u8], limits: &Limits) -> Result<Option<(usize, Next)>, Box<Problem>> {
    let bad = |detail: &str| Err(Box::new(Problem::new(StatusCode::BAD_REQUEST, detail)));
    if !bytes.first().is_some_and(u8::is_ascii_uppercase) {
        return bad("this is no HTTP request; the service speaks plain HTTP/1.1, no TLS and no HTTP/2");
    }
    let seen = &bytes[..bytes.len().min(limits.head_bytes + 1)];
    let end = memchr::memmem::find(seen, b"\r\n\r\n").map(|end| end + 4);
    let head = &seen[..end.unwrap_or(seen.len())];
    if memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head[at - 1] != b'\r') {
        return bad("a line of the head ends without CR");
    }
    if memchr::memchr(0, head).is_some() {
        return bad("the head holds a NUL");
    }
    let line = memchr::memchr(b'\r', head).unwrap_or(head.len());
    // `GET`, a blank, the target, a blank, `HTTP/1.1`.
    if line > limits.url_bytes + 32 {
        let detail = format!("path and query have more than {} bytes", limits.url_bytes);
        return Err(Box::new(Problem::new(StatusCode::URI_TOO_LONG, detail)));
    }
    let too_large = |what: String| Box::new(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, what));
    let Some(end) = end.filter(|end| *end <= limits.head_bytes) else {
        if bytes.len() > limits.head_bytes {
            return Err(too_large(format!("the headers have more than {} bytes", limits.head_bytes)));
        }
        return Ok(None);
    };
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let room = limits.headers.min(headers.len());
    let mut request = httparse::Request::new(&mut headers[..room]);
    match request.parse(&bytes[..end]) {
        Ok(httparse::Status::Complete(length)) if length == end => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(too_large(format!("the request has more than {} headers", limits.headers)));
        }
        Ok(_) => return bad("the head of the request is not well-formed"),
        Err(error) => return bad(&format!("the head of the request is not well-formed: {error}")),
    }
    let target = request.path.unwrap_or_default();
    if target.len() > limits.url_bytes {
        let detail = format!("path and query have more than {} bytes", limits.url_bytes);
        return Err(Box::new(Problem::new(StatusCode::URI_TOO_LONG, detail)));
    }
    if Uri::try_from(target).is_err() {
        return bad(
            "the path is not well-formed; what is no letter, digit or mark of a path is sent as `%` and two digits",
        );
    }
    if request.method == Some("CONNECT") {
        return Err(Box::new(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the service is no proxy")));
    }
    let mut hosts = 0;
    let mut length = None;
    let mut is_chunked = false;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("host") {
            hosts += 1;
            // Nobody has a name to log in with here: it would only hide which host is meant.
            if header.value.contains(&b'@') || Authority::try_from(header.value).is_err() {
                return bad("`Host` is no host");
            }
        } else if header.name.eq_ignore_ascii_case("content-length") {
            let digits = std::str::from_utf8(header.value)
                .ok()
                .filter(|value| !value.is_empty() && value.len() <= 18 && value.bytes().all(|b| b.is_ascii_digit()));
            let Some(value) = digits.and_then(|digits| digits.parse::<u64>().ok()) else {
                return bad("`Content-Length` is no number");
            };
            if length.replace(value).is_some() {
                return bad("`Content-Length` is given twice");
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if is_chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                return bad("`Transfer-Encoding` must be `chunked`, once");
            }
            is_chunked = true;
        }
    }
    if hosts != 1 {
        return bad("one `Host` header is needed");
    }
    match (is_chunked, length) {
        (true, Some(_)) => bad("`Content-Length` and `Transfer-Encoding` exclude each other"),
        (true, None) if request.version != Some(1) => bad("`Transfer-Encoding` needs HTTP/1.1"),
        (true, None) => Ok(Some((end, Next::ChunkSize))),
        (false, Some(0) | None) => Ok(Some((end, Next::Head))),
        (false, Some(length)) => Ok(Some((end, Next::Body(length)))),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gate<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        loop {
            if gate.passed > 0 {
                let count = gate.passed.min(out.remaining());
                out.put_slice(&gate.buffer[..count]);
                gate.buffer.advance(count);
                gate.passed -= count;
                return Poll::Ready(Ok(()));
            }
            if gate.next == Next::End {
                return Poll::Ready(Ok(()));
            }
            if gate.next == Next::Head && gate.clock.is_busy(cx.waker()) {
                return Poll::Pending;
            }
            if gate.next == Next::Head && !gate.buffer.is_empty() {
                gate.clock.head();
                gate.examine();
                if gate.passed > 0 || gate.next == Next::End {
                    continue;
                }
            }
            gate.buffer.reserve(READ_BYTES);
            // Giving up a read in the middle loses nothing, so a new one may go on with it.
            let read = pin!(gate.socket.read_buf(&mut gate.buffer));
            if ready!(read.poll(cx))? == 0 {
                gate.next = Next::End;
                return Poll::Ready(Ok(()));
            }
            if gate.next == Next::Head {
                gate.clock.head();
            }
            gate.examine();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        let polled = Pin::new(&mut gate.socket).poll_write(cx, bytes);
        gate.clock.wrote(polled.is_pending());
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        let polled = Pin::new(&mut gate.socket).poll_write_vectored(cx, parts);
        gate.clock.wrote(polled.is_pending());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
