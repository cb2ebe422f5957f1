//! Listening, and ending in good order.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::Config;
use crate::http::router;
use crate::service::CardService;

/// How long calls under way may still take after the signal to end.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until Ctrl-C or SIGTERM; then finishes the calls under way, for ten seconds at most.
///
/// Replaces the panic hook of the process: a panic's message may quote a patient's data, so that
/// only its place in the source is printed.
///
/// # Errors
/// Where the address cannot be listened at, or a service has an id that does not fit a URL, one
/// that another has too, or no description (`InvalidInput`, naming every one).
pub async fn serve(
    config: Config,
    services: Vec<Arc<dyn CardService>>,
    on_listening: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => eprintln!("panic at {place} (its message is not shown: it may hold data)"),
        None => eprintln!("panic (its message is not shown: it may hold data)"),
    }));
    serve_until(config, services, on_listening, signal()).await
}

/// Serves until `end`.
///
/// # Errors
/// As [`serve`].
pub async fn serve_until(
    config: Config,
    services: Vec<Arc<dyn CardService>>,
    on_listening: impl FnOnce(SocketAddr),
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let problems = problems(&services);
    if !problems.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            problems.join("; "),
        ));
    }
    let listener = TcpListener::bind(config.listen).await?;
    on_listening(listener.local_addr()?);
    let (ending, mut ended) = watch::channel(false);
    let signalled = async move {
        end.await;
        // Nobody listens only where serving is over already.
        let _ = ending.send(true);
    };
    let serving = axum::serve(listener, router(config, services));
    let serving = serving.with_graceful_shutdown(signalled).into_future();
    let grace = async {
        if ended.wait_for(|ended| *ended).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served,
        () = grace => Ok(()),
    }
}

/// What would make a list of services break the specification.
fn problems(services: &[Arc<dyn CardService>]) -> Vec<String> {
    let (mut problems, mut seen) = (vec![], HashSet::new());
    for service in services {
        let id = service.id();
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if id.is_empty() || !id.bytes().all(fits) {
            problems.push(format!(
                "service id `{id}` is not of letters, digits, `.`, `_`, `-`"
            ));
        }
        if !seen.insert(id) {
            problems.push(format!("two services have the id `{id}`"));
        }
        if service.description().trim().is_empty() {
            problems.push(format!("service `{id}` has no description"));
        }
    }
    problems
}

/// Ctrl-C, or SIGTERM where there is such a thing.
async fn signal() {
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
