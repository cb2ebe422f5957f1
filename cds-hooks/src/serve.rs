//! Listening, and ending in good order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::config::{Clock, Config};
use crate::connection::{self, Connections, Tls, Turned};
use crate::http::router_of_live;
use crate::log::{self, Log};
use crate::service::{CardService, Service};
use crate::set::{Live, ServiceSet, Sets};

/// How long calls under way may still take after the signal to end.
const GRACE: Duration = Duration::from_secs(10);

/// How long the log may take to be written at the end.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How many clients are told at once that all connections are in use; beyond it they are just closed.
const TURNING_AWAY: usize = 64;

/// Files that a server has open beside its connections.
const OTHER_FILES: u64 = 64;

/// Lets this process have as many open files as the system allows it, at most what `connections`
/// need. Returns how many connections that gives.
pub fn open_files(connections: usize) -> usize {
    #[cfg(unix)]
    {
        let wanted = OTHER_FILES.saturating_add(connections as u64);
        // Where the limit cannot be told there may be none.
        let allowed = match rlimit::Resource::NOFILE.get() {
            Ok((soft, _)) if soft >= wanted => soft,
            Ok((soft, hard)) => match rlimit::Resource::NOFILE.set(wanted.min(hard), hard) {
                Ok(()) => wanted.min(hard),
                Err(_) => soft,
            },
            Err(_) => wanted,
        };
        let left = allowed.saturating_sub(OTHER_FILES).max(1);
        usize::try_from(left)
            .unwrap_or(connections)
            .min(connections)
    }
    #[cfg(not(unix))]
    connections
}

/// Serves until Ctrl-C or SIGTERM; then finishes the calls under way, for ten seconds at most.
///
/// Replaces the panic hook of the process: a panic's message may quote a patient's data, so that
/// only its place in the source is written, to the log or else to standard error.
///
/// # Errors
/// Where the address cannot be listened at, or a service has an id that does not fit a URL, one
/// that another has too, or no description (`InvalidInput`, naming every one).
pub async fn serve(
    config: Config,
    services: Vec<Arc<dyn CardService>>,
    on_listening: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    let panics = config.log.clone().unwrap_or_else(Log::stderr);
    tell_panics(panics, config.clock.clone());
    serve_until(config, services, on_listening, signal()).await
}

/// Replaces the panic hook of the process: only the place of a panic in the source is written to the log,
/// since its message may quote a patient's data.
pub fn tell_panics(log: Log, clock: Clock) {
    std::panic::set_hook(Box::new(move |panic| {
        log.line(&log::of_panic(clock(), panic));
    }));
}

/// Serves until `end`. `on_listening` must not block.
///
/// # Errors
/// As [`serve`].
pub async fn serve_until(
    config: Config,
    services: Vec<Arc<dyn CardService>>,
    on_listening: impl FnOnce(SocketAddr),
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let services = services.into_iter().map(Service::of).collect();
    let set = ServiceSet::new("", services, &config)
        .map_err(|problems| io::Error::new(io::ErrorKind::InvalidInput, problems.join("; ")))?;
    let live = Live::new(Sets::of(set));
    serve_live(config, live, on_listening, end).await
}

/// Serves the sets that are live, whichever they are when a call comes, until `end`. `on_listening` must not
/// block. The panic hook stays as it is ([`tell_panics`]).
///
/// # Errors
/// Where the address cannot be listened at.
pub async fn serve_live(
    config: Config,
    live: Live,
    on_listening: impl FnOnce(SocketAddr),
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = TcpListener::bind(config.listen).await?;
    on_listening(listener.local_addr()?);
    let log = config.log.clone();
    let turned = Arc::clone(&config.turned);
    let server = Server {
        clock: config.clock.clone(),
        log: log.clone(),
        tls: config.tls.clone(),
        connections: Connections::new(&config.limits, Arc::clone(&turned)),
        router: router_of_live(config, live),
        turned,
    };
    server.run(listener, end).await;
    if let Some(log) = log {
        log.flush(LAST_LINES);
    }
    Ok(())
}

struct Server {
    clock: Clock,
    log: Option<Log>,
    tls: Option<Arc<dyn Tls>>,
    connections: Arc<Connections>,
    router: axum::Router,
    turned: Arc<Turned>,
}

impl Server {
    async fn run(&self, listener: TcpListener, end: impl Future<Output = ()>) {
        let (ending, ended) = watch::channel(false);
        let (mut tasks, mut telling) = (JoinSet::new(), JoinSet::new());
        let mut rhythm = tokio::time::interval(self.connections.rhythm());
        rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut end, mut pause) = (pin!(end), false);
        loop {
            tokio::select! {
                () = &mut end => break,
                _ = rhythm.tick() => {
                    self.connections.sweep(false);
                    pause = false;
                }
                accepted = listener.accept(), if !pause => match accepted {
                    Ok((stream, _)) => match self.connections.admit() {
                        Some(place) => {
                            let (router, tls) = (self.router.clone(), self.tls.clone());
                            let ended = ended.clone();
                            tasks.spawn(connection::run(stream, place, router, ended, tls));
                        }
                        // Who waits for a handshake would not understand it.
                        None if self.tls.is_none() && telling.len() < TURNING_AWAY => {
                            telling.spawn(connection::turn_away(stream));
                        }
                        None => {}
                    },
                    Err(error) => pause = self.not_accepted(&error),
                },
                Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
                Some(_) = telling.join_next(), if !telling.is_empty() => {}
            }
        }
        drop(listener);
        // Nobody listens only where nothing is open any more.
        let _ = ending.send(true);
        let finish = async {
            while !tasks.is_empty() {
                tokio::select! {
                    _ = rhythm.tick() => self.connections.sweep(true),
                    _ = tasks.join_next() => {}
                }
            }
        };
        let _ = tokio::time::timeout(GRACE, finish).await;
    }

    /// A connection could not be accepted. True where the next is to wait a little: the system has
    /// no files or memory left for one.
    fn not_accepted(&self, error: &io::Error) -> bool {
        let theirs = matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::Interrupted
        );
        if theirs {
            return false;
        }
        self.turned.accept_error();
        self.connections.make_room();
        if let Some(log) = &self.log {
            let what = format!("a connection could not be accepted: {error}");
            log.line(&log::of_server((self.clock)(), &what));
        }
        true
    }
}

/// Ctrl-C, or SIGTERM where there is such a thing.
pub async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
