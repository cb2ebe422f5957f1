//! The chart as a FHIR server on this machine: it answers reads and searches with the token, and
//! remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Chart, failure, kind, search};
use crate::options::DoctorError;

/// Queries that are remembered.
const REMEMBERED: usize = 10_000;

/// The largest search that comes as a form, in bytes.
const FORM: usize = 1 << 20;

/// A server, until it is dropped.
pub(crate) struct FhirServer {
    pub(crate) base: String,
    state: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    chart: Chart,
    token: String,
    asked: Mutex<Vec<Asked>>,
}

/// A query, and whether it came with the token.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) query: String,
    pub(crate) with_token: bool,
}

impl Drop for FhirServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl FhirServer {
    /// Listens; queries without this token are answered 401.
    pub(crate) async fn start(
        at: SocketAddr,
        chart: Chart,
        token: &str,
    ) -> Result<Self, DoctorError> {
        let wrong = |e: std::io::Error| DoctorError::Listen(at, e.to_string());
        let listener = TcpListener::bind(at).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let state = Arc::new(Shared {
            chart,
            token: format!("Bearer {token}"),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(FhirServer {
            base: format!("http://{address}/fhir"),
            state,
            serving,
        })
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let asked = self.state.asked.lock();
        asked.map_or_else(|_| vec![], |mut asked| std::mem::take(&mut *asked))
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let path = path.strip_prefix("/fhir/").unwrap_or(path).to_owned();
    let form = axum::body::to_bytes(body, FORM).await.unwrap_or_default();
    let form = String::from_utf8_lossy(&form).into_owned();
    // A search whose address would be too long comes as a form.
    let query = match (path.strip_suffix("/_search"), parts.uri.query()) {
        (Some(ty), _) => format!("{ty}?{form}"),
        (None, Some(query)) => format!("{path}?{query}"),
        (None, None) => path,
    };
    let with_token = parts
        .headers
        .get(AUTHORIZATION)
        .is_some_and(|v| v.as_bytes() == shared.token.as_bytes());
    if let Ok(mut asked) = shared.asked.lock()
        && asked.len() < REMEMBERED
    {
        asked.push(Asked {
            query: query.clone(),
            with_token,
        });
    }
    if !with_token {
        return fhir(StatusCode::UNAUTHORIZED, &failure());
    }
    match search::ask(&shared.chart, &query) {
        Ok(Value::Null) => fhir(StatusCode::NOT_FOUND, &failure()),
        Ok(found) if kind(&found).is_empty() => fhir(StatusCode::NOT_FOUND, &failure()),
        Ok(found) => fhir(StatusCode::OK, &found),
        Err(_) => fhir(StatusCode::BAD_REQUEST, &failure()),
    }
}

fn fhir(status: StatusCode, body: &Value) -> Response {
    let kind = [(CONTENT_TYPE, "application/fhir+json")];
    (status, kind, body.to_string()).into_response()
}
