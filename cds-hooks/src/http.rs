//! The HTTP surface: addresses, methods, media types, limits, and what keeps a call from harm.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use engine_patient::system::zone::UTC;
use tower_service::Service as _;

use crate::answer::Answer;
use crate::config::Config;
use crate::cors::{self, Origins};
use crate::log::Line;
use crate::noted::Noted;
use crate::receive::Gate;
use crate::refusal::{Logged, Refusal};
use crate::seams::{CallSeen, Caller, Endpoint, NotAdmitted};
use crate::service::{CardService, Service};
use crate::set::{Live, ServiceSet, Sets};

/// What answers.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) live: Live,
    pub(crate) failures: AtomicU64,
    pub(crate) gate: Gate,
}

/// The service as an axum router, without a listener: each of these as a service of its own. Of services
/// that share an id the first is called; [`crate::serve()`] refuses such a list.
///
/// ```text
/// GET  /cds-services                 discovery
/// POST /cds-services/{id}            one call
/// POST /cds-services/{id}/feedback   what became of cards
/// GET  /health                       200 as soon as it listens
/// ```
///
/// Slashes at the end of an address and repeated ones do not matter.
pub fn router(config: Config, services: Vec<Arc<dyn CardService>>) -> Router {
    let services = services.into_iter().map(Service::of).collect();
    let set = ServiceSet::unchecked("", services, &config);
    router_of_live(config, Live::new(Sets::of(set)))
}

/// The same with the sets that are live, whichever they are when a call comes.
pub fn router_of_live(mut config: Config, live: Live) -> Router {
    let others = config.routes.take().unwrap_or_default();
    let origins = Arc::new(Origins::new(&config.allowed_origins));
    let gate = Gate::new(&config);
    let app = Arc::new(App {
        config,
        live,
        failures: AtomicU64::new(0),
        gate,
    });
    let routes = Router::new()
        .route("/cds-services", get(discover))
        .route("/cds-services/{id}", any(call))
        .route("/cds-services/{id}/feedback", any(feedback))
        .route("/health", get(health))
        .with_state(Arc::clone(&app))
        .merge(others)
        .method_not_allowed_fallback(|| async { Refusal::Method })
        .fallback(|| async { Refusal::NotFound });
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

/// A line for what was refused before a service was called: an address or a method that is none, a caller who
/// is not let in; and for what other addresses have noted. The address itself is not logged, since it may hold
/// anything.
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
    if let Some(noted) = response.extensions_mut().remove::<Noted>() {
        let status = response.status();
        if let Some(log) = &app.config.log {
            let (answer, seconds) = (Answer::default(), start.elapsed().as_secs_f64());
            let service = noted.service.as_deref();
            let now = (app.config.clock)();
            let line = Line::new(now, service, &answer, status.as_u16(), seconds);
            log.line(&line.with_noted(&noted).text());
        }
        let caller = Caller {
            client: noted.client,
            tenant: noted.tenant,
            ..Caller::default()
        };
        app.seen(noted.kind, &caller, status, start);
    }
    response
}

async fn discover(State(app): State<Arc<App>>, request: Request) -> Response {
    let start = Instant::now();
    let (head, _) = request.into_parts();
    let caller = match app.admit(&head, Endpoint::Discovery).await {
        Ok(caller) => caller,
        Err(refusal) => return app.turned_away(Endpoint::Discovery, refusal, start),
    };
    let sets = app.live.current();
    let body = sets.for_caller(&caller).discovery(&caller);
    let response = json(Bytes::from(body));
    app.seen("discovery", &caller, response.status(), start);
    response
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
    if let (Some(turned), Some(members)) = (app.config.turned.counts(), health.as_object_mut()) {
        members.insert("connections".into(), turned);
    }
    json(Bytes::from(health.to_string()))
}

pub(crate) fn json(body: Bytes) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn call(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let start = Instant::now();
    let id = path.map(|Path(id)| id).unwrap_or_default();
    let (head, body) = request.into_parts();
    let (caller, set) = match app.enter(&head, Endpoint::Call(&id), &id, start).await {
        Ok(entered) => entered,
        Err(response) => return *response,
    };
    app.called(set, &id, caller, Request::from_parts(head, body), start)
        .await
}

