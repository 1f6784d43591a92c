//! The HTTP service: the engine for everybody who can send a request.
//!
//! Every request goes the same way: a place among the connections (`connection`), a head that has one way to be read
//! (`gate`), the rules for whom the service answers (`guard`), a route (`routes`). What takes too long ends by a clock of
//! its own (`clock`). No route has logic of its own.

mod access;
mod clock;
pub mod config;
mod connection;
mod gate;
mod guard;
mod metrics;
mod openapi;
mod problem;
mod routes;
mod token;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::{TcpSocket, UnixListener};
use tokio::sync::watch;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::spool::Keeper;

use access::Log;
use config::{Config, RELOAD_TOKEN_VARIABLE, TOKEN_VARIABLE};
use connection::{Connections, Ending, Listener, accept};
use guard::Rate;
use metrics::Metrics;
use token::Token;

pub use openapi::document as openapi;

/// Connections that the system keeps until they are taken in.
const BACKLOG: u32 = 128;

/// Bytes of an answer that the system keeps for somebody who does not read it, for each connection.
const SEND_BYTES: u32 = 128 * 1024;

/// What every request shares.
struct App {
    config: Config,
    engine: Arc<Engine>,
    keeper: Arc<Keeper>,
    token: Option<Token>,
    reload_token: Option<Token>,
    connections: Connections,
    metrics: Metrics,
    log: Log,
    routes: Router,
    wrong_tokens: Rate,
    reloads: Rate,
    /// Whether the service has begun to end.
    ending: watch::Receiver<Ending>,
    remark: fn(&str),
    /// When something was said that may come in floods, and how often it was not said since.
    said: Mutex<Option<Instant>>,
    unsaid: AtomicU64,
}

/// The shortest time between two remarks on what may come in floods.
const REMARK_PAUSE: Duration = Duration::from_secs(10);

impl App {
    /// Says something that may come in floods, at most every ten seconds.
    fn say_rarely(&self, message: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some_and(|at| at.elapsed() < REMARK_PAUSE) {
            self.unsaid.fetch_add(1, Ordering::Relaxed);
            return;
        }
        *said = Some(Instant::now());
        match self.unsaid.swap(0, Ordering::Relaxed) {
            0 => (self.remark)(message),
            more => (self.remark)(&format!("{message} (and {more} times more since it was last said)")),
        }
    }
}

/// A service that listens, and does not answer yet.
pub struct Server {
    runtime: tokio::runtime::Runtime,
    app: Arc<App>,
    listeners: Vec<Listener>,
    addresses: Vec<String>,
    writing: access::Writing,
    ending: watch::Sender<Ending>,
    socket: Option<PathBuf>,
}

/// Says a running service that it has to end.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Ending>);

impl Stop {
    /// Ends the service: requests under way are answered first. Asked for a second time, it ends at once.
    pub fn stop(&self) {
        self.0.send_modify(|ending| *ending = if *ending == Ending::No { Ending::Draining } else { Ending::Now });
    }
}

impl Server {
    /// Looks at what can be seen of a configuration without listening.
    ///
    /// # Errors
    /// When a token cannot be read, or no socket can have such a path.
    pub(crate) fn check(config: &Config) -> Result<(), Error> {
        if let Some(path) = &config.socket {
            let cannot =
                |error| Error::new(ErrorKind::Io, format!("cannot listen on `{}`", path.display())).with_source(error);
            std::os::unix::net::SocketAddr::from_pathname(path).map_err(cannot)?;
        }
        Token::find(config.token_file.as_deref(), TOKEN_VARIABLE)?;
        Token::find(config.reload_token_file.as_deref(), RELOAD_TOKEN_VARIABLE)?;
        Ok(())
    }

