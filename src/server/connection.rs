//! Connections: taken in up to a limit, each served with its own clocks, and ended in order.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tower::Service as _;

use super::App;
use super::access::Measured;
use super::clock::{Clock, Phase};
use super::gate::Gate;
use super::problem::Problem;

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// Over the network, or from this machine.
    Address(IpAddr),
    /// Over the Unix socket.
    Socket,
}

impl Peer {
    /// The address, where there is one.
    pub(super) fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Socket => None,
        }
    }
}

/// Who listens, and who says when it ends.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// How far the end of the service has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// It goes on.
    No,
    /// Requests under way are answered.
    Draining,
    /// Whatever is under way is dropped.
    Now,
}

/// The shortest and the longest pause after a connection could not be taken in.
const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Connections under way.
#[derive(Debug, Default)]
pub(super) struct Connections {
    count: AtomicUsize,
    of_peers: Mutex<HashMap<IpAddr, usize>>,
    /// Connections that were refused because there were too many.
    refused: AtomicUsize,
}

/// A place among the connections; given back when it is dropped.
struct Place {
    app: Arc<App>,
    address: Option<IpAddr>,
}

impl Connections {
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Place {
    /// A place for a connection; none when there are too many.
    fn take(app: &Arc<App>, peer: Peer) -> Option<Self> {
        let connections = &app.connections;
        let limits = &app.config.limits;
        // Everything on this machine has one address: there a limit for each peer would be one for all of them.
        let address = match peer {
            Peer::Address(address) if !address.to_canonical().is_loopback() => Some(address.to_canonical()),
            Peer::Address(_) | Peer::Socket => None,
        };
        let is_room = connections.count.fetch_add(1, Ordering::AcqRel) < limits.connections;
        let mut place = Self { app: Arc::clone(app), address: None };
        let mut of_peers = connections.of_peers.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = address.map_or(0, |address| of_peers.get(&address).copied().unwrap_or_default());
        if !is_room || of_peer >= limits.connections_per_peer {
            connections.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if let Some(address) = address {
            of_peers.insert(address, of_peer + 1);
            place.address = Some(address);
        }
        Some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let connections = &self.app.connections;
        connections.count.fetch_sub(1, Ordering::AcqRel);
        if let Some(address) = self.address {
            let mut of_peers = connections.of_peers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = of_peers.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    of_peers.remove(&address);
                }
            }
        }
    }
}

/// Takes connections in until the service ends.
pub(super) async fn accept(app: Arc<App>, listener: Listener, mut ending: watch::Receiver<Ending>) {
    let mut pause = ACCEPT_PAUSE.0;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ending.wait_for(|ending| *ending > Ending::No) => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                pause = ACCEPT_PAUSE.0;
                match Place::take(&app, peer) {
                    Some(place) => {
                        tokio::spawn(serve(place, socket, peer, ending.clone()));
                    }
                    None => refuse(socket).await,
                }
            }
            // One that was given up before it was taken in is nobody's fault.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                app.say_rarely(&format!("cannot take connections in: {error}"));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE.1);
            }
        }
    }
}

/// How long a connection is still read from when the service ends, so that what was sent before is answered.
const LAST_CALL: Duration = Duration::from_millis(100);

/// Waits until the service ends and no request is on its way in any more.
async fn last_call(mut ending: watch::Receiver<Ending>, clock: &Clock) {
    let _ = ending.wait_for(|ending| *ending > Ending::No).await;
    loop {
        tokio::time::sleep(LAST_CALL).await;
        if !clock.is_in_head() {
            return;
        }
    }
}

/// Any socket.
trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

impl Listener {
    async fn accept(&self) -> io::Result<(Box<dyn Socket>, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (socket, address) = listener.accept().await?;
                // Answers are written as a whole; waiting for more to send would only delay them.
                let _ = socket.set_nodelay(true);
                Ok((Box::new(socket), Peer::Address(address.ip())))
            }
            Self::Unix(listener) => {
                let (socket, _) = listener.accept().await?;
                Ok((Box::new(socket), Peer::Socket))
            }
        }
    }
}

/// Says that there are too many connections, without waiting for anybody.
async fn refuse(mut socket: Box<dyn Socket>) {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many connections").retry_after("1");
    let bytes = problem.to_bytes();
    let _ = tokio::time::timeout(Duration::from_millis(1), socket.write_all(&bytes)).await;
}

/// Serves one connection to its end.
async fn serve(place: Place, socket: Box<dyn Socket>, peer: Peer, mut ending: watch::Receiver<Ending>) {
    let app = Arc::clone(&place.app);
    let clock = Arc::new(Clock::new(app.config.timeouts));
    let gate = Gate::new(socket, Arc::clone(&clock), app.config.limits);
    let service = {
        let (app, clock) = (Arc::clone(&app), Arc::clone(&clock));
        hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let mut routes = app.routes.clone();
            let measured = Measured::begin(Arc::clone(&app), &request, peer, Arc::clone(&clock));
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(Arc::clone(&clock));
            Box::pin(async move {
                let response = routes.call(request).await.unwrap_or_else(|never: Infallible| match never {});
                let status = response.status().as_u16();
                Ok::<_, Infallible>(response.map(|body| measured.answered(status, body)))
            })
        })
    };
    let mut connection = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(gate), service);
    let expired = clock.expired();
    let last_call = last_call(ending.clone(), &clock);
    tokio::pin!(expired, last_call);
    let mut is_draining = false;
    let late = loop {
        tokio::select! {
            done = poll_fn(|cx| connection.poll_without_shutdown(cx)) => {
                if let Err(error) = done {
                    tracing::debug!(%error, "faultbook.connection");
                }
                break None;
            }
            phase = &mut expired => break Some(phase),
            () = &mut last_call, if !is_draining => {
                is_draining = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
            _ = ending.wait_for(|ending| *ending == Ending::Now) => break Some(Phase::Idle),
        }
    };
    let gate = connection.into_parts().io.into_inner();
    let last = (late == Some(Phase::Head))
        .then(|| Problem::new(StatusCode::REQUEST_TIMEOUT, "the headers did not come in time"));
    if let Some(problem) = gate.refusal().or(last.as_ref()) {
        app.metrics.refused(problem.status());
        app.log.refused(peer, problem);
    }
    match late {
        // Nothing that is still to be said could be heard.
        Some(Phase::Reader | Phase::Request | Phase::Stream) => drop(gate),
        _ => gate.finish(last).await,
    }
    drop(place);
}
