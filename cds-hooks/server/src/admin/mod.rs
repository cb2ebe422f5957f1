//! What operators look at: `/healthz`, `/readyz`, `/metrics`, `/admin/live`, `POST /admin/reload`.
//!
//! | | who |
//! |---|---|
//! | `GET /healthz` | anyone: the process answers |
//! | `GET /readyz` | anyone: 200 where calls can be answered, else 503; why not is told only to those who may read metrics |
//! | `GET /metrics` | as `[metrics] readers` says |
//! | `GET /admin/live` | permission `admin`, or this machine |
//! | `POST /admin/reload` | permission `admin`, or this machine |
//!
//! "This machine" means a listener that is bound to a loopback address, and a request that neither a page in a
//! browser nor a proxy made, as far as that shows (`local`). Who puts a proxy before such a listener lets it
//! forward `/cds-services` only: not every proxy says that it is one.

mod local;
mod ready;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cds_hooks::seams::{Admission, Endpoint, NotAdmitted, Permission};
use cds_hooks::{Clock, Noted};
use engine_patient::system::zone::UTC;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::live;
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::settings::Readers;

pub use ready::{Check, Checks, Failing};

/// A wish to have everything read again, and where to say what came of it.
pub struct Wish(pub oneshot::Sender<Vec<live::Failed>>);

/// What the addresses of operators need.
pub struct Admin {
    /// Who may.
    pub admission: Arc<dyn Admission>,
    /// The time.
    pub clock: Clock,
    /// The numbers.
    pub metrics: Metrics,
    /// Whether there is `/metrics`.
    pub has_metrics: bool,
    /// Who may read them.
    pub readers: Readers,
    /// What is live.
    pub state: Arc<live::State>,
    /// What has to work for calls to be answered.
    pub checks: Checks,
    /// The server was asked to end: it is ready for nothing more.
    pub ending: Arc<AtomicBool>,
    /// Takes wishes to read again. One that is not taken is told so.
    pub wishes: mpsc::Sender<Wish>,
}

/// The addresses on one listener.
#[derive(Clone)]
struct Listener {
    admin: Arc<Admin>,
    /// Bound to a loopback address.
    is_local: bool,
}

/// The addresses of operators, on a listener that is bound to a loopback address, or not.
pub fn routes(admin: Arc<Admin>, is_local: bool) -> Router {
    let has_metrics = admin.has_metrics;
    let routes = health_routes()
        .route("/admin/live", get(live_sets))
        .route("/admin/reload", post(reload));
    let routes = match has_metrics {
        true => routes.route("/metrics", get(metrics)),
        false => routes,
    };
    routes.with_state(Listener { admin, is_local })
}

/// What load balancers ask, on the listener of clients where operators have one of their own: whoever asks
/// there is told no more than the status, but by permission.
pub fn probes(admin: Arc<Admin>) -> Router {
    let is_local = false;
    health_routes().with_state(Listener { admin, is_local })
}

fn health_routes() -> Router<Listener> {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
}

impl Listener {
    /// Whether a request comes from this machine, from nobody's page and through no proxy.
    fn is_here(&self, head: &Parts) -> bool {
        self.is_local && local::is_own(head)
    }

    /// Whether a caller may.
    async fn may(
        &self,
        head: &Parts,
        path: &'static str,
        permission: Permission,
        readers: Readers,
    ) -> Result<(), Response> {
        match readers {
            Readers::All => return Ok(()),
            Readers::Local if self.is_here(head) => return Ok(()),
            _ => {}
        }
        let at = (self.admin.clock)().earliest(&UTC) / 1000;
        let endpoint = Endpoint::Other(path, permission);
        let (status, reason) = match self.admin.admission.admit(head, endpoint, at).await {
            Ok(caller) if caller.permissions.contains(permission) => return Ok(()),
            Ok(_) => (StatusCode::FORBIDDEN, "role".to_owned()),
            Err(not) => {
                let status = match not {
                    NotAdmitted::Unauthorized(_) => StatusCode::UNAUTHORIZED,
                    NotAdmitted::Forbidden(_) => StatusCode::FORBIDDEN,
                    NotAdmitted::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                };
                (status, not.reason().to_owned())
            }
        };
        use cds_hooks::seams::Observer as _;
        let metrics = &self.admin.metrics;
        metrics.not_admitted(endpoint, status.as_u16(), &reason);
        // Without a word of why.
        let mut response = (status, [(CACHE_CONTROL, "no-store")]).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let bearer = axum::http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
        }
        // The log says why.
        let noted = Noted::refused(endpoint, Some(&reason));
        response.extensions_mut().insert(noted);
        Err(response)
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let headers: [(HeaderName, &str); 2] = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.to_string()).into_response()
}