    /// Listens as the configuration says. `remark` is told what an operator has to know.
    ///
    /// # Errors
    /// When an address or a socket cannot be listened on, or a token cannot be read.
    pub(crate) fn bind(
        config: Config,
        engine: Arc<Engine>,
        keeper: Arc<Keeper>,
        remark: fn(&str),
    ) -> Result<Self, Error> {
        let token = Token::find(config.token_file.as_deref(), TOKEN_VARIABLE)?;
        let reload_token = Token::find(config.reload_token_file.as_deref(), RELOAD_TOKEN_VARIABLE)?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.enable_all().thread_name("serve");
        if config.threads > 0 {
            runtime.worker_threads(config.threads.into());
        }
        let io = |what: String| move |error: std::io::Error| Error::new(ErrorKind::Io, what).with_source(error);
        let runtime = runtime.build().map_err(io("cannot start threads".to_owned()))?;
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        {
            let _entered = runtime.enter();
            if let Some(listen) = config.listen {
                let cannot = io(format!("cannot listen on {listen}{}", hint(listen)));
                let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
                let listener = socket.and_then(|socket| {
                    socket.set_reuseaddr(true)?;
                    socket.set_send_buffer_size(SEND_BYTES)?;
                    socket.bind(listen)?;
                    socket.listen(BACKLOG)
                });
                let listener = listener.map_err(cannot)?;
                let address = listener.local_addr().unwrap_or(listen);
                addresses.push(format!("http://{address}"));
                listeners.push(Listener::Tcp(listener));
            }
            if let Some(path) = &config.socket {
                let listener = listen_on(path).map_err(io(format!("cannot listen on `{}`", path.display())))?;
                addresses.push(format!("unix:{}", path.display()));
                listeners.push(Listener::Unix(listener));
            }
        }
        let (log, writing) = Log::start(config.access_log)?;
        let (ending, seen) = watch::channel(Ending::No);
        let socket = config.socket.clone();
        let app = Arc::new_cyclic(|app| App {
            metrics: Metrics::new(Arc::clone(&engine)),
            routes: routes::router(app.clone()),
            config,
            engine,
            keeper,
            token,
            reload_token,
            connections: Connections::default(),
            log,
            wrong_tokens: Rate::default(),
            reloads: Rate::default(),
            ending: seen,
            remark,
            said: Mutex::new(None),
            unsaid: AtomicU64::new(0),
        });
        Ok(Self { runtime, app, listeners, addresses, writing, ending, socket })
    }

    /// Where it listens, as a person would write it.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// What ends it.
    #[must_use]
    pub fn stop(&self) -> Stop {
        Stop(self.ending.clone())
    }

    /// Answers until it is stopped; how many connections were dropped in the middle of a request.
    pub fn run(self) -> usize {
        let Self { runtime, app, listeners, writing, ending, socket, .. } = self;
        let drain = app.config.timeouts.drain;
        let mut seen = ending.subscribe();
        let dropped = runtime.block_on(async {
            for listener in listeners {
                tokio::spawn(accept(Arc::clone(&app), listener, ending.subscribe()));
            }
            let _ = seen.wait_for(|ending| *ending > Ending::No).await;
            // Nobody new comes in any more.
            if let Some(path) = &socket {
                let _ = std::fs::remove_file(path);
            }
            let drained = async {
                while app.connections.count() > 0 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::select! {
                () = drained => {}
                () = tokio::time::sleep(drain) => {}
                _ = seen.wait_for(|ending| *ending == Ending::Now) => {}
            }
            let left = app.connections.count();
            ending.send_replace(Ending::Now);
            left
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
        // With the last of it the access log ends.
        drop(app);
        writing.join();
        dropped
    }
}

/// What may help where an address cannot be listened on.
fn hint(listen: std::net::SocketAddr) -> &'static str {
    if (1..1024).contains(&listen.port()) { " (ports below 1024 are for the administrator)" } else { "" }
}

/// Listens on a Unix socket that only the own user may use. What an ended service left behind is removed; a service that
/// still answers there, or any other file, is not.
fn listen_on(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(std::io::Error::other("there is a file of that name that is no socket"));
        }
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(std::io::Error::other("another process answers there"));
        }
        std::fs::remove_file(path)?;
    }
    // Bound under another name first: at its own name it is never open to others.
    let hidden = path.with_extension(format!("{}.new", std::process::id()));
    let _ = std::fs::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden)?;
    let named = std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600))
        .and_then(|()| std::fs::rename(&hidden, path));
    if let Err(error) = named {
        let _ = std::fs::remove_file(&hidden);
        return Err(error);
    }
    Ok(listener)
}
