//! The HTTP surface: addresses, methods, media types, limits, and what keeps a call from harm.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use engine_patient::context::EvaluationContext;
use tower_service::Service;

use crate::answer::{Answer, answer};
use crate::config::Config;
use crate::connection::Turned;
use crate::cors::{self, Origins};
use crate::discovery;
use crate::hash;
use crate::log::Line;
use crate::prefetch::Templates;
use crate::receive::Gate;
use crate::refusal::{Logged, Refusal};
use crate::service::CardService;

struct App {
    config: Config,
    services: Vec<(Arc<dyn CardService>, Templates)>,
    by_id: HashMap<String, usize>,
    discovery: Bytes,
    failures: AtomicU64,
    gate: Gate,
    /// What became of connections; nothing where there is no listener.
    turned: Arc<Turned>,
}

/// The service as an axum router, without a listener. Of services that share an id the first is
/// called; [`crate::serve()`] refuses such a list.
///
/// ```text
/// GET  /cds-services        discovery
/// POST /cds-services/{id}   one call
/// GET  /health              200 as soon as it listens
/// ```
///
/// Slashes at the end of an address and repeated ones do not matter.
pub fn router(config: Config, services: Vec<Arc<dyn CardService>>) -> Router {
    router_of(config, services)
}

pub(crate) fn router_of(mut config: Config, services: Vec<Arc<dyn CardService>>) -> Router {
    let (more, turned) = (config.routes.take(), Arc::clone(&config.turned));
    let services: Vec<_> = services
        .into_iter()
        .map(|service| {
            let templates = Templates::of_service(service.as_ref());
            (service, templates)
        })
        .collect();
    let discovery = discovery::body(services.iter().map(|(s, t)| (s.as_ref(), t)));
    let mut by_id = HashMap::new();
    for (index, (service, _)) in services.iter().enumerate() {
        by_id.entry(service.id().to_owned()).or_insert(index);
    }
    let origins = Arc::new(Origins::new(&config.allowed_origins));
    let gate = Gate::new(&config);
    let discovery = Bytes::from(discovery);
    let app = Arc::new(App {
        config,
        services,
        by_id,
        discovery,
        failures: AtomicU64::new(0),
        gate,
        turned,
    });
    let routes = Router::new()
        .route("/cds-services", get(discover))
        .route("/cds-services/{id}", any(call))
        .route("/health", get(health))
        .method_not_allowed_fallback(|| async { Refusal::Method })
        .fallback(|| async { Refusal::NotFound })
        .with_state(Arc::clone(&app));
    let routes = match more {
        Some(more) => routes.merge(more),
        None => routes,
    };
    let plain = routes.clone();
    routes
        .fallback(move |request| without_slashes(plain.clone(), request))
        .layer(from_fn_with_state(app, log_others))
        .layer(from_fn_with_state(origins, cors::apply))
}

/// An address with a slash at its end, or with two where one belongs, as clients make it of a base URL
/// and a path: answered as the one without.
async fn without_slashes(mut routes: Router, mut request: Request) -> Response {
    let parts = request.uri().path().split('/').filter(|p| !p.is_empty());
    let path = format!("/{}", parts.collect::<Vec<_>>().join("/"));
    let query = request.uri().query();
    let whole = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.clone(),
    };
    let same = path == request.uri().path();
    match Uri::try_from(whole) {
        Ok(uri) if !same => {
            *request.uri_mut() = uri;
            match routes.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
        _ => Refusal::NotFound.into_response(),
    }
}

/// A line for what was refused before a service was called: an address or a method that is none. The
/// address itself is not logged, since it may hold anything.
async fn log_others(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    if let (Some(Logged(error)), Some(log)) = (response.extensions_mut().remove(), &app.config.log)
    {
        let answer = Answer::default();
        let (status, seconds) = (response.status().as_u16(), start.elapsed().as_secs_f64());
        let line = Line::new((app.config.clock)(), None, &answer, status, seconds);
        log.line(&line.with_error(error.as_deref()).text());
    }
    response
}

async fn discover(State(app): State<Arc<App>>) -> Response {
    json(app.discovery.clone())
}

