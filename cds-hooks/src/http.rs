//! The HTTP surface: addresses, methods, media types, limits, and what keeps a call from harm.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use engine_patient::context::EvaluationContext;

use crate::answer::{Answer, answer};
use crate::config::Config;
use crate::cors::{self, Origins};
use crate::discovery;
use crate::hash;
use crate::log::Line;
use crate::prefetch::Templates;
use crate::refusal::Refusal;
use crate::service::CardService;

/// Bodies up to this size are answered where they are received: that takes less than a
/// millisecond. Larger ones go to the threads for blocking work.
const INLINE: usize = 64 * 1024;

/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);

struct App {
    config: Config,
    services: Vec<(Arc<dyn CardService>, Templates)>,
    by_id: HashMap<String, usize>,
    discovery: Bytes,
    panics: AtomicU64,
}

/// The service as an axum router, without a listener. Of services that share an id the first is
/// called; [`crate::serve`] refuses such a list.
///
/// ```text
/// GET  /cds-services        discovery
/// POST /cds-services/{id}   one call
/// GET  /health              200 as soon as it listens
/// ```
pub fn router(config: Config, services: Vec<Arc<dyn CardService>>) -> Router {
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
    let max_body = config.max_body;
    let discovery = Bytes::from(discovery);
    let app = App {
        config,
        services,
        by_id,
        discovery,
        panics: AtomicU64::new(0),
    };
    Router::new()
        .route("/cds-services", get(discover))
        .route("/cds-services/{id}", post(call))
        .route("/health", get(health))
        .method_not_allowed_fallback(|| async { Refusal::Method })
        .fallback(|| async { Refusal::NotFound })
        .layer(DefaultBodyLimit::max(max_body))
        .layer(axum::middleware::from_fn_with_state(origins, cors::apply))
        .with_state(Arc::new(app))
}

async fn discover(State(app): State<Arc<App>>) -> Response {
    json(app.discovery.clone())
}

async fn health() -> Response {
    json(Bytes::from_static(b"{\"status\":\"ok\"}"))
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
        return Refusal::NotFound.into_response();
    };
    let start = Instant::now();
    let answer = match receive(request, app.config.max_body).await {
        Ok(body) if body.len() <= INLINE => app.answer(index, &body),
        Ok(body) => {
            let (there, work) = (Arc::clone(&app), move |app: &App| app.answer(index, &body));
            let done = tokio::task::spawn_blocking(move || work(&there)).await;
            done.unwrap_or_else(|_| app.failed(index))
        }
        Err(refusal) => Answer {
            body: Some(Err(refusal)),
            ..Answer::default()
        },
    };
    app.respond(index, answer, start)
}

/// The body, once its headers say that it is JSON.
async fn receive(request: Request, max_body: usize) -> Result<Bytes, Refusal> {
    is_json(request.headers())?;
    let body = tokio::time::timeout(ARRIVAL, Bytes::from_request(request, &())).await;
    body.map_err(|_| Refusal::Slow)?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge(max_body),
            _ => Refusal::Broken,
        })
}

fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let encoding = text(CONTENT_ENCODING).map(str::trim);
    if encoding.is_some_and(|e| !e.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::MediaType(
            "send the body without a `Content-Encoding`",
        ));
    }
    let media = text(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let mut parts = media.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let json =
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if !json {
        return Err(Refusal::MediaType("send `Content-Type: application/json`"));
    }
    let mut charsets = parts.filter_map(|p| p.strip_prefix("charset="));
    if charsets.any(|c| !matches!(c.trim_matches('"'), "utf-8" | "utf8")) {
        return Err(Refusal::MediaType("send the JSON as UTF-8"));
    }
    Ok(())
}

impl App {
    /// Answers; a panic of an evaluation becomes an error with an id.
    fn answer(&self, index: usize, body: &[u8]) -> Answer {
        let Some((service, templates)) = self.services.get(index) else {
            return Answer {
                body: Some(Err(Refusal::NotFound)),
                ..Answer::default()
            };
        };
        let at = (self.config.clock)();
        let zone = self.config.time_zone_minutes;
        let context = EvaluationContext {
            at,
            zone,
            period: None,
            // What was sent is all there is.
            systems: None,
        };
        let evaluate = AssertUnwindSafe(|| answer(service.as_ref(), templates, body, &context));
        catch_unwind(evaluate).unwrap_or_else(|_| self.failed(index))
    }

    /// An id that says nothing but which panic of which service it was.
    fn failed(&self, index: usize) -> Answer {
        let count = self.panics.fetch_add(1, Ordering::Relaxed).to_string();
        let process = std::process::id().to_string();
        let id = hash::short(&[&index.to_string(), &process, &count]);
        Answer {
            body: Some(Err(Refusal::Internal(id))),
            ..Answer::default()
        }
    }

    fn respond(&self, index: usize, mut answer: Answer, start: Instant) -> Response {
        let (mut error_id, no_store) = (None, [(CACHE_CONTROL, "no-store")]);
        let response = match answer.body.take() {
            Some(Ok(body)) => (no_store, json(Bytes::from(body))).into_response(),
            Some(Err(refusal)) => {
                if let Refusal::Internal(id) = &refusal {
                    error_id = Some(id.clone());
                }
                (no_store, refusal).into_response()
            }
            None => Refusal::NotFound.into_response(),
        };
        if let (Some(log), Some((service, _))) = (&self.config.log, self.services.get(index)) {
            let (status, seconds) = (response.status().as_u16(), start.elapsed().as_secs_f64());
            let line = Line::new(service.id(), &answer, status, seconds);
            log(&line.with_error(error_id.as_deref()).text());
        }
        response
    }
}