async fn health() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok" }))
}

async fn ready(State(listener): State<Listener>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let admin = &listener.admin;
    let (sets, failed) = admin.state.all();
    let (mut not_ready, impaired) = admin.checks.failing().await;
    if admin.ending.load(Ordering::Relaxed) {
        not_ready.push(("server", "it ends".to_owned()));
    }
    if sets.is_empty() {
        not_ready.push(("rules", "none are loaded yet".to_owned()));
    }
    let (status, word) = match not_ready.is_empty() {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not-ready"),
    };
    let told = listener.may(&head, "/readyz", Permission::Metrics, admin.readers);
    // Who asks without a token asks for the status only, and that is no refusal.
    let asks = listener.is_here(&head) || head.headers.contains_key("authorization");
    if !asks && admin.readers != Readers::All || told.await.is_err() {
        return answer(status, &json!({ "status": word }));
    }
    let told = |failing: Failing| -> Vec<Value> {
        let each = failing.into_iter();
        each.map(|(what, why)| json!({ "part": what, "why": why }))
            .collect()
    };
    let (not_ready, impaired) = (told(not_ready), told(impaired));
    let sets: Vec<Value> = sets
        .iter()
        .map(|set| {
            json!({
                "tenant": set.tenant, "configuration": set.configuration,
                "loaded": set.loaded, "rules": set.rules.len(),
            })
        })
        .collect();
    let body = json!({
        "status": word, "notReady": not_ready, "impaired": impaired, "live": sets, "notReloaded": failed,
    });
    answer(status, &body)
}

async fn metrics(State(listener): State<Listener>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let readers = listener.admin.readers;
    let may = listener.may(&head, "/metrics", Permission::Metrics, readers);
    if let Err(refused) = may.await {
        return refused;
    }
    let headers = [(CONTENT_TYPE, MEDIA_TYPE), (CACHE_CONTROL, "no-store")];
    (headers, listener.admin.metrics.text()).into_response()
}

async fn live_sets(State(listener): State<Listener>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let may = listener.may(&head, "/admin/live", Permission::Admin, Readers::Local);
    if let Err(refused) = may.await {
        return refused;
    }
    let (sets, failed) = listener.admin.state.all();
    let sets: Vec<&live::LiveSet> = sets.iter().map(|set| &**set).collect();
    answer(
        StatusCode::OK,
        &json!({ "live": sets, "notReloaded": failed }),
    )
}

async fn reload(State(listener): State<Listener>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let may = listener.may(&head, "/admin/reload", Permission::Admin, Readers::Local);
    if let Err(refused) = may.await {
        return refused;
    }
    // A page of another origin can send a form, and the browser a certificate with it, but no token.
    let is_page = head.headers.contains_key("origin");
    if is_page && !head.headers.contains_key("authorization") {
        return answer(
            StatusCode::FORBIDDEN,
            &json!({ "error": "not from a page in a browser" }),
        );
    }
    let (told, outcome) = oneshot::channel();
    if listener.admin.wishes.try_send(Wish(told)).is_err() {
        let body = json!({ "error": "other wishes to reload are waiting; try again later" });
        return answer(StatusCode::SERVICE_UNAVAILABLE, &body);
    }
    let Ok(failed) = outcome.await else {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({ "error": "the server ends" }),
        );
    };
    let (sets, _) = listener.admin.state.all();
    let status = match failed.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let sets: Vec<Value> = sets
        .iter()
        .map(|set| json!({ "tenant": set.tenant, "configuration": set.configuration, "loaded": set.loaded }))
        .collect();
    answer(status, &json!({ "live": sets, "notReloaded": failed }))
}