/// What is lost or turned away is told here too: of the log wherever there is one, of connections
/// once there were any.
async fn health(State(app): State<Arc<App>>) -> Response {
    let mut health = serde_json::json!({ "status": "ok" });
    if let (Some(log), Some(members)) = (&app.config.log, health.as_object_mut()) {
        let counts = log.counts();
        members.insert(
            "log".into(),
            serde_json::json!({ "dropped": counts.dropped, "write_errors": counts.write_errors }),
        );
    }
    if let (Some(turned), Some(members)) = (app.turned.counts(), health.as_object_mut()) {
        members.insert("connections".into(), turned);
    }
    json(Bytes::from(health.to_string()))
}

fn json(body: Bytes) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn call(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
    request: Request,
) -> Response {
    let found = path.ok().and_then(|Path(id)| app.by_id.get(&id).copied());
    let Some(index) = found else {
        let ids: Vec<&str> = app.services.iter().map(|(s, _)| s.id()).collect();
        return Refusal::NoService(ids.join(", ")).into_response();
    };
    if request.method() != Method::POST {
        return ([(ALLOW, "POST")], Refusal::Method).into_response();
    }
    let start = Instant::now();
    let answer = match app.gate.receive(request).await {
        Ok(body) if body.is_small() && app.is_short(index) => app.answer(index, body.bytes()),
        Ok(body) => match app.gate.turn().await {
            Ok(turn) => {
                let there = Arc::clone(&app);
                // The memory and the turn are given back when the work is done, also where the
                // client is gone by then.
                let work = move || {
                    let answer = there.answer(index, body.bytes());
                    drop((body, turn));
                    answer
                };
                let done = tokio::task::spawn_blocking(work).await;
                done.unwrap_or_default()
            }
            Err(refusal) => refused(refusal),
        },
        Err(refusal) => refused(refusal),
    };
    app.respond(index, answer, start)
}

fn refused(refusal: Refusal) -> Answer {
    Answer {
        body: Some(Err(refusal)),
        ..Answer::default()
    }
}

impl App {
    /// Whether a service answers a small body quickly: a few orders meet many rows, and each other.
    fn is_short(&self, index: usize) -> bool {
        let service = self.services.get(index);
        service.is_none_or(|(service, _)| service.hook().drafts().is_none())
    }

    /// Answers; a panic of an evaluation leaves no answer, which becomes an error with an id.
    fn answer(&self, index: usize, body: &[u8]) -> Answer {
        let Some((service, templates)) = self.services.get(index) else {
            return Answer::default();
        };
        let at = self.config.at.unwrap_or_else(|| (self.config.clock)());
        let zone = self.config.time_zone.clone();
        let most = self.config.limits.max_drafts;
        let context = EvaluationContext {
            at,
            zone,
            period: None,
            // What was sent is all there is.
            systems: None,
            call: None,
            outcomes_seen: None,
        };
        let evaluate =
            AssertUnwindSafe(|| answer(service.as_ref(), templates, body, &context, most));
        catch_unwind(evaluate).unwrap_or_default()
    }

    /// An id that says nothing but which failure of which service it was.
    fn internal(&self, index: usize) -> Refusal {
        let count = self.failures.fetch_add(1, Ordering::Relaxed).to_string();
        let process = std::process::id().to_string();
        Refusal::Internal(hash::short(&[&index.to_string(), &process, &count]))
    }

    fn respond(&self, index: usize, mut answer: Answer, start: Instant) -> Response {
        let (mut error_id, no_store) = (None, [(CACHE_CONTROL, "no-store")]);
        let body = answer.body.take();
        let mut response = match body.unwrap_or_else(|| Err(self.internal(index))) {
            Ok(body) => (no_store, json(Bytes::from(body))).into_response(),
            Err(refusal) => {
                if let Refusal::Internal(id) = &refusal {
                    error_id = Some(id.clone());
                }
                (no_store, refusal).into_response()
            }
        };
        let error = response.extensions_mut().remove();
        let error = error.and_then(|Logged(error)| error);
        if let (Some(log), Some((service, _))) = (&self.config.log, self.services.get(index)) {
            let (status, seconds) = (response.status().as_u16(), start.elapsed().as_secs_f64());
            let line = Line::new(
                (self.config.clock)(),
                Some(service.id()),
                &answer,
                status,
                seconds,
            );
            let line = line.with_error(error.as_deref());
            log.line(&line.with_id(error_id.as_deref()).text());
        }
        response
    }
}