async fn feedback(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let start = Instant::now();
    let id = path.map(|Path(id)| id).unwrap_or_default();
    let (head, body) = request.into_parts();
    let (caller, _) = match app.enter(&head, Endpoint::Feedback(&id), &id, start).await {
        Ok(entered) => entered,
        Err(response) => return *response,
    };
    app.told(&id, &caller, Request::from_parts(head, body), start)
        .await
}

impl App {
    /// Who calls, where they are let in and may do it.
    async fn admit(&self, head: &Parts, endpoint: Endpoint<'_>) -> Result<Caller, Refusal> {
        let seconds = (self.config.clock)().earliest(&UTC).div_euclid(1000);
        let admission = &self.config.seams.admission;
        let admitted = admission.admit(head, endpoint, seconds).await;
        let caller = admitted.map_err(|refused| match refused {
            NotAdmitted::Unauthorized(reason) => Refusal::Unauthorized(reason),
            NotAdmitted::Forbidden(reason) => Refusal::Forbidden(reason),
            NotAdmitted::Unavailable(reason) => Refusal::Unavailable(reason),
        })?;
        match caller.permissions.contains(endpoint.permission()) {
            true => Ok(caller),
            false => Err(Refusal::Forbidden(format!(
                "the caller lacks the permission `{}`",
                endpoint.permission().as_str()
            ))),
        }
    }

    /// Lets a caller in to a service, by POST; whose set it is in. What is refused here is told: boxed, since
    /// it is rare.
    async fn enter(
        &self,
        head: &Parts,
        endpoint: Endpoint<'_>,
        id: &str,
        start: Instant,
    ) -> Result<(Caller, Arc<ServiceSet>), Box<Response>> {
        let not_allowed = || Box::new(([(ALLOW, "POST")], Refusal::Method).into_response());
        // Nobody who asks what there is to ask needs a token.
        if head.method == Method::OPTIONS {
            return Err(not_allowed());
        }
        let caller = match self.admit(head, endpoint).await {
            Ok(caller) => caller,
            Err(refusal) => return Err(Box::new(self.turned_away(endpoint, refusal, start))),
        };
        let set = Arc::clone(self.live.current().for_caller(&caller));
        if set.of_id(id).is_empty() {
            let ids = set.ids(&caller).join(", ");
            return Err(Box::new(Refusal::NoService(ids).into_response()));
        }
        if !caller.may_see(id) {
            let reason = "the caller may not use this service".to_owned();
            let refusal = Refusal::Forbidden(reason);
            return Err(Box::new(self.turned_away(endpoint, refusal, start)));
        }
        match head.method == Method::POST {
            true => Ok((caller, set)),
            false => Err(not_allowed()),
        }
    }

    /// Tells a caller that they are not let in.
    fn turned_away(&self, endpoint: Endpoint<'_>, refusal: Refusal, start: Instant) -> Response {
        let status = refusal.status();
        let reason = match &refusal {
            Refusal::Unauthorized(reason)
            | Refusal::Forbidden(reason)
            | Refusal::Unavailable(reason) => reason.as_str(),
            _ => "",
        };
        let observer = &self.config.seams.observer;
        observer.not_admitted(endpoint, status.as_u16(), reason);
        self.seen(endpoint.name(), &Caller::default(), status, start);
        refusal.into_response()
    }

    /// Counts a request that is no call of a service.
    pub(crate) fn seen(
        &self,
        endpoint: &'static str,
        caller: &Caller,
        status: StatusCode,
        start: Instant,
    ) {
        self.config.seams.observer.ended(&CallSeen {
            endpoint,
            service: None,
            hook: None,
            client: caller.client.as_deref(),
            tenant: caller.tenant.as_deref(),
            hook_instance: None,
            trace: None,
            status: status.as_u16(),
            seconds: start.elapsed().as_secs_f64(),
            cards: 0,
            shadow: 0,
        });
    }
}
