//! CORS: browser clients call from an origin of their own (CDS Hooks, "Cross-Origin Resource
//! Sharing"). A preflight carries no token and is answered before anything else.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::host::is_host;

/// Whether a text can be the origin of a browser client: `https://ehr.example:8443`, without a path, or
/// `*`. With any other no client would ever be let in.
pub fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.trim_end_matches('/').split_once("://") else {
        return text == "*";
    };
    let named = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    !scheme.is_empty() && scheme.chars().all(named) && !host.is_empty() && is_host(host.as_bytes())
}

/// The origins that may call.
pub(crate) struct Origins {
    any: bool,
    listed: Vec<String>,
}

impl Origins {
    /// Compared letter by letter, as browsers write it, in small letters; a slash at the end is left
    /// out; `*` is all.
    pub(crate) fn new(allowed: &[String]) -> Self {
        let listed = allowed
            .iter()
            .map(|o| o.trim_end_matches('/').to_ascii_lowercase());
        Origins {
            any: allowed.iter().any(|o| o == "*"),
            listed: listed.collect(),
        }
    }

    /// What `Access-Control-Allow-Origin` says to this origin.
    fn allow(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.any {
            return Some(HeaderValue::from_static("*"));
        }
        let listed = self
            .listed
            .iter()
            .any(|o| o.as_bytes() == origin.as_bytes());
        listed.then(|| origin.clone())
    }
}

/// Answers preflights; gives every other answer, refusals too, the header its origin needs.
pub(crate) async fn apply(
    State(origins): State<Arc<Origins>>,
    request: Request,
    next: Next,
) -> Response {
    let allow = request
        .headers()
        .get(ORIGIN)
        .and_then(|origin| origins.allow(origin));
    let asks = request
        .headers()
        .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let preflight = request.method() == Method::OPTIONS && asks;
    let mut response = if preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    if !origins.any {
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
    let Some(allow) = allow else {
        return response;
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allow);
    if preflight {
        let methods = HeaderValue::from_static("GET, POST, OPTIONS");
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = HeaderValue::from_static("authorization, content-type");
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}
